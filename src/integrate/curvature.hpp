#pragma once

#include "thalweg/flow/flow.hpp"

namespace thalweg {

/// Whether <w, A w> > 0 in the flow's metric for the matrix A = c I - J of an implicit step, c = 1/(h gamma). Where it
/// is not, the energy curves down along w by more than c: the step's equation has lost its root near the step's start,
/// what Newton's method finds is another one, and the step is too long. KSPCG and SUNLinSol_PCG would go on, the former
/// unless the sign changes between directions. True where the flow has no such metric.
inline bool positive_along(const Flow& flow, In w, In aw) {
  if (!flow.self_adjoint()) return true;
  Vector lowered = aw;
  flow.lower(lowered);
  const double curvature = w.dot(lowered);
  return !(curvature < 0 || (curvature == 0 && !w.isZero(0)));
}

}  // namespace thalweg
