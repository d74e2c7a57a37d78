#include <cmath>

#include "one_step.hpp"
#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

/// dy = v(y) dt + B dW, B constant. The normal vector of a step is a function of (scheme.seed, step) alone.
class StochasticStepper : public OneStep {
 public:
  StochasticStepper(const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : OneStep(flow, settings, y0, horizon), seed_(settings.batch.seed) {}

 protected:
  /// B xi of a step.
  Vector noise(std::int64_t step) const {
    if (!flow_.noisy()) return Vector::Zero(y_.size());
    Stream draw(seed_, Purpose::noise, static_cast<std::uint64_t>(step));
    Vector xi = Vector::NullaryExpr(y_.size(), [&draw](Index) { return draw.normal(); });
    flow_.colour(xi);
    return xi;
  }
  Vector slope(In y) {
    Vector v(y.size());
    velocity(Part::all, y, v);
    return v;
  }

 private:
  std::uint64_t seed_;
};

/// y + h v(y) + sqrt(h) B xi (Maruyama 1955).
class EulerMaruyama final : public StochasticStepper {
 public:
  using StochasticStepper::StochasticStepper;

 private:
  Attempt attempt(double h) override {
    next_ = y_ + h * slope(y_) + std::sqrt(h) * noise(now_.step);
    return {};
  }
};

/// y + h (v(y) + v(y + h v(y) + sqrt(h) B xi))/2 + sqrt(h) B xi: of weak order 2 where B is constant (Kloeden, Platen
/// 1992, 15.1).
class StochasticHeun final : public StochasticStepper {
 public:
  using StochasticStepper::StochasticStepper;

 private:
  Attempt attempt(double h) override {
    const Vector first = slope(y_), kick = std::sqrt(h) * noise(now_.step);
    next_ = y_ + h / 2 * (first + slope(y_ + h * first + kick)) + kick;
    return {};
  }
};

/// y + h v(y) + sqrt(h) B (xi_k + xi_(k+1))/2: one gradient a step, weak order 1, but order 2 in the invariant measure,
/// which it has exactly on a quadratic (Leimkuhler, Matthews 2013).
class LeimkuhlerMatthews final : public StochasticStepper {
 public:
  using StochasticStepper::StochasticStepper;

 private:
  Attempt attempt(double h) override {
    if (noise_.size() == 0) noise_ = noise(now_.step);
    next_noise_ = noise(now_.step + 1);
    next_ = y_ + h * slope(y_) + std::sqrt(h) / 2 * (noise_ + next_noise_);
    return {};
  }
  void accept() override { noise_.swap(next_noise_); }

  Vector noise_, next_noise_;
};

/// |1 - z| < 1 and |1 - z + z^2/2| < 1 alike.
double limit(const SchemeSettings&) { return 2; }

constexpr SchemeRow rows[] = {
    {.name = "euler-maruyama",
     .family = "stochastic",
     .what = "explicit Euler with noise; order: weak",
     .order = 1,
     .continuous = false,
     .noisy = true,
     .make = make_stepper<EulerMaruyama>,
     .limit = limit},
    {.name = "stochastic-heun",
     .family = "stochastic",
     .what = "Heun's method with noise that does not depend on the state; order: weak",
     .order = 2,
     .continuous = false,
     .noisy = true,
     .make = make_stepper<StochasticHeun>,
     .limit = limit},
    {.name = "leimkuhler-matthews",
     .family = "stochastic",
     .what = "noise averaged over two steps: order 2 in the invariant measure",
     .order = 1,
     .continuous = false,
     .noisy = true,
     .make = make_stepper<LeimkuhlerMatthews>,
     .limit = limit},
};

}  // namespace

std::span<const SchemeRow> stochastic_schemes() { return rows; }

}  // namespace thalweg
