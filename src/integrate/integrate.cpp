#include "thalweg/integrate/integrate.hpp"

#include <chrono>
#include <cmath>
#include <limits>

#include "verdict.hpp"

namespace thalweg {
namespace {

/// Cubic Hermite polynomial through (t0, y0, v0) and (t1, y1, v1).
struct Hermite {
  double t0, t1;
  const Vector &y0, &v0, &y1, &v1;

  Vector operator()(double t) const {
    const double h = t1 - t0, s = (t - t0) / h, r = 1 - s;
    return r * r * (1 + 2 * s) * y0 + s * s * (1 + 2 * r) * y1 + h * s * r * (r * v0 - s * v1);
  }
};

/// Shows the observers what their schedules ask for.
class Audience {
 public:
  Audience(const Flow& flow, const Stepper& stepper, bool continuous, std::span<const Watch> watches)
      : flow_(flow), stepper_(stepper), continuous_(continuous), watches_(watches), next_(watches.size(), 0) {
    for (std::size_t i = 0; i < watches.size(); ++i) show(i, now(), stepper.state());
    remember();
  }

  void after_step(double tolerance) {
    const Instant& at = now();
    for (std::size_t i = 0; i < watches_.size(); ++i) {
      const auto& [when, who] = watches_[i];
      bool due = when.every > 0 && at.step % when.every == 0;
      for (auto& k = next_[i]; k < when.times.size() && when.times[k] <= at.time + tolerance; ++k) {
        const double time = when.times[k];
        if (time <= before_.time + tolerance) continue;
        if (continuous_ && time < at.time - tolerance)
          show_between(i, time);
        else
          due = true;
      }
      if (due) show(i, at, stepper_.state());
    }
    remember();
  }

  void at_end() {
    for (std::size_t i = 0; i < watches_.size(); ++i)
      if (seen_[i] != now().step) show(i, now(), stepper_.state());
  }

 private:
  const Instant& now() const { return stepper_.now(); }

  void remember() {
    before_ = now();
    if (continuous_ && !watches_.empty()) y_before_ = stepper_.state();
  }

  void show(std::size_t i, const Instant& at, const Vector& y) {
    seen_.resize(watches_.size());
    seen_[i] = at.step;
    present(i, {at.time, at.step, {}}, y);
  }

  void show_between(std::size_t i, double time) {
    Vector v0(flow_.size()), v1(flow_.size());
    flow_.velocity(Part::all, {}, y_before_, v0);
    flow_.velocity(Part::all, {}, stepper_.state(), v1);
    const Vector y = Hermite{before_.time, now().time, y_before_, v0, stepper_.state(), v1}(time);
    present(i, {time, before_.step, {}}, y);
  }

  void present(std::size_t i, const Instant& at, const Vector& y) {
    const Index count = flow_.parameters();
    if (count < y.size()) parameters_ = y.head(count);
    watches_[i].who.see({at, count < y.size() ? parameters_ : y, stepper_.work(), y});
  }

  const Flow& flow_;
  const Stepper& stepper_;
  bool continuous_;
  std::span<const Watch> watches_;
  std::vector<std::size_t> next_;
  std::vector<std::int64_t> seen_;
  Instant before_;
  Vector y_before_, parameters_;
};

/// A state that has grown by this factor is on its way to infinity: no flow that lowers an energy gets there.
constexpr double largest_growth = 1e8;

/// The squared norm beyond which a run from y0 counts as diverged.
double bound(In y0) { return largest_growth * largest_growth * (1 + y0.squaredNorm()); }

std::optional<Status> ending(const Flow& flow, const Stepper& stepper, const Stop& stop, double bound, double wall) {
  const Instant& now = stepper.now();
  if (!(stepper.state().squaredNorm() < bound)) return Status::diverged;  // nan as well
  if (stop.time && now.time >= *stop.time) return Status::time;
  if (stop.steps && now.step >= *stop.steps) return Status::steps;
  if (stop.loss && flow.energy(stepper.state()).value_or(INFINITY) <= *stop.loss) return Status::loss;
  if (stop.grad_norm) {
    Vector v(flow.size());
    flow.velocity(Part::all, {}, stepper.state(), v);
    if (v.norm() <= *stop.grad_norm) return Status::grad_norm;
  }
  if (stop.wall && wall >= *stop.wall) return Status::wall;
  if (stop.interrupted && stop.interrupted()) return Status::interrupted;
  return std::nullopt;
}

}  // namespace

std::string_view name(Status status) {
  switch (status) {
    case Status::time:
      return "time";
    case Status::steps:
      return "steps";
    case Status::loss:
      return "loss";
    case Status::grad_norm:
      return "grad_norm";
    case Status::wall:
      return "wall";
    case Status::interrupted:
      return "interrupted";
    case Status::diverged:
      return "diverged";
    case Status::failed:
      return "failed";
  }
  return {};
}

Outcome integrate(const Flow& flow, const Scheme& scheme, In y0, const Stop& stop, std::span<const Watch> watches) {
  require(y0.size() == flow.size(),
          "the start has " + std::to_string(y0.size()) + " entries and the flow " + std::to_string(flow.size()));
  require(stop.time || stop.steps || stop.loss || stop.grad_norm || stop.wall, "stop: nothing would end the run");
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto wall = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const double horizon = stop.time.value_or(std::numeric_limits<double>::infinity());
  const auto stepper = scheme.row.make(flow, scheme.settings, y0, horizon);
  Audience audience(flow, *stepper, scheme.row.continuous, watches);
  // Times closer than this are one time: rounding of a sum of steps.
  const double tolerance = 1e-9 * scheme.settings.step;
  const double limit = bound(y0);
  Verdict verdict(flow, scheme, y0);
  Advance last;
  std::optional<Status> end;
  while (!(end = ending(flow, *stepper, stop, limit, wall()))) {
    last = stepper->advance();
    if (!last.ok) break;
    verdict.follow(*stepper);
    audience.after_step(tolerance);
  }
  audience.at_end();
  const Status status = end.value_or(last.diverged ? Status::diverged : Status::failed);
  const Instant at{stepper->now().time, stepper->now().step, {}};
  Outcome outcome{status, at, stepper->state(), stepper->work(), last.message};
  verdict.judge(outcome);
  return outcome;
}

}  // namespace thalweg
