#pragma once

#include "thalweg/core/lanczos.hpp"

namespace thalweg {

/// phi_k(h A) v in the Krylov space of a self-adjoint A (Hochbruck, Lubich 1997).
struct KrylovPhi {
  Vector value;
  double error;    // bound of |error| in the metric where A has no positive eigenvalues, else an estimate
  Index products;  // the dimension of the space
  bool converged;  // error <= tolerance
};

/// Grows the space until `error` is below `tolerance` or it has `most` dimensions; h > 0, k from 1 to 4.
KrylovPhi krylov_phi(int k, double h, const Operator& a, In v, double tolerance, Index most,
                     const Operator& metric = {});

}  // namespace thalweg
