#include "thalweg/core/krylov_phi.hpp"

#include <algorithm>
#include <cmath>

#include "thalweg/core/phi.hpp"

namespace thalweg {
namespace {

/// phi_k(h T) e_1.
Vector small_phi(int k, double h, const Lanczos& space) {
  const RitzPairs pairs = space.ritz();
  const Vector factors = pairs.values.unaryExpr([=](double t) { return phi(k, h * t); });
  return pairs.vectors * factors.cwiseProduct(pairs.vectors.row(0).transpose());
}

}  // namespace

/// y(t) = t^k phi_k(t A) v solves y' = A y + t^(k-1)/(k-1)! v, which |v| V t^k phi_k(t T) e_1 misses by
/// beta_k v_(k+1) times its last entry. That entry grows with t, an integral of entries of exp(t T) which are positive
/// since T's off the diagonal are, and exp(t A) does not expand: the error at t = h is at most h times the defect
/// there.
KrylovPhi krylov_phi(int k, double h, const Operator& a, In v, double tolerance, Index most, const Operator& metric) {
  Lanczos space(v, metric);
  KrylovPhi result{Vector::Zero(v.size()), 0, 0, true};
  Vector small;
  // The eigenvalues of T at every step would cost more than the products; a fifth too many of those does not matter.
  for (Index next = 1; space.extend(a);) {
    const bool last = space.exhausted() || space.steps() == most;
    if (space.steps() < next && !last) continue;
    next += std::max<Index>(1, next / 5);
    small = space.norm() * small_phi(k, h, space);
    result.error = h * space.beta().tail<1>()[0] * std::abs(small.tail<1>()[0]);
    result.converged = result.error <= tolerance;
    if (result.converged || last) break;
  }
  result.products = space.steps();
  if (space.steps() > 0) result.value = space.basis() * small;
  return result;
}

}  // namespace thalweg
