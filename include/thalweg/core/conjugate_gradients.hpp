#pragma once

#include "thalweg/core/lanczos.hpp"

namespace thalweg {

struct LinearSolve {
  Vector x;
  Index products;
  bool converged;   // |b - A x| <= tolerance |b|
  bool indefinite;  // a direction of no positive curvature turned up: A is not positive definite
};

/// Solves A x = b by preconditioned conjugate gradients (Hestenes, Stiefel 1952) in the inner product x'My. A and the
/// preconditioner must be self-adjoint in it and the latter positive definite; both it and M are the identity where
/// none is given.
LinearSolve conjugate_gradients(const Operator& a, In b, double tolerance, Index most,
                                const Operator& precondition = {}, const Operator& metric = {});

}  // namespace thalweg
