#include "thalweg/study/stable_step.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "thalweg/core/random.hpp"
#include "thalweg/integrate/sharpness.hpp"

namespace thalweg {
namespace {

constexpr int steps = 300;
constexpr double most_growth = 30;

/// A random vector turned towards the fastest modes, each of which an unstable scheme may be the one to raise.
Vector fast_start(const Flow& linear) {
  Stream draw(0, Purpose::probe);
  const Vector noise = Vector::NullaryExpr(linear.size(), [&](Index) { return draw.normal(); });
  Vector fast = noise, image(linear.size());
  for (int k = 0; k < 30; ++k) {
    linear.velocity(Part::all, {}, fast, image);
    if (!(image.norm() > 0)) break;
    fast = image / image.norm();
  }
  return fast + noise / noise.norm();
}

bool stable(const Flow& linear, const Scheme& scheme, const Vector& y0, double step) {
  SchemeSettings settings = scheme.settings;
  settings.step = step;
  const auto stepper = scheme.row.make(linear, settings, y0, std::numeric_limits<double>::infinity());
  for (int k = 0; k < steps; ++k)
    if (!stepper->advance().ok || !(stepper->state().norm() < most_growth * y0.norm())) return false;
  return true;
}

/// The flow backwards in time: its sharpness is the largest eigenvalue of the Jacobian.
class Backwards final : public Flow {
 public:
  explicit Backwards(const Flow& flow) : flow_(flow) {}
  Index size() const override { return flow_.size(); }
  void velocity(Part part, const Instant& at, In y, Out v) const override {
    flow_.velocity(part, at, y, v);
    v *= -1;
  }
  void jvp(Part part, const Instant& at, In y, In w, Out vw) const override {
    flow_.jvp(part, at, y, w, vw);
    vw *= -1;
  }
  bool symmetric() const override { return flow_.symmetric(); }
  bool self_adjoint() const override { return flow_.self_adjoint(); }
  void lower(Out x) const override { flow_.lower(x); }

 private:
  const Flow& flow_;
};

}  // namespace

double growth_rate(const Flow& flow, In y) {
  return std::max(0.0, sharpness(Backwards(flow), Part::all, {}, y).bound());
}

double largest_stable_step(const Flow& linear, const Scheme& scheme, double sharpness) {
  require(sharpness > 0, "the largest stable step of a flow without decay is not defined");
  const Vector y0 = fast_start(linear);
  const double most = 1000 / sharpness;
  if (stable(linear, scheme, y0, most)) return std::numeric_limits<double>::infinity();
  // The first loss of stability counts, so the ladder goes up; 1.25 is finer than the gaps between stable intervals.
  double high = 0.25 / sharpness, low = 0;
  while (high < most && stable(linear, scheme, y0, high)) {
    low = high;
    high *= 1.25;
  }
  while (high - low > 0.01 * high && high > 1e-6 / sharpness) {
    const double middle = (low + high) / 2;
    (stable(linear, scheme, y0, middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace thalweg
