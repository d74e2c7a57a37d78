#include <algorithm>
#include <cmath>
#include <limits>

#include "energy_stable.hpp"
#include "thalweg/core/conjugate_gradients.hpp"

namespace thalweg {
namespace {

constexpr int most_iterations = 30;
constexpr Index most_products = 500;

/// d/h = -M^-1 D(y, y + d) with the discrete gradient D of Gonzalez 1996: the gradient at the midpoint, corrected along
/// the step so that <D, d> = E(y + d) - E(y). Then E(y + d) - E(y) = -|d|^2/h in the metric, whatever h is.
/// With the velocity v = -M^-1 grad E and m = y + d/2 it is F(d) = (1/h + kappa) d - v(m) = 0 where
/// kappa = (E(y + d) - E(y) + <v(m), d>)/|d|^2, all products in the metric. By Newton's method from d = 0.
class DiscreteGradient final : public OneStep {
 public:
  DiscreteGradient(const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : OneStep(flow, settings, y0, horizon) {
    require(flow.self_adjoint() && flow.energy(y0).has_value(),
            "scheme.name: discrete-gradient needs a flow that lowers an energy; take another scheme, such as bdf2");
  }

 private:
  struct Point {
    Vector d, middle, v, residual;
    double kappa = 0;
    bool corrected = false;      // whether the energies tell kappa from rounding
    double error = 0, goal = 0;  // |F| and what is small enough

    bool solved() const { return error <= goal; }
  };

  Attempt attempt(double h) override {
    energy_ = *flow_.batch_energy(now_, y_);
    Point at = point(Vector::Zero(y_.size()), h);
    const Vector first = at.v;
    for (int k = 0; !at.solved(); ++k) {
      if (k == most_iterations || !std::isfinite(at.error)) return stalled("does not converge", h);
      ++work_.nonlinear_iterations;
      Vector move;
      if (!newton(at, h, move)) return stalled("meets an indefinite Hessian", h);
      Point next = nearer(at, move, h);
      // Rounding of a stiff velocity may end the descent of |F| early; eight digits then do.
      if (!(next.error < at.error) && at.error <= 1e4 * at.goal) break;
      at = std::move(next);
    }
    next_ = y_ + at.d;
    return {true, {}, adaptive() ? error(at, first, h) : 0};
  }

  Point point(Vector d, double h) {
    Point p{std::move(d), {}, Vector(y_.size()), {}};
    p.middle = y_ + p.d / 2;
    velocity(Part::all, p.middle, p.v);
    const double end = *flow_.batch_energy(now_, y_ + p.d), length = inner(p.d, p.d);
    const double noise = std::numeric_limits<double>::epsilon() * h * (std::abs(end) + std::abs(energy_));
    // Where the energies differ by little more than their rounding the correction, of third order in d, is all
    // rounding, and the midpoint rule alone keeps the law as well as it can be told.
    p.corrected = length > 1e3 * noise;
    if (p.corrected) p.kappa = (end - energy_ + inner(p.v, p.d)) / length;
    p.residual = (1 / h + p.kappa) * p.d - p.v;
    p.error = std::sqrt(inner(p.residual, p.residual));
    // The law misses <F, d>: twelve digits of |d|^2/h, or its rounding.
    const double digits = p.corrected ? std::max(1e-12, 10 * noise / length) : 1e-10;
    p.goal = digits * std::sqrt(length) / h;
    return p;
  }

  /// move <- -F'(d)^-1 F(d). F' is A = (1/h + kappa) I - J(m)/2 and the rank one that kappa's derivative adds,
  /// d <c, .> with c = (v(m) - v(y + d) + J(m) d/2 - 2 kappa d)/|d|^2 (Sherman, Morrison 1950).
  bool newton(const Point& p, double h, Vector& move) {
    if (!solve(p, h, -p.residual, move)) return false;
    if (!p.corrected) return true;
    Vector end(y_.size()), bend(y_.size()), along;
    velocity(Part::all, y_ + p.d, end);
    jvp(Part::all, p.middle, p.d, bend);
    const Vector c = (p.v - end + bend / 2 - 2 * p.kappa * p.d) / inner(p.d, p.d);
    if (!solve(p, h, p.d, along)) return false;
    move -= inner(c, move) / (1 + inner(c, along)) * along;
    return true;
  }

  /// x <- A^-1 b, to four digits: each Newton step gains as many. False where A is not positive definite.
  bool solve(const Point& p, double h, const Vector& b, Vector& x) {
    const Operator a = [&](In w, Out aw) {
      jvp(Part::all, p.middle, w, aw);
      aw = (1 / h + p.kappa) * w - aw / 2;
    };
    const Operator precondition = [&](In r, Out z) {
      z = h / 2 * r;
      flow_.solve_stiff(h / 2, z);
    };
    LinearSolve found =
        conjugate_gradients(a, b, 1e-4, most_products, flow_.stiff() ? precondition : Operator{}, metric());
    work_.linear_iterations += found.products;
    x = std::move(found.x);
    return !found.indefinite;
  }

  /// The full Newton step or the longest half, quarter, ... of it that lowers |F|.
  Point nearer(const Point& at, const Vector& move, double h) {
    Point next = point(at.d + move, h);
    for (double share = .5; !(next.error < at.error) && share > .01; share /= 2) next = point(at.d + share * move, h);
    return next;
  }

  /// Against Simpson's rule with the slopes at the ends and at the middle of their cubic, of fourth order; stiff parts
  /// of the difference are damped as the step itself damps them (Shampine 1984).
  double error(const Point& at, const Vector& first, double h) {
    Vector last(y_.size()), middle(y_.size()), damped;
    velocity(Part::all, next_, last);
    velocity(Part::all, at.middle + h / 8 * (first - last), middle);
    const Vector difference = at.d - h / 6 * (first + 4 * middle + last);
    return scaled(solve(at, h, difference / h, damped) ? damped : difference);
  }

  double inner(const Vector& u, Vector w) const {
    flow_.lower(w);
    return u.dot(w);
  }
  Operator metric() const {
    if (flow_.symmetric()) return {};
    return [this](In x, Out mx) {
      mx = x;
      flow_.lower(mx);
    };
  }

  static Attempt stalled(const std::string& how, double h) {
    return {false, "Newton's method for a step of " + to_text(h) + ' ' + how + "; try a smaller scheme.step"};
  }

  double energy_ = 0;
};

}  // namespace

std::unique_ptr<Stepper> discrete_gradient(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return std::make_unique<DiscreteGradient>(flow, settings, y0, horizon);
}

}  // namespace thalweg
