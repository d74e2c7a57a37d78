#include "thalweg/energy/functional.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

void Functional::hvps(In y, Batch batch, const Matrix& w, Matrix& hw) const {
  hw.resize(w.rows(), w.cols());
  for (Index k = 0; k < w.cols(); ++k) hvp(y, batch, w.col(k), hw.col(k));
}

DerivativeGap derivative_gap(const Functional& functional, In y, In w) {
  // Truncation h^4 and rounding 1e-16/h balance near h = 1e-16^(1/5).
  const double h = 1e-3 / std::max(w.norm(), 1e-300);
  const auto at = [&](double shift) { return Vector(y + shift * w); };
  const auto slope_at = [&](double shift) {
    Vector g(y.size());
    functional.gradient(at(shift), {}, g);
    return g;
  };
  Vector g(y.size()), hw(y.size());
  functional.gradient(y, {}, g);
  functional.hvp(y, {}, w, hw);
  const double value_difference = (8 * (functional.value(at(h), {}) - functional.value(at(-h), {})) -
                                   (functional.value(at(2 * h), {}) - functional.value(at(-2 * h), {}))) /
                                  (12 * h);
  const Vector slope_difference = (8 * (slope_at(h) - slope_at(-h)) - (slope_at(2 * h) - slope_at(-2 * h))) / (12 * h);
  return {std::abs(g.dot(w) - value_difference) / (1 + std::abs(value_difference)),
          (hw - slope_difference).norm() / (1 + slope_difference.norm())};
}

}  // namespace thalweg
