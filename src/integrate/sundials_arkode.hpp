#pragma once

#include <cstdio>  // which ARKODE 6.4 forgets

#include <arkode/arkode_butcher_dirk.h>
#include <arkode/arkode_butcher_erk.h>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg::sundials {

/// An additive Runge-Kutta method of ARKODE: which tableau treats which part.
struct Tableaus {
  ARKODE_DIRKTableID implicit = ARKODE_DIRK_NONE;
  ARKODE_ERKTableID explicit_ = ARKODE_ERK_NONE;
};

/// A stepper that runs ARKODE's ARKStep. It starts anew at each step, with its controller's history in our hands, so
/// that nothing of a step but that is left in the next: a batch, a restart and a horizon are all the same to it.
/// Implicit stages: inexact Newton on the matrix-free Jacobian; of an additive method, where only the stiff part is
/// implicit, one exact solve.
std::unique_ptr<Stepper> arkode_stepper(const Tableaus& tableaus, const Flow& flow, const SchemeSettings& settings,
                                        In y0, double horizon);

}  // namespace thalweg::sundials
