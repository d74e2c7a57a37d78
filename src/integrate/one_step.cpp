#include "one_step.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {
namespace {

/// A rest of the way below this share of a step is rounding.
constexpr double rounding = 1e-9;

/// Fifty rejections shrink a step by at least (9/10)^50 and on failures by 1e-35.
constexpr int most_trials = 50;

bool has_gradient(Part part) { return part == Part::slow || part == Part::all; }

}  // namespace

OneStep::OneStep(const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
    : flow_(flow),
      y_(y0),
      next_(y0),
      batches_(settings.batch, flow.samples()),
      step_(settings.step),
      horizon_(horizon),
      rtol_(settings.rtol.value_or(0)),
      // A relative tolerance alone would ask for no error at all in components that vanish.
      atol_(settings.atol.value_or(settings.rtol ? 1e-9 : 0)) {}

Advance OneStep::advance() {
  now_.batch = batches_.at(now_.step);
  return adaptive() ? adapted_step() : step();
}

Snapshot OneStep::snapshot() const {
  Snapshot all{now_.time, now_.step, work_, y_, {}, {step_}};
  save(all.vectors, all.numbers);
  return all;
}

void OneStep::resume(const Snapshot& from) {
  now_ = {from.time, from.step, {}};
  work_ = from.work;
  y_ = next_ = from.y;
  step_ = from.numbers.at(0);
  load(from.vectors, std::span(from.numbers).subspan(1));
}

Advance OneStep::step() {
  const Leap leap = fixed_leap();
  const Attempt attempt = this->attempt(leap.size);
  if (!attempt.ok) return {false, attempt.message};
  take(leap);
  return {};
}

/// The elementary controller h <- 0.9 h error^(-1/3) (Hairer, Norsett, Wanner 1993, II.4).
Advance OneStep::adapted_step() {
  Attempt last;
  for (int trial = 0; trial < most_trials; ++trial) {
    const Leap leap = adapted_leap();
    last = attempt(leap.size);
    const bool good = last.ok && last.error <= 1;
    double factor = std::isfinite(last.error) && last.ok ? .9 * std::cbrt(1 / last.error) : 0;
    factor = std::clamp(factor, .2, good && trial == 0 ? 5. : 1.);
    step_ = leap.size * factor;
    if (good) {
      take(leap);
      return {};
    }
    ++work_.rejected;
  }
  if (!last.ok) return {false, last.message};
  return {false,
          "no step meets the tolerance at t = " + to_text(now_.time) + ", down to " + to_text(step_) +
              "; try a larger scheme.atol or scheme.rtol",
          !std::isfinite(last.error)};
}

/// Times are multiples of the step, free of accumulated rounding.
OneStep::Leap OneStep::fixed_leap() const {
  const double next = step_ * static_cast<double>(now_.step + 1);
  if (next > horizon_ - rounding * step_) return {horizon_ - now_.time, horizon_};
  return {step_, next};
}

/// Two steps share the last stretch evenly, so that none of them is tiny.
OneStep::Leap OneStep::adapted_leap() const {
  const double rest = horizon_ - now_.time;
  if (rest <= step_ * (1 + rounding)) return {rest, horizon_};
  const double size = rest < 2 * step_ ? rest / 2 : step_;
  return {size, now_.time + size};
}

void OneStep::take(Leap leap) {
  accept();
  y_.swap(next_);
  now_.time = leap.end;
  ++now_.step;
  ++work_.steps;
}

double OneStep::scaled(In error) const {
  double largest = 0;
  for (Index i = 0; i < error.size(); ++i) {
    if (error[i] == 0) continue;  // whatever its tolerance
    const double share = std::abs(error[i]) / (atol_ + rtol_ * std::max(std::abs(y_[i]), std::abs(next_[i])));
    if (std::isnan(share)) return share;
    largest = std::max(largest, share);
  }
  return largest;
}

void OneStep::velocity(Part part, In y, Out v) {
  flow_.velocity(part, now_, y, v);
  work_.gradients += has_gradient(part);
}

void OneStep::jvp(Part part, In y, In w, Out vw) {
  flow_.jvp(part, now_, y, w, vw);
  work_.products += has_gradient(part);
}

}  // namespace thalweg
