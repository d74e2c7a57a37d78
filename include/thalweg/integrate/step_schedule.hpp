#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace thalweg {

/// How a descent's step changes with its number.
struct StepSchedule {
  std::string kind = "constant";
  std::optional<std::int64_t> period;  // steps, at least 1; every kind but `constant` needs it
  double factor = .1;                  // of `step`, in (0, 1)
  std::int64_t warmup = 0;             // steps that rise linearly to the full one (Goyal et al. 2017), before the rest
};

/// A row of the table of schedules: the step number k = 0, 1, ... after the warm-up is eta times `share`.
struct ScheduleKind {
  std::string_view name, what, formula;
  double (*share)(double k, const StepSchedule&);
  bool endless;  // its steps add up to any training time
};
std::span<const ScheduleKind> schedules();

/// The steps of one run, a pure function of their number.
class StepSizes {
 public:
  /// Throws std::invalid_argument on an unknown kind or a value out of its range.
  StepSizes(const StepSchedule& schedule, double step);

  /// Whether all steps are alike.
  bool constant() const { return constant_; }
  /// The size of step `k`, in (0, eta].
  double operator()(std::int64_t k) const;
  /// The training time that `steps` steps span, or the first sum beyond `enough`; O(steps).
  double span(std::int64_t steps, double enough) const;
  /// Throws std::invalid_argument unless the steps add up to `time` at last.
  void require_reaching(double time) const;

 private:
  StepSchedule schedule_;
  const ScheduleKind& kind_;
  double step_;
  bool constant_;
};

}  // namespace thalweg
