#include "thalweg/core/petsc.hpp"

#include <cstdio>
#include <cstdlib>
#include <regex>
#include <set>

namespace thalweg::petsc {
namespace {

/// PETSc's error handler is a C function that outlives its callers, so its text waits here for check().
std::string last_message;

PetscErrorCode collect(MPI_Comm, int, const char*, const char*, PetscErrorCode code, PetscErrorType type,
                       const char* message, void*) {
  if (type == PETSC_ERROR_INITIAL) last_message = message ? message : "";
  return code;
}

}  // namespace

Session::Session(const std::string& options) {
  // Otherwise MPI's hardware probe opens every X display and graphics device it finds.
  setenv("HWLOC_COMPONENTS", "-gl,-opencl", 0);
  // A process that mpirun did not start needs no daemon beside it.
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  if (PetscInitializeNoArguments() != 0) throw std::runtime_error("PETSc could not be initialised");
  PetscPushErrorHandler(collect, nullptr);
  // PETSc's own handlers would turn a broken pipe into an abort of all ranks.
  PetscPopSignalHandler();
  check(PetscOptionsInsertString(nullptr, options.c_str()));
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank_);
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks_);
}

Session::~Session() {
  PetscPopErrorHandler();
  PetscFinalize();
}

void check(PetscErrorCode code) {
  if (code == 0) return;
  const std::string message = std::exchange(last_message, {});
  if (code == PETSC_ERR_ARG_UNKNOWN_TYPE || code == PETSC_ERR_USER_INPUT || code == PETSC_ERR_ARG_WRONG)
    throw std::invalid_argument("PETSc: " + message);
  throw Error(code, "PETSc error " + std::to_string(code) + ": " + message);
}

std::vector<std::string> unused_options() {
  PetscInt count = 0;
  char **names = nullptr, **values = nullptr;
  check(PetscOptionsLeftGet(nullptr, &count, &names, &values));
  std::vector<std::string> left;
  for (PetscInt i = 0; i < count; ++i) left.push_back("-" + std::string(names[i]));
  check(PetscOptionsLeftRestore(nullptr, &count, &names, &values));
  return left;
}

std::string options_in_force() {
  char* text = nullptr;
  check(PetscOptionsGetAll(nullptr, &text));
  std::string all = text;
  check(PetscFree(text));
  return all;
}

std::vector<std::string> options_asked(void (*configure)(void*), void* context) {
  char* text = nullptr;
  std::size_t size = 0;
  // Types are listed on C's standard output, all else on PETSc's; glibc lets both be assigned.
  const auto screen = std::exchange(stdout, open_memstream(&text, &size));
  const auto petsc_screen = std::exchange(PETSC_STDOUT, stdout);
  check(PetscOptionsSetValue(nullptr, "-help", nullptr));
  configure(context);
  check(PetscOptionsClearValue(nullptr, "-help"));
  PETSC_STDOUT = petsc_screen;
  std::fclose(std::exchange(stdout, screen));
  const std::string help(text, size);
  std::free(text);
  const std::regex option("-[a-z][a-z0-9_]+");
  std::set<std::string> names;
  for (std::sregex_iterator it(help.begin(), help.end(), option), end; it != end; ++it) names.insert(it->str());
  return {names.begin(), names.end()};
}

}  // namespace thalweg::petsc
