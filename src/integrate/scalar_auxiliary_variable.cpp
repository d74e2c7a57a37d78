#include <cmath>

#include "energy_stable.hpp"

namespace thalweg {
namespace {

double inner(const Flow& flow, In u, Vector w) {
  flow.lower(w);
  return u.dot(w);
}

}  // namespace

/// C keeps E_1 + C above one at the start, and twice as far below zero as E_1 starts where that is negative.
ScalarAuxiliaryVariable::ScalarAuxiliaryVariable(const Flow& flow, const SchemeSettings& settings, In y0,
                                                 double horizon, double weight)
    : OneStep(flow, settings, y0, horizon), weight_(weight) {
  require(flow.self_adjoint() && flow.energy(y0).has_value(),
          "scheme.name: scalar auxiliary variables need a flow that lowers an energy; take another scheme, such as "
          "arkimex3");
  const double start = slow_energy(y0);
  constant_ = 1 + std::max(0., -2 * start);
  r_ = next_r_ = std::sqrt(start + constant_);
  work_.carried_energy = modified_energy();
}

void ScalarAuxiliaryVariable::save(std::vector<Vector>&, std::vector<double>& numbers) const {
  numbers.insert(numbers.end(), {constant_, r_});
}

void ScalarAuxiliaryVariable::load(std::span<const Vector>, std::span<const double> numbers) {
  constant_ = numbers[0];
  r_ = numbers[1];
}

/// The stiff part is linear: J y = -M^-1 K y.
double ScalarAuxiliaryVariable::stiff_energy(In y) const {
  Vector v(y.size());
  flow_.velocity(Part::stiff, now_, y, v);
  return -inner(flow_, y, v) / 2;
}

double ScalarAuxiliaryVariable::slow_energy(In y) const { return *flow_.batch_energy(now_, y) - stiff_energy(y); }

/// Where grad E_1 is taken: the start, or half an implicit-explicit Euler step on.
Vector ScalarAuxiliaryVariable::predicted(double h) {
  if (weight_ == 1) return y_;
  Vector middle(y_.size());
  velocity(Part::slow, y_, middle);
  middle = y_ + h / 2 * middle;
  flow_.solve_stiff(h / 2, middle);
  return middle;
}

/// With g = v_slow/sqrt(E_1 + C) at the predicted point and w the weight, d = y+ - y and s = r+ - r solve
/// (I - w h J) d = h (J y + (r + w s) g) and s = -<g, d>/2: d = p + s q by two solves with the stiff part.
Attempt ScalarAuxiliaryVariable::attempt(double h) {
  const Vector at = predicted(h);
  const double root = slow_energy(at) + constant_;
  if (!(root > 0)) return {false, "the energy has fallen too far below where it began for a scalar auxiliary variable"};
  Vector g(y_.size()), p(y_.size());
  velocity(Part::slow, at, g);
  g /= std::sqrt(root);
  velocity(Part::stiff, y_, p);
  p = h * (p + r_ * g);
  Vector q = weight_ * h * g;
  flow_.solve_stiff(weight_ * h, p);
  flow_.solve_stiff(weight_ * h, q);
  const double change = -inner(flow_, g, p) / (2 + inner(flow_, g, q));
  next_r_ = r_ + change;
  next_ = y_ + p + change * q;
  const double before = stiff_energy(y_) + r_ * r_, after = stiff_energy(next_) + next_r_ * next_r_;
  // Rounding of sums of size y'Ky and of the solves; a rise beyond it would mean that the stiff part is not what it
  // says.
  if (!(after <= before + 1e-10 * (before + constant_)))
    return {false, "the modified energy has risen from " + to_text(before) + " to " + to_text(after)};
  next_energy_ = after - constant_;
  return {};
}

void ScalarAuxiliaryVariable::accept() {
  r_ = next_r_;
  work_.carried_energy = next_energy_;
}

}  // namespace thalweg
