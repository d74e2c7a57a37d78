#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "thalweg/study/experiment.hpp"
#include "thalweg/study/reference.hpp"

namespace thalweg {

/// Deviations from the reference, largest over the shared times, in units of the path's own size.
struct Errors {
  double theta = 0;   // |theta - reference| / max |reference|
  double energy = 0;  // |E - E_reference| / (E at the start - E at the end)
  double output = 0;  // the same as theta, of the logits on the training set; of the gradient on a landscape
};

/// A solve with one scheme at one step or one tolerance.
struct Precision {
  std::string scheme;
  bool adaptive = false;
  double dial = 0;  // step, or rtol = atol
  std::string status, reason;
  Errors errors;                                               // nan unless it reached the end
  double estimate = std::numeric_limits<double>::quiet_NaN();  // by the scheme itself, of errors.theta at the end
  Work work;
  std::int64_t energy_rises = 0;  // steps after which E was higher than before, by more than rounding
  double seconds = 0;             // inside the scheme; least of the repetitions

  bool reached() const { return status == name(Status::time); }
  /// Gradients, a product counted as two.
  double cost() const { return static_cast<double>(work.gradients + 2 * work.products); }
};

/// What the schemes of a table are measured against, and how: one flow, its reference, and shared times.
class Comparison {
 public:
  /// Solves the reference twice. The experiment must outlive it.
  Comparison(const Experiment& experiment, const std::function<bool()>& interrupted);

  const Reference& reference() const { return fine_; }
  const Scheme& reference_scheme() const { return scheme_; }
  /// How far the reference is from the one at twice its steps, in the same units.
  const Errors& reference_error() const { return reference_error_; }
  /// The sharpest point of start and end; nan where the Jacobian is not self-adjoint.
  double sharpness() const { return sharpness_; }
  /// At the reference's end.
  double last_sharpness() const { return last_sharpness_; }

  /// Solves with a scheme at one step or tolerance; any process gives the same but for the seconds.
  Precision measure(const SchemeRow& row, bool adaptive, double dial, const std::function<bool()>& interrupted) const;
  /// Its points at all of schemes.steps or schemes.tolerances. Where no steps are given: halvings of the interval
  /// between shared times until the error is below ten times the reference's, falls no longer, or there are
  /// schemes.most_steps.
  void measure_ladder(const SchemeRow& row, bool adaptive, const std::function<bool()>& interrupted,
                      const std::function<void(const Precision&)>& receive) const;

  /// Roughly how long measure_ladder() will take: the time of a few steps, times how many there will be if the error
  /// is a tenth where the scheme begins to be stable and falls with its order.
  double expected_seconds(const SchemeRow& row, bool adaptive) const;
  /// The time of a step of that scheme, from its first few.
  double seconds_a_step(const SchemeRow& row, bool adaptive) const;

  /// The settings of a scheme at one step or tolerance.
  SchemeSettings settings_at(bool adaptive, double dial) const;

 private:
  Errors errors(In y, double time) const;
  Vector output(In y) const;
  double guess() const;  // a first step for adaptive schemes
  double energy(In y) const { return experiment_.flow.energy(y).value_or(std::nan("")); }

  friend class Judge;
  const Experiment& experiment_;
  double end_, interval_, sharpness_, last_sharpness_;
  Scheme scheme_;
  Reference coarse_, fine_;
  double theta_scale_ = 0, energy_scale_ = 0, output_scale_ = 0;
  Errors reference_error_;
};

/// The scheme at some step or, where it takes none, at some tolerance: enough to see whether a flow suits it.
Scheme some_scheme(const SchemeRow& row, const Settings& settings);

/// The rows that schemes.names means on this flow: `auto`, `all`, families and schemes. Rows that solve another flow
/// are left out unless named themselves. Throws std::invalid_argument where nothing is left.
std::vector<const SchemeRow*> compared_schemes(const Experiment& experiment);

}  // namespace thalweg
