#include "thalweg/study/comparison.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "thalweg/core/table.hpp"
#include "thalweg/integrate/sharpness.hpp"

namespace thalweg {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double end_of(const Settings& s) {
  require(s.stop.time && !s.stop.steps && !s.stop.loss && !s.stop.grad_norm && !s.stop.wall && !s.stop.gradients,
          "stop: schemes are compared at the same training time; give stop.time and no other stop");
  return *s.stop.time;
}

double sharpness_at(const Flow& flow, In y) {
  return flow.self_adjoint() ? sharpness(flow, Part::all, {}, y, .001).value : nan;
}

/// Beyond this many decay times an explicit reference costs more than an implicit one.
constexpr double stiff_decays = 2e4;

/// The last of the most accurate schemes with an error estimate that suit the flow. Orders above five take steps too
/// long for the interpolation between them.
const SchemeRow& reference_row(const Experiment& ex, double decays) {
  const std::string& wanted = ex.settings.schemes.reference;
  if (wanted != "auto") return find(schemes(), wanted, "schemes.reference");
  const auto suits = [&](const SchemeRow& row) {
    if (!row.adaptive || !row.continuous || row.second_order || row.order > 5 || !row.twin.empty()) return false;
    if (ex.flow.stiff()) return row.implicit == Part::stiff;
    return (decays > stiff_decays) == (row.implicit == Part::all) && row.implicit != Part::stiff;
  };
  const SchemeRow* best = nullptr;
  for (const SchemeRow& row : schemes())
    if (suits(row) && (!best || row.order >= best->order)) best = &row;
  require(best != nullptr, "schemes.reference: no scheme suits this flow; name one");
  return *best;
}

/// Half a step means a local error smaller by 2^-(order + 1).
SchemeSettings reference_settings(const Settings& s, const SchemeRow& row, double first_step, bool fine) {
  SchemeSettings settings = s.stepping;
  settings.step = first_step;
  settings.rtol = s.schemes.reference_tolerance * (fine ? std::pow(2, -row.order - 1) : 1);
  settings.atol = settings.rtol;
  return settings;
}

/// A row that stops observers from being shown states between its steps.
SchemeRow discrete(const SchemeRow& row) {
  SchemeRow own = row;
  own.continuous = false;
  return own;
}

/// Counts the steps that raise the energy by more than its rounding.
class EnergyLaw final : public Observer {
 public:
  explicit EnergyLaw(const Flow& flow) : flow_(flow) {}
  void see(const Frame& frame) override {
    const double now = flow_.energy(frame.y).value_or(nan);
    rises += now > before_ + 1e-12 * std::abs(before_);
    before_ = now;
  }
  std::int64_t rises = 0;

 private:
  const Flow& flow_;
  double before_ = std::numeric_limits<double>::infinity();
};

}  // namespace

/// Takes the largest errors at the states it is shown.
class Judge final : public Observer {
 public:
  explicit Judge(const Comparison& comparison) : comparison_(comparison) {}
  void see(const Frame& frame) override {
    if (frame.at.time == 0) return;
    const Errors now = comparison_.errors(frame.y, frame.at.time);
    worst.theta = std::max(worst.theta, now.theta);
    worst.energy = std::max(worst.energy, now.energy);
    worst.output = std::max(worst.output, now.output);
  }
  Errors worst;

 private:
  const Comparison& comparison_;
};

Comparison::Comparison(const Experiment& ex, const std::function<bool()>& interrupted)
    : experiment_(ex),
      end_(end_of(ex.settings)),
      interval_(end_ / ex.settings.record.count),
      sharpness_(sharpness_at(ex.flow, ex.start())),
      last_sharpness_(nan),
      scheme_(make_scheme(reference_row(ex, sharpness_ * end_).name, {})),
      coarse_(ex.flow, {scheme_.row, reference_settings(ex.settings, scheme_.row, guess(), false)}, ex.start(), end_,
              interrupted),
      fine_(ex.flow, {scheme_.row, reference_settings(ex.settings, scheme_.row, guess(), true)}, ex.start(), end_,
            interrupted) {
  scheme_.settings = reference_settings(ex.settings, scheme_.row, guess(), true);
  if (!coarse_.reached() || !fine_.reached()) return;
  last_sharpness_ = sharpness_at(ex.flow, fine_.last());
  sharpness_ = std::fmax(sharpness_, last_sharpness_);
  const auto times = even_times(end_, ex.settings.record.count);
  energy_scale_ = std::abs(energy(ex.start()) - energy(fine_.last()));
  for (const double t : times) {
    theta_scale_ = std::max(theta_scale_, fine_.at(t).norm());
    output_scale_ = std::max(output_scale_, output(fine_.at(t)).norm());
  }
  Judge judge(*this);
  for (const double t : times) {
    const Vector y = coarse_.at(t);
    judge.see({{t, 0, {}}, y, {}, y});
  }
  reference_error_ = judge.worst;
}

