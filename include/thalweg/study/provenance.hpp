#pragma once

#include <string>
#include <utility>
#include <vector>

#include "thalweg/integrate/integrate.hpp"
#include "thalweg/study/settings.hpp"

namespace thalweg {

/// What produced a result, as one JSON object on a line: program, version, commit, compiler, libraries, command.
std::string provenance_json(const std::string& command);

/// run.json: provenance, status, counters, final numbers, host, ranks, PETSc options in force.
struct RunReport {
  std::string command, status, message;
  std::vector<std::pair<std::string, double>> numbers;
  std::vector<std::pair<std::string, std::string>> texts;
  std::optional<Work> work;
  double seconds = 0;
  int ranks = 1;
  std::string petsc_options;
};
std::string run_json(const RunReport& report);

/// evaluate.json: the report's numbers and texts alone.
std::string evaluation_json(const RunReport& report);

}  // namespace thalweg
