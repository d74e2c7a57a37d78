#include "verdict.hpp"

#include <algorithm>
#include <cmath>

#include "thalweg/integrate/sharpness.hpp"

namespace thalweg {
namespace {

/// States up to this many times the start's size still tell where the run came from.
constexpr double tame_growth = 10;

/// A copy costs a few per cent of the cheapest step, so not every step is worth one.
constexpr std::int64_t steps_between_copies = 16;

/// x to three digits, rounded down or to the nearest.
std::string three_digits(double x, double (*round)(double)) {
  if (!(x > 0) || !std::isfinite(x)) return to_text(x);
  const double unit = std::pow(10, std::floor(std::log10(x)) - 2);
  // A power of ten below 1 is not exact, its inverse is.
  return to_text(unit < 1 ? round(x / unit) / std::round(1 / unit) : round(x / unit) * unit);
}

std::string rounded(double x) {
  return three_digits(x, [](double q) { return std::round(q); });
}

}  // namespace

Verdict::Verdict(const Flow& flow, const Scheme& scheme, In y0) : flow_(flow), scheme_(scheme), start_(y0) {}

void Verdict::follow(const Stepper& stepper) {
  const Instant& now = stepper.now();
  judged_.longest = std::max(judged_.longest, now.time - time_);
  time_ = now.time;
  if (now.step % steps_between_copies != 0 || !by_fixed_steps()) return;
  if (stepper.state().squaredNorm() <= tame_growth * tame_growth * (1 + start_.squaredNorm()))
    judged_.tame = stepper.state();
}

void Verdict::resume(double time, Checkpoint::Judged judged) {
  time_ = time;
  judged_ = std::move(judged);
}

void Verdict::judge(Outcome& outcome) const {
  switch (outcome.status) {
    case Status::interrupted:
    case Status::failed:
      return;
    case Status::diverged:
      // A scheme that gave up by itself has said why.
      if (outcome.message.empty())
        outcome.message = "the state has grown beyond all bounds after step " + std::to_string(outcome.end.step) +
                          " at t = " + to_text(outcome.end.time) + "; " +
                          diagnosis(by_fixed_steps() ? load() : std::nullopt);
      return;
    case Status::time:
    case Status::steps:
    case Status::gradients:
    case Status::loss:
    case Status::grad_norm:
    case Status::wall:
      break;
  }
  if (!by_fixed_steps() || !whole_set() || flow_.noisy() || outcome.end.step == 0) return;
  const auto before = flow_.energy(start_), after = flow_.energy(outcome.y);
  // Rounding of a run that starts at a minimum; nan counts as a rise.
  if (!before || *after <= *before + 1e-10 * (std::abs(*before) + std::abs(*after))) return;
  const auto found = load();
  if (!too_long(found) && (scheme_.row.order == 0 || !flow_.self_adjoint())) return;
  outcome.status = Status::diverged;
  outcome.message = "the energy rose from " + rounded(*before) + " to " + rounded(*after) + ": " + diagnosis(found);
}

bool Verdict::whole_set() const { return Batches(scheme_.settings.batch, flow_.samples()).whole(); }

bool Verdict::by_fixed_steps() const { return !scheme_.settings.rtol && !scheme_.settings.atol; }

bool Verdict::limited() const {
  return scheme_.row.implicit != Part::all || (scheme_.row.limit && std::isfinite(scheme_.row.limit(scheme_.settings)));
}

std::optional<double> Verdict::load() const {
  if (!limited() || !flow_.self_adjoint() || !start_.allFinite()) return std::nullopt;
  double largest = 0;
  for (const Vector* y : {&start_, &judged_.tame})
    if (y->size() > 0)
      largest = std::max(largest, sharpness(flow_, felt_part(scheme_.row.implicit), {}, *y, .01, 0, 100).bound());
  if (!std::isfinite(largest)) return std::nullopt;
  return (judged_.longest > 0 ? judged_.longest : scheme_.settings.step) * largest;
}

bool Verdict::too_long(std::optional<double> load) const {
  return load && scheme_.row.limit && *load > scheme_.row.limit(scheme_.settings);
}

std::string Verdict::diagnosis(std::optional<double> load) const {
  const SchemeSettings& settings = scheme_.settings;
  const std::string name(scheme_.row.name),
      way_out = scheme_.row.implicit == Part::all ? "" : ", or an implicit scheme";
  const std::string smaller = "try a smaller scheme.step than " + to_text(settings.step) + way_out;
  if (!limited()) return "steps this long do not follow the flow; " + smaller;
  if (!load) return smaller;
  const std::string product = "step x sharpness = " + rounded(*load);
  if (!scheme_.row.limit) return product + ", and no stability limit of " + name + " is known; " + smaller;
  const double limit = scheme_.row.limit(settings);
  if (too_long(load))
    return product + " exceeds the stability limit " + rounded(limit) + " of " + name + "; try a step below " +
           three_digits(settings.step * limit / *load, [](double q) { return std::floor(q); }) + way_out;
  return product + " is within the stability limit " + rounded(limit) + " of " + name +
         (whole_set() ? " where it was measured; " : " on the whole set, single batches may be sharper; ") + smaller;
}

}  // namespace thalweg
