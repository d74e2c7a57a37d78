#pragma once

#include <functional>

#include "thalweg/core/core.hpp"

namespace thalweg {

/// y <- A x for a linear A.
using Operator = std::function<void(In x, Out y)>;

/// Eigenpairs (theta_i, s_i) of the tridiagonal T, ascending: theta_i approximates an eigenvalue of A, V s_i its
/// vector.
struct RitzPairs {
  Vector values;
  Matrix vectors;    // k x k, orthonormal columns
  Vector residuals;  // |A V s_i - theta_i V s_i| = beta_k |last entry of s_i|: an eigenvalue of A is that near
};

/// Krylov space of an operator A that is symmetric in the inner product x'Mx (M the identity where no metric is given):
/// A V = V T + beta_k v_(k+1) e_k' with V'M V = I and T tridiagonal (Lanczos 1950), orthogonalised twice against the
/// whole basis, so that no copies of converged eigenvalues appear. Memory n (k + 1).
class Lanczos {
 public:
  explicit Lanczos(In start, Operator metric = {});

  /// One more column of V, at the cost of one product and O(n k). False, and nothing done, once `exhausted`.
  bool extend(const Operator& a);

  /// The space is invariant under A (or the start was zero): its Ritz pairs are eigenpairs.
  bool exhausted() const { return exhausted_; }
  Index steps() const { return alpha_.size(); }
  /// |start| in the metric.
  double norm() const { return norm_; }
  /// V: n x k.
  auto basis() const { return basis_.leftCols(steps()); }
  /// Diagonal of T: k.
  const Vector& alpha() const { return alpha_; }
  /// Below it, k: the last one is the length of what A V leaves of the space.
  const Vector& beta() const { return beta_; }
  RitzPairs ritz() const;

 private:
  double length(In x) const;
  void orthogonalise(Vector& w) const;

  Operator metric_;
  Matrix basis_;  // the next vector stands behind the last column of V
  Vector alpha_, beta_;
  double norm_, largest_ = 0;
  bool exhausted_;
};

/// `steps` steps, fewer where the space is exhausted before.
Lanczos lanczos(const Operator& a, In start, Index steps, const Operator& metric = {});

}  // namespace thalweg
