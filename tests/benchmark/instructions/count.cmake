# cmake -DPROGRAM=FILE -DVALGRIND=FILE -DCOMPILER=NAME -DBUILD=DIRECTORY [-DRECORD=ON] -P count.cmake
# Counts the instructions a sample of a gradient, a product and a loss. Fails where one has more than 3 % above what
# instructions.txt records; with RECORD it records.
cmake_minimum_required(VERSION 3.25)

set(recorded_file ${CMAKE_CURRENT_LIST_DIR}/instructions.txt)
set(samples 1000)

function(count work calls result)
  execute_process(COMMAND ${VALGRIND} --tool=callgrind --callgrind-out-file=/dev/null ${PROGRAM} ${work} ${calls}
                  RESULT_VARIABLE code ERROR_VARIABLE report)
  if(code EQUAL 77)
    set(${result} none PARENT_SCOPE)
  elseif(code EQUAL 0 AND report MATCHES "Collected : ([0-9]+)")
    set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
  else()
    message(FATAL_ERROR "valgrind could not run '${PROGRAM} ${work} ${calls}' (${code}):\n${report}")
  endif()
endfunction()

file(STRINGS ${recorded_file} lines)
if(NOT RECORD AND NOT "compiler ${COMPILER}" IN_LIST lines)
  message("skipped: ${COMPILER} is not the compiler of instructions.txt")
  return()
endif()

set(record "compiler ${COMPILER}\n")
set(slower "")
foreach(work gradient product loss)
  # Start and set-up are the same in both runs.
  count(${work} 2 few)
  count(${work} 6 many)
  if(few STREQUAL none)
    message("skipped: this processor has no AVX2")
    return()
  endif()
  math(EXPR counted "(${many} - ${few}) / (4 * ${samples})")
  string(APPEND record "${work} ${counted}\n")
  if(RECORD)
    continue()
  endif()
  list(FILTER lines EXCLUDE REGEX "^#")
  set(line ${lines})
  list(FILTER line INCLUDE REGEX "^${work} ")
  string(REPLACE "${work} " "" recorded "${line}")
  message("${work}: ${counted} instructions a sample, ${recorded} recorded")
  math(EXPR excess "100 * ${counted} - 103 * ${recorded}")
  if(excess GREATER 0)
    list(APPEND slower ${work})
  endif()
endforeach()

if(RECORD)
  file(WRITE ${recorded_file} "# Instructions a sample at 2-32-32-1, N = 1000, four lanes; count.cmake wrote this.\n${record}")
elseif(slower)
  message(FATAL_ERROR "More than 3 % slower: ${slower}. If that is meant, record the new numbers by\n"
                      "  cmake --build ${BUILD} --target record_instructions")
endif()
