#include <algorithm>
#include <cmath>

#include "one_step.hpp"
#include "thalweg/core/krylov_phi.hpp"

namespace thalweg {
namespace {

/// Schemes that take phi_k(h J) of the stiff part's Jacobian J, exactly, from the flow, and the slow part N explicitly.
class SplitExponential : public OneStep {
 public:
  SplitExponential(const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : OneStep(flow, settings, y0, horizon) {
    Vector probe = y0;
    flow.phi_stiff(1, 0, probe);  // a flow that has none says so before anything has run
  }

 protected:
  /// y + h phi_k(h J) v.
  Vector leap(In y, int k, double h, Vector v) const {
    flow_.phi_stiff(k, h, v);
    return y + h * v;
  }
};

/// y + h phi_1(h J) (J y + N(y)) (Hochbruck and Ostermann 2010).
class ExponentialEuler final : public SplitExponential {
 public:
  using SplitExponential::SplitExponential;

 private:
  Attempt attempt(double h) override {
    Vector v(y_.size());
    velocity(Part::all, y_, v);
    next_ = leap(y_, 1, h, std::move(v));
    return {};
  }
};

/// Cox and Matthews 2002, (26) to (29), with exp(h J) y as y + h phi_1(h J) J y, so that a state at rest stays there.
class Etdrk4 final : public SplitExponential {
 public:
  using SplitExponential::SplitExponential;

 private:
  Attempt attempt(double h) override {
    const Vector linear = part(Part::stiff, y_), n1 = part(Part::slow, y_);
    const Vector a = leap(y_, 1, h / 2, linear + n1), n2 = part(Part::slow, a);
    const Vector b = leap(y_, 1, h / 2, linear + n2), n3 = part(Part::slow, b);
    const Vector c = leap(a, 1, h / 2, part(Part::stiff, a) + 2 * n3 - n1), n4 = part(Part::slow, c);
    next_ = leap(y_, 1, h, linear + n1);
    next_ = leap(next_, 2, h, 2 * (n2 + n3) - 3 * n1 - n4);
    next_ = leap(next_, 3, h, 4 * (n1 - n2 - n3 + n4));
    return {};
  }

  Vector part(Part part, In y) {
    Vector v(y.size());
    velocity(part, y, v);
    return v;
  }
};

/// A Krylov space that is larger says that the step is too long for it to pay.
constexpr Index most_dimensions = 200;

/// y + h phi_1(h J) v(y) with the Jacobian J of the whole velocity at y, of second order (Pope 1963); `order` 3 adds
/// 2 h phi_3(h J) (v(U) - v(y) - J (U - y)) at its result U, which is also its error (Hochbruck, Ostermann, Schweitzer
/// 2009, exprb32). By Lanczos in the flow's metric.
template <int order>
class ExponentialRosenbrock final : public OneStep {
 public:
  ExponentialRosenbrock(const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : OneStep(flow, settings, y0, horizon) {
    require(flow.self_adjoint(),
            "scheme.name: the Jacobian of this flow is not self-adjoint, as exponential Rosenbrock "
            "schemes need; take another scheme, such as rk5dp");
  }

 private:
  Attempt attempt(double h) override {
    Vector v(y_.size());
    velocity(Part::all, y_, v);
    const double tolerance = krylov_tolerance(h, v);
    if (!add_phi(1, h, v, tolerance, next_ = y_)) return too_long(h);
    if (order == 2) return {};
    const Vector move = next_ - y_, middle = next_;
    Vector rest(y_.size()), linear(y_.size());
    velocity(Part::all, next_, rest);
    jvp(Part::all, y_, move, linear);
    if (!add_phi(3, h, 2 * (rest - v - linear), tolerance, next_)) return too_long(h);
    return {true, {}, adaptive() ? scaled(next_ - middle) : 0};
  }

  /// to <- to + h phi_k(h J) v; whether the space could hold it.
  bool add_phi(int k, double h, const Vector& v, double tolerance, Vector& to) {
    const Operator jacobian = [this](In w, Out jw) { jvp(Part::all, y_, w, jw); };
    const Operator metric = [this](In x, Out mx) {
      mx = x;
      flow_.lower(mx);
    };
    const KrylovPhi found =
        krylov_phi(k, h, jacobian, v, tolerance / h, most_dimensions, flow_.symmetric() ? Operator{} : metric);
    work_.linear_iterations += found.products;
    to += h * found.value;
    return found.converged;
  }

  /// Of a fixed step eight digits, below the error of the scheme; of an adapted one a tenth of what it may err, which
  /// the norm of the metric bounds since M >= I.
  double krylov_tolerance(double h, const Vector& v) const {
    const double size = h * v.norm();
    return adaptive() ? std::max(1e-10 * size, .1 * smallest_tolerance()) : 1e-8 * size;
  }

  static Attempt too_long(double h) {
    return {false, "a Krylov space of " + std::to_string(most_dimensions) +
                       " dimensions does not hold the exponential of a "
                       "step of " +
                       to_text(h) + "; try a smaller scheme.step"};
  }
};

constexpr SchemeRow rows[] = {
    {.name = "exponential-euler",
     .family = "exponential",
     .what = "stiff part by its exponential, slow part by Euler (ETD1)",
     .order = 1,
     .implicit = Part::stiff,
     .make = make_stepper<ExponentialEuler>},
    {.name = "etdrk4",
     .family = "exponential",
     .what = "exponential time differencing Runge-Kutta (Cox, Matthews 2002)",
     .order = 4,
     .implicit = Part::stiff,
     .make = make_stepper<Etdrk4>},
    {.name = "exponential-rosenbrock-euler",
     .family = "exponential",
     .what = "exponential of the whole Jacobian in a Krylov space",
     .order = 2,
     .implicit = Part::all,
     .make = make_stepper<ExponentialRosenbrock<2>>},
    {.name = "exprb32",
     .family = "exponential",
     .what = "exponential Rosenbrock 3(2) (Hochbruck, Ostermann, Schweitzer 2009)",
     .order = 3,
     .implicit = Part::all,
     .adaptive = true,
     .make = make_stepper<ExponentialRosenbrock<3>>},
};

}  // namespace

std::span<const SchemeRow> exponential_schemes() { return rows; }

}  // namespace thalweg