Vector Comparison::output(In y) const {
  if (const Learning* l = experiment_.learning.get()) return l->model.predict(y, l->data.train.x).reshaped();
  Vector g(y.size());
  experiment_.objective.gradient(y, {}, g);
  return g;
}

Errors Comparison::errors(In y, double time) const {
  const Vector exact = fine_.at(time);
  return {(y - exact).norm() / theta_scale_, std::abs(energy(y) - energy(exact)) / energy_scale_,
          (output(y) - output(exact)).norm() / output_scale_};
}

double Comparison::guess() const {
  return std::isfinite(sharpness_) && sharpness_ > 0 ? std::min(interval_, 0.1 / sharpness_) : interval_ / 100;
}

SchemeSettings Comparison::settings_at(bool adaptive, double dial) const {
  SchemeSettings settings = experiment_.settings.stepping;
  settings.step = adaptive ? guess() : dial;
  settings.rtol = settings.atol = std::nullopt;
  if (adaptive) settings.rtol = settings.atol = dial;
  return settings;
}

Precision Comparison::measure(const SchemeRow& row, bool adaptive, double dial,
                              const std::function<bool()>& interrupted) const {
  const Settings& s = experiment_.settings;
  const SchemeRow shown = discrete(row);
  const Scheme scheme{shown, settings_at(adaptive, dial)};
  Stop stop;
  stop.time = end_;
  stop.steps = s.schemes.most_steps;
  stop.interrupted = interrupted;
  const Vector y0 = experiment_.start();
  Judge judge(*this);
  EnergyLaw law(experiment_.flow);
  const Watch watches[] = {{{even_times(end_, s.record.count), 0}, judge}, {{{}, 1}, law}};
  const Outcome outcome = integrate(experiment_.flow, scheme, y0, stop, watches);
  Precision point{std::string(row.name),
                  adaptive,
                  dial,
                  std::string(name(outcome.status)),
                  outcome.message,
                  judge.worst,
                  outcome.work.error.value_or(nan) / theta_scale_,
                  outcome.work,
                  law.rises,
                  outcome.work.seconds};
  if (!point.reached()) {
    point.errors = {nan, nan, nan};
    point.estimate = nan;
    if (outcome.status == Status::steps)
      point.reason = "not there after schemes.most_steps = " + std::to_string(s.schemes.most_steps);
    return point;
  }
  // What takes longer than a second is timed well enough by one run.
  for (int k = 1; k < s.schemes.repeats && point.seconds < 1; ++k)
    point.seconds = std::min(point.seconds, integrate(experiment_.flow, scheme, y0, stop).work.seconds);
  return point;
}

void Comparison::measure_ladder(const SchemeRow& row, bool adaptive, const std::function<bool()>& interrupted,
                                const std::function<void(const Precision&)>& receive) const {
  const SchemesSpec& spec = experiment_.settings.schemes;
  const auto stopped = [&] { return interrupted && interrupted(); };
  const auto& given = adaptive ? spec.tolerances : spec.steps;
  for (const double dial : given) {
    const Precision point = measure(row, adaptive, dial, interrupted);
    if (stopped()) return;
    receive(point);
  }
  if (!given.empty()) return;
  // An inner solver's tolerance: two halvings that gain nothing are the last.
  auto stagnates = [errors = std::vector<double>()](double error) mutable {
    errors.push_back(error);
    const auto n = errors.size();
    return n > 2 && error < 1e-4 && errors[n - 1] > errors[n - 3] / 2;
  };
  for (double step = interval_; end_ / step <= static_cast<double>(spec.most_steps) && !stopped(); step /= 2) {
    const Precision point = measure(row, adaptive, step, interrupted);
    if (stopped()) return;
    receive(point);
    if (point.errors.theta <= 10 * reference_error_.theta || stagnates(point.errors.theta)) return;
  }
}

