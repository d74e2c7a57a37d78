#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <petscsys.h>

namespace thalweg::petsc {

/// An error that PETSc raised: its code and its message.
class Error : public std::runtime_error {
 public:
  Error(PetscErrorCode number, const std::string& message) : std::runtime_error(message), code(number) {}
  const PetscErrorCode code;
};

/// PETSc and MPI from construction to destruction; one a process. `options` is what a user put after `--`.
class Session {
 public:
  explicit Session(const std::string& options = "");
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int rank() const { return rank_; }
  int ranks() const { return ranks_; }

 private:
  int rank_ = 0, ranks_ = 1;
};

/// Throws Error for a non-zero code; one that a value of the options caused becomes std::invalid_argument.
void check(PetscErrorCode code);

/// Options that were set and that nothing has read, with their dashes.
std::vector<std::string> unused_options();
/// All options in force, as PETSc prints them on one line.
std::string options_in_force();
/// The names of all options that `configure` asks for, with their dashes.
std::vector<std::string> options_asked(void (*configure)(void*), void* context);

/// Owns a PETSc object and gives the raw one back.
template <class Object, PetscErrorCode (*destroy)(Object*)>
class Handle {
 public:
  Handle() = default;
  ~Handle() {
    if (raw_) destroy(&raw_);
  }
  Handle(Handle&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  operator Object() const { return raw_; }
  /// For PETSc's creating functions.
  Object* out() { return &raw_; }

 private:
  Object raw_ = nullptr;
};

/// Carries an exception out of a callback across PETSc's C frames.
class Bridge {
 public:
  /// Runs `body` in a callback: an exception is kept and becomes an error code.
  template <class Body>
  PetscErrorCode guard(Body body) noexcept {
    try {
      body();
      return 0;
    } catch (...) {
      kept_ = std::current_exception();
      return PETSC_ERR_LIB;
    }
  }
  /// Checks the code of the call that led to callbacks and rethrows what they kept.
  void check(PetscErrorCode code) {
    if (kept_) std::rethrow_exception(std::exchange(kept_, nullptr));
    petsc::check(code);
  }

 private:
  std::exception_ptr kept_;
};

}  // namespace thalweg::petsc
