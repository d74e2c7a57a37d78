#include "thalweg/core/lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>

namespace thalweg {

Lanczos::Lanczos(In start, Operator metric) : metric_(std::move(metric)), basis_(start.size(), 8) {
  norm_ = length(start);
  exhausted_ = norm_ == 0;
  basis_.col(0) = exhausted_ ? Vector(start) : Vector(start / norm_);
}

bool Lanczos::extend(const Operator& a) {
  const Index k = steps(), n = basis_.rows();
  if (exhausted_) return false;
  if (k + 1 >= basis_.cols()) basis_.conservativeResize(n, std::min(2 * basis_.cols(), n + 1));
  Vector w(n), weighted(n);
  a(basis_.col(k), w);
  const double size = length(w);
  weighted = w;
  if (metric_) metric_(w, weighted);
  alpha_.conservativeResize(k + 1);
  beta_.conservativeResize(k + 1);
  alpha_[k] = basis_.col(k).dot(weighted);
  largest_ = std::max(largest_, size);
  orthogonalise(w);
  beta_[k] = length(w);
  // Rounding alone leaves so much of A v.
  exhausted_ = k + 1 == n || !(beta_[k] > 100 * std::numeric_limits<double>::epsilon() * largest_);
  if (exhausted_)
    beta_[k] = 0;
  else
    basis_.col(k + 1) = w / beta_[k];
  return true;
}

double Lanczos::length(In x) const {
  if (!metric_) return x.norm();
  Vector weighted(x.size());
  metric_(x, weighted);
  return std::sqrt(std::max(0., x.dot(weighted)));
}

/// Twice is enough (Kahan; Giraud, Langou, Rozloznik 2005).
void Lanczos::orthogonalise(Vector& w) const {
  const auto v = basis_.leftCols(steps());
  Vector weighted(w.size());
  for (int pass = 0; pass < 2; ++pass) {
    if (metric_)
      metric_(w, weighted);
    else
      weighted = w;
    w -= v * (v.transpose() * weighted).eval();
  }
}

RitzPairs Lanczos::ritz() const {
  const Index k = steps();
  if (k == 0) return {};
  Eigen::SelfAdjointEigenSolver<Matrix> solver;
  solver.computeFromTridiagonal(alpha_, beta_.head(k - 1));
  return {solver.eigenvalues(), solver.eigenvectors(), beta_[k - 1] * solver.eigenvectors().row(k - 1).cwiseAbs()};
}

Lanczos lanczos(const Operator& a, In start, Index steps, const Operator& metric) {
  Lanczos space(start, metric);
  while (space.steps() < steps && space.extend(a)) {
  }
  return space;
}

}  // namespace thalweg