double Comparison::seconds_a_step(const SchemeRow& row, bool adaptive) const {
  constexpr int cold = 2, most = 100;  // the first steps allocate
  constexpr double enough = .005;
  const SchemeSettings settings = settings_at(adaptive, adaptive ? 1e-4 : interval_ / 64);  // most steps are short
  const auto stepper = row.make(experiment_.flow, settings, experiment_.start(), end_);
  using Clock = std::chrono::steady_clock;
  auto start = Clock::now();
  double seconds = 0;
  int steps = 0;
  while (steps < most && seconds < enough && stepper->now().time < end_ && stepper->advance().ok) {
    if (++steps == cold) start = Clock::now();
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return seconds / std::max(1, steps > cold ? steps - cold : steps);
}

double Comparison::expected_seconds(const SchemeRow& row, bool adaptive) const {
  const SchemesSpec& spec = experiment_.settings.schemes;
  const double order = row.order > 0 ? row.order : 4, most = static_cast<double>(spec.most_steps);
  const double limit = row.limit ? row.limit(settings_at(adaptive, interval_)) : INFINITY;
  const double first = std::isfinite(sharpness_ + limit) ? std::min(interval_, limit / sharpness_) : interval_;
  const auto error = [&](double step) { return .1 * std::pow(step / first, order); };
  const double each = seconds_a_step(row, adaptive);
  double all = 0;
  const auto count = [&](double steps) {
    const double seconds = each * std::min(steps, most);
    all += seconds * (seconds < 1 ? spec.repeats : 1);
  };
  for (const double dial : adaptive ? spec.tolerances : spec.steps)
    count(end_ / (adaptive ? first * std::pow(10 * dial, 1 / order) : dial));
  if (adaptive || !spec.steps.empty()) return all;
  for (double step = interval_; end_ / step <= most; step /= 2) {
    count(end_ / step);
    if (error(step) <= 10 * reference_error_.theta) break;
  }
  return all;
}

namespace {

bool solves_this_flow(const SchemeRow& row, const Settings& s) {
  return (row.order > 0 || row.adaptive) && !row.second_order && (row.twin.empty() || diffuses(s.flow, row.twin));
}

/// Of each family its first row and the first one of its highest order up to five.
bool automatic(const SchemeRow& row, const Settings& s) {
  const SchemeRow *first = nullptr, *highest = nullptr;
  for (const SchemeRow& other : schemes()) {
    if (other.family != row.family || !solves_this_flow(other, s)) continue;
    if (!first) first = &other;
    if (other.order <= 5 && (!highest || other.order > highest->order)) highest = &other;
  }
  return &row == first || &row == highest;
}

/// Throws where the scheme does not take this flow; some need a stiff part or a symmetric Jacobian.
void require_taken(const Experiment& ex, const SchemeRow& row) {
  require(!row.second_order,
          "schemes.names: " + std::string(row.name) + " steps flows of second order, this is one of " + "first order");
  row.make(ex.flow, some_scheme(row, ex.settings).settings, ex.start(), 1);
}

bool takes(const Experiment& ex, const SchemeRow& row) {
  try {
    require_taken(ex, row);
  } catch (const std::invalid_argument&) {
    return false;
  }
  return true;
}

}  // namespace

Scheme some_scheme(const SchemeRow& row, const Settings& s) {
  SchemeSettings settings = s.stepping;
  settings.rtol = settings.atol = std::nullopt;
  if (!row.fixed) settings.rtol = settings.atol = 1e-3;
  return make_scheme(row.name, settings);
}

std::vector<const SchemeRow*> compared_schemes(const Experiment& ex) {
  const Settings& s = ex.settings;
  std::vector<const SchemeRow*> rows;
  for (const SchemeRow& row : schemes()) {
    bool wanted = false, named = false;
    for (const auto& word : s.schemes.names) {
      named = named || word == row.name;
      wanted = wanted || ((word == "all" || word == row.family) && solves_this_flow(row, s)) ||
               (word == "auto" && automatic(row, s));
    }
    if (named) require_taken(ex, row);
    if (named || (wanted && takes(ex, row))) rows.push_back(&row);
  }
  require(!rows.empty(), "schemes.names: none of them solves this flow");
  return rows;
}

}  // namespace thalweg
