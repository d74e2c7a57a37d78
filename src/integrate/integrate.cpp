#include "thalweg/integrate/integrate.hpp"

#include <chrono>
#include <cmath>
#include <limits>

#include "audience.hpp"
#include "goal.hpp"
#include "verdict.hpp"

namespace thalweg {
namespace {

/// A state that has grown by this factor is on its way to infinity: no flow that lowers an energy gets there.
constexpr double largest_growth = 1e8;

/// The squared norm beyond which a run from y0 counts as diverged.
double bound(In y0) { return largest_growth * largest_growth * (1 + y0.squaredNorm()); }

/// The rules about counts.
std::optional<Status> exhausted(const Stepper& stepper, const Stop& stop) {
  const Instant& now = stepper.now();
  if (stop.time && now.time >= *stop.time) return Status::time;
  if (stop.steps && now.step >= *stop.steps) return Status::steps;
  return std::nullopt;
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Seconds between starts and stops; reading a clock every step would cost a percent of the smallest.
class Stopwatch {
 public:
  explicit Stopwatch(double before) : sum_(before) {}

  void start() {
    if (!running_) started_ = Clock::now();
    running_ = true;
  }
  void stop() {
    if (running_) sum_ += seconds_since(started_);
    running_ = false;
  }
  /// When stopped.
  double seconds() const { return sum_; }

 private:
  double sum_;
  bool running_ = false;
  Clock::time_point started_;
};

/// One solve: a stepper, those who watch it, and when to stop.
class Solve {
 public:
  Solve(const Flow& flow, const Scheme& scheme, In y0, const Stop& stop, std::span<const Watch> watches,
        const Checkpoints& checkpoints)
      : flow_(flow),
        scheme_(scheme),
        y0_(y0),
        stop_(stop),
        checkpoints_(checkpoints),
        bound_(bound(y0)),
        goals_(goals(flow, stop)),
        interpolates_(scheme.row.continuous && !(watches.empty() && goals_.empty())),
        segment_(flow),
        verdict_(flow, scheme, y0),
        // Times closer than this are one time: rounding of a sum of steps.
        audience_(interpolates_ ? &segment_ : nullptr, watches, 1e-9 * scheme.settings.step, flow.parameters()),
        stopwatch_(checkpoints.from ? checkpoints.from->solve.work.seconds : 0) {}

  Outcome run() {
    std::optional<Status> end = start();
    Advance last;
    while (!end) {
      if (interpolates_) segment_.begin(stepper_->now(), stepper_->state());
      stopwatch_.start();
      last = stepper_->advance();
      if (interpolates_ || !goals_.empty()) stopwatch_.stop();
      if (!last.ok) break;
      verdict_.follow(*stepper_);
      if (interpolates_) segment_.end(stepper_->now().time, stepper_->state());
      end = arrived(interpolates_);
      if (audience_.waits_for(stepper_->now())) audience_.after_step(frame());
      if (!end) end = called_off();
      if (!end && checkpoints_.every > 0 && stepper_->now().step % checkpoints_.every == 0) keep();
    }
    audience_.at_end(frame());
    const Status status = end.value_or(last.diverged ? Status::diverged : Status::failed);
    const Frame at = frame();
    Outcome outcome{status, at.at, at.y, at.work, last.message};
    verdict_.judge(outcome);
    return outcome;
  }

 private:
  std::optional<Status> start() {
    if (checkpoints_.from) {
      const Checkpoint& from = *checkpoints_.from;
      stepper_ = made(from.solve.y);
      wall_before_ = from.wall;
      stepper_->resume(from.solve);
      audience_.resume(from.solve.time, from.seen);
      verdict_.resume(from.solve.time, from.judged);
      return std::nullopt;
    }
    stepper_ = made(y0_);
    audience_.begin(frame());
    const auto end = arrived(false);
    return end ? end : called_off();
  }

  std::unique_ptr<Stepper> made(In y) const {
    const double horizon = stop_.time.value_or(std::numeric_limits<double>::infinity());
    return scheme_.row.make(flow_, scheme_.settings, y, horizon);
  }

  /// Whether the state ends the solve; a goal reached within the last step is looked for there.
  std::optional<Status> arrived(bool within) {
    const Vector& y = stepper_->state();
    if (!(y.squaredNorm() < bound_)) return Status::diverged;  // nan as well
    std::optional<Status> first;
    double time = INFINITY;
    for (const Goal& goal : goals_) {
      if (!(goal.excess(y) <= 0)) continue;
      const double there = within ? located(goal, segment_) : stepper_->now().time;
      if (there < time) first = goal.status;
      time = std::min(time, there);
    }
    if (first && time < stepper_->now().time) located_ = {{time, segment_.start().step, {}}, segment_(time)};
    if (first) return first;
    if (const auto end = exhausted(*stepper_, stop_)) return end;
    if (stop_.gradients && work().gradients >= *stop_.gradients) return Status::gradients;
    return std::nullopt;
  }

  /// The rules about the world.
  std::optional<Status> called_off() const {
    if (stop_.wall && wall() >= *stop_.wall) return Status::wall;
    if (stop_.interrupted && stop_.interrupted()) return Status::interrupted;
    return std::nullopt;
  }

  void keep() {
    stopwatch_.stop();
    Checkpoint here{stepper_->snapshot(), audience_.seen(), verdict_.judged(), wall()};
    here.solve.work.seconds = stopwatch_.seconds();
    checkpoints_.keep(here);
    if (!stepper_->restarts()) return;
    stepper_ = made(here.solve.y);
    stepper_->resume(here.solve);
  }

  /// What the solve has cost in gradients of the objective, of which a velocity may take several.
  const Work& work() {
    work_ = stepper_->work();
    work_.gradients *= flow_.evaluations();
    work_.products *= flow_.evaluations();
    work_.seconds = stopwatch_.seconds();
    return work_;
  }

  /// What the observers see; their time does not count.
  Frame frame() {
    stopwatch_.stop();
    if (located_) return {located_->at, located_->y, work(), located_->y};
    return {{stepper_->now().time, stepper_->now().step, {}}, stepper_->state(), work(), stepper_->state()};
  }
  double wall() const { return wall_before_ + seconds_since(begun_); }

  struct Located {
    Instant at;
    Vector y;
  };

  const Flow& flow_;
  const Scheme& scheme_;
  In y0_;
  const Stop& stop_;
  const Checkpoints& checkpoints_;
  double bound_;
  std::vector<Goal> goals_;
  bool interpolates_;
  Segment segment_;
  Verdict verdict_;
  Audience audience_;
  std::unique_ptr<Stepper> stepper_;
  Work work_;
  Stopwatch stopwatch_;
  std::optional<Located> located_;
  Clock::time_point begun_ = Clock::now();
  double wall_before_ = 0;
};

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
    case Status::gradients:
      return "gradients";
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

Outcome integrate(const Flow& flow, const Scheme& scheme, In y0, const Stop& stop, std::span<const Watch> watches,
                  const Checkpoints& checkpoints) {
  require(y0.size() == flow.size(),
          "the start has " + std::to_string(y0.size()) + " entries and the flow " + std::to_string(flow.size()));
  require(stop.time || stop.steps || stop.loss || stop.grad_norm || stop.gradients || stop.wall,
          "stop: nothing would end the run");
  require_fits(scheme, flow);
  return Solve(flow, scheme, y0, stop, watches, checkpoints).run();
}

}  // namespace thalweg
