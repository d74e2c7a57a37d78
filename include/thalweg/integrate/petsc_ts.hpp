#pragma once

#include <memory>
#include <string>
#include <vector>

#include <petscts.h>

#include "thalweg/core/petsc.hpp"
#include "thalweg/integrate/schemes.hpp"

namespace thalweg {

/// A PETSc time stepper: its type and subtype, what it treats implicitly, and what PETSc has to be told of it.
struct PetscScheme {
  TSType type;
  Part implicit = Part::none;
  void (*choose)(TS, const SchemeSettings&) = nullptr;  // null: the type has no subtypes
  bool linear = false;                                  // a linear solve a stage in place of Newton's method
  bool blind_start = false;                             // has no error estimate of its first step
  bool rigid_start = false;                             // its start cannot shorten a step that fails
  bool global_error = false;                            // estimates the error of its state, not only of its step
  const PetscScheme* starter = nullptr;                 // makes the states before the first step of full order,
  int starts = 0;                                       // and how many of them
};

/// A stepper that runs `scheme` on `flow`, on this process alone. Options of PETSc's data base override the settings.
std::unique_ptr<Stepper> petsc_stepper(const PetscScheme& scheme, const Flow& flow, const SchemeSettings& settings,
                                       In y0, double horizon);

/// Lets the scheme read PETSc's options as it would for a run on this flow. Returns the names it asked for, where an
/// option is left that nothing has read.
std::vector<std::string> read_options(const Scheme& scheme, const Flow& flow);

/// Throws std::invalid_argument that names an option which no scheme has read, with the nearest of the names asked for.
void require_options_used(std::vector<std::string> asked);

}  // namespace thalweg
