#include "thalweg/core/petsc.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <set>

#include <unistd.h>

namespace thalweg::petsc {
namespace {

/// PETSc's error handler is a C function that outlives its callers, so its text waits here for check().
std::string last_message;

PetscErrorCode collect(MPI_Comm, int, const char*, const char*, PetscErrorCode code, PetscErrorType type,
                       const char* message, void*) {
  if (type == PETSC_ERROR_INITIAL) last_message = message ? message : "";
  return code;
}

/// While it lives, PETSc describes the options that it asks for, into a file instead of standard output. The stream
/// itself stays, because PETSc's viewers keep it.
class Help {
 public:
  Help() : file_(std::tmpfile()) {
    if (!file_) throw std::runtime_error("cannot make a temporary file");
    std::fflush(stdout);
    screen_ = dup(STDOUT_FILENO);
    dup2(fileno(file_), STDOUT_FILENO);
    // PETSc describes each group of options once a process, and takes any use of a group, help or not, for that.
    PetscOptionsHelpPrintedDestroy(&PetscOptionsHelpPrintedSingleton);
    PetscOptionsSetValue(nullptr, "-help", nullptr);
  }
  ~Help() {
    PetscOptionsClearValue(nullptr, "-help");
    std::fflush(stdout);
    dup2(screen_, STDOUT_FILENO);
    close(screen_);
    std::fclose(file_);
  }
  Help(const Help&) = delete;
  Help& operator=(const Help&) = delete;

  std::string text() {
    std::fflush(stdout);
    std::rewind(file_);
    std::string all;
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) all += static_cast<char>(c);
    return all;
  }

 private:
  std::FILE* file_;
  int screen_ = -1;
};

}  // namespace

Session::Session(const std::string& options) {
  // Otherwise MPI's hardware probe opens every X display and graphics device it finds.
  setenv("HWLOC_COMPONENTS", "-gl,-opencl", 0);
  // A process that mpirun did not start needs no daemon beside it.
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  // All such processes would share one session directory, which the first to end takes from under the others.
  if (!std::getenv("PMIX_RANK")) setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
  struct sigaction terminated {};
  sigaction(SIGTERM, nullptr, &terminated);
  if (PetscInitializeNoArguments() != 0) throw std::runtime_error("PETSc could not be initialised");
  PetscPushErrorHandler(collect, nullptr);
  // PETSc's own handlers would turn a broken pipe into an abort of all ranks.
  PetscPopSignalHandler();
  sigaction(SIGTERM, &terminated, nullptr);  // the program's own, which PETSc has replaced
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
  Help described;
  configure(context);
  const std::string help = described.text();
  const std::regex option("-[a-z][a-z0-9_]+");
  std::set<std::string> names;
  for (std::sregex_iterator it(help.begin(), help.end(), option), end; it != end; ++it) names.insert(it->str());
  return {names.begin(), names.end()};
}

}  // namespace thalweg::petsc
