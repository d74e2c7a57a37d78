#include "thalweg/core/conjugate_gradients.hpp"

#include <cmath>
#include <utility>

namespace thalweg {
namespace {

Vector applied(const Operator& a, const Vector& x) {
  if (!a) return x;
  Vector y(x.size());
  a(x, y);
  return y;
}

}  // namespace

LinearSolve conjugate_gradients(const Operator& a, In b, double tolerance, Index most, const Operator& precondition,
                                const Operator& metric) {
  LinearSolve result{Vector::Zero(b.size()), 0, false, false};
  Vector residual = b, lowered = applied(metric, residual), z = applied(precondition, residual), direction = z;
  const double goal = tolerance * std::sqrt(residual.dot(lowered));
  double product = lowered.dot(z);
  while (!(result.converged = residual.dot(lowered) <= goal * goal) && result.products < most) {
    const Vector image = applied(a, direction);
    ++result.products;
    const double curvature = applied(metric, direction).dot(image);
    result.indefinite = !(curvature > 0);
    if (result.indefinite) break;
    result.x += product / curvature * direction;
    residual -= product / curvature * image;
    lowered = applied(metric, residual);
    z = applied(precondition, residual);
    const double before = std::exchange(product, lowered.dot(z));
    direction = z + product / before * direction;
  }
  return result;
}

}  // namespace thalweg
