#include "thalweg/integrate/step_schedule.hpp"

#include <cmath>
#include <numbers>

#include "thalweg/core/core.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

double period(const StepSchedule& s) { return static_cast<double>(*s.period); }

constexpr ScheduleKind rows[] = {
    {"constant", "all steps alike", "eta", [](double, const StepSchedule&) { return 1.; }, true},
    {"step", "cut by a factor after each period; the steps add up to a finite time",
     "eta scheme.factor^floor(k/scheme.period)",
     [](double k, const StepSchedule& s) { return std::pow(s.factor, std::floor(k / period(s))); }, false},
    {"cosine", "half a cosine, anew after each period (Loshchilov and Hutter 2017); not given, the period is the run",
     "eta (1 + cos(pi (k mod scheme.period)/scheme.period))/2",
     [](double k, const StepSchedule& s) {
       return (1 + std::cos(std::numbers::pi * std::fmod(k, period(s)) / period(s))) / 2;
     },
     true},
    {"inverse-time", "the steps of stochastic approximation: sum infinite, sum of squares finite",
     "eta/(1 + k/scheme.period)", [](double k, const StepSchedule& s) { return 1 / (1 + k / period(s)); }, true},
};

}  // namespace

std::span<const ScheduleKind> schedules() { return rows; }

StepSizes::StepSizes(const StepSchedule& schedule, double step)
    : schedule_(schedule),
      kind_(find(schedules(), schedule.kind, "scheme.schedule")),
      step_(step),
      constant_(kind_.name == "constant" && schedule.warmup == 0) {
  require(schedule.warmup >= 0, "scheme.warmup: " + std::to_string(schedule.warmup) + " is negative");
  require(schedule.factor > 0 && schedule.factor < 1,
          "scheme.factor: " + to_text(schedule.factor) + " is not between 0 and 1");
  require(kind_.name == "constant" || schedule.period,
          "scheme.period: scheme.schedule=" + schedule.kind + " needs one, in steps");
  require(schedule.period.value_or(1) >= 1,
          "scheme.period: " + std::to_string(schedule.period.value_or(1)) + " is not at least 1");
}

double StepSizes::operator()(std::int64_t k) const {
  if (constant_) return step_;
  if (k < schedule_.warmup) return step_ * static_cast<double>(k + 1) / static_cast<double>(schedule_.warmup);
  return step_ * kind_.share(static_cast<double>(k - schedule_.warmup), schedule_);
}

double StepSizes::span(std::int64_t steps, double enough) const {
  if (constant_) return step_ * static_cast<double>(steps);
  double time = 0;
  for (std::int64_t k = 0; k < steps && time <= enough; ++k) time += (*this)(k);
  return time;
}

void StepSizes::require_reaching(double time) const {
  if (kind_.endless || !std::isfinite(time)) return;
  // The triangle of the warm-up, then a geometric series of blocks.
  const auto w = static_cast<double>(schedule_.warmup);
  const double sum = step_ * ((w > 0 ? (w + 1) / 2 : 0) + period(schedule_) / (1 - schedule_.factor));
  require(time < sum, "stop.time: " + to_text(time) + " is never reached, all steps of scheme.schedule=" +
                          schedule_.kind + " add up to " + to_text(sum));
}

}  // namespace thalweg
