#pragma once

#include "thalweg/integrate/schemes.hpp"

namespace thalweg::sundials {

/// Linear multistep methods of variable order and step: Adams (1 to 12) by functional iteration, backward
/// differentiation (1 to 5) by inexact Newton on the matrix-free Jacobian.
enum class Multistep { adams, bdf };

/// A stepper that runs CVODE. No public function gives its Nordsieck array back, so that it resumes at order 1.
std::unique_ptr<Stepper> cvode_stepper(Multistep method, const Flow& flow, const SchemeSettings& settings, In y0,
                                       double horizon);

}  // namespace thalweg::sundials
