#include <cmath>
#include <limits>
#include <utility>

#include "one_step.hpp"
#include "thalweg/integrate/chebyshev.hpp"
#include "thalweg/integrate/sharpness.hpp"

namespace thalweg {
namespace {

/// A sharpness estimate serves so many steps (as in RKC, Sommeijer et al. 1997), with room for what it grows meanwhile.
constexpr int steps_an_estimate = 25;
constexpr double room = 1.1;

/// Rounding grows as s^2 through the stages: 1e-9 at this number.
constexpr int most_stages = 2000;

/// Runge-Kutta-Chebyshev of order 1 or 2 with given or, from estimates of the sharpness, automatic stages.
template <int order>
class StabilisedStepper final : public OneStep {
 public:
  StabilisedStepper(const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : OneStep(flow, settings, y0, horizon),
        stages_(settings.stages.value_or(0)),
        seed_(settings.batch.seed),
        chebyshev_(order, std::max(stages_, order)) {
    require(stages_ > 0 || flow.self_adjoint(),
            "scheme.stages: the sharpness of this flow cannot be estimated, so that their number must be given");
  }

 private:
  Attempt attempt(double h) override {
    if (!start_known_) velocity(Part::all, y_, first_);
    start_known_ = true;
    if (stages_ == 0) {
      const int stages = stages_for(h);
      if (stages > most_stages)
        return {false, "step x sharpness = " + to_text(h * sharpness_) + " needs more than " +
                           std::to_string(most_stages) + " stages; try a smaller scheme.step"};
      if (stages != chebyshev_.stages()) chebyshev_ = Chebyshev(order, stages);
    }
    march(h);
    if (!adaptive()) return {};
    velocity(Part::all, next_, slope_);
    // Sommeijer, Shampine, Verwer 1997, (2.9).
    const Vector error = .8 * (y_ - next_) + .4 * h * (first_ + slope_);
    return {true, {}, scaled(error)};
  }

  /// The slope at the end is the one at the next start, unless the batch changes.
  void accept() override {
    start_known_ = adaptive() && now_.batch.empty();
    if (start_known_) first_.swap(slope_);
  }

  void save(std::vector<Vector>& vectors, std::vector<double>& numbers) const override {
    vectors.push_back(first_);
    numbers.insert(numbers.end(), {start_known_ ? 1. : 0., sharpness_, static_cast<double>(estimated_at_)});
  }
  void load(std::span<const Vector> vectors, std::span<const double> numbers) override {
    first_ = vectors[0];
    start_known_ = numbers[0] == 1;
    sharpness_ = numbers[1];
    estimated_at_ = static_cast<std::int64_t>(numbers[2]);
  }

  int stages_for(double h) {
    const bool again = now_.step == attempted_at_ && estimated_at_ < now_.step;  // after a rejection
    attempted_at_ = now_.step;
    if (estimated_at_ < 0 || again || now_.step >= estimated_at_ + steps_an_estimate) {
      const Sharpness found = sharpness(flow_, Part::all, {now_.time, now_.step, {}}, y_, .05, seed_);
      work_.products += found.products;
      sharpness_ = room * std::max(0., found.bound());
      estimated_at_ = now_.step;
    }
    const double limit = h * sharpness_;
    if (!(limit < chebyshev_limit_)) return most_stages + 1;
    return chebyshev_stages(order, limit);
  }

  /// next_ <- the last stage.
  void march(double h) {
    before_ = y_;
    next_ = y_ + h * chebyshev_.first_slope() * first_;
    for (int j = 2; j <= chebyshev_.stages(); ++j) {
      const auto [mu, nu, slope, start] = chebyshev_.stage(j);
      velocity(Part::all, next_, slope_);
      before_ = (1 - mu - nu) * y_ + mu * next_ + nu * before_ + h * (slope * slope_ + start * first_);
      next_.swap(before_);
    }
  }

  const int stages_;
  const std::uint64_t seed_;
  Chebyshev chebyshev_;
  const double chebyshev_limit_ = Chebyshev(order, most_stages).limit();
  double sharpness_ = 0;
  std::int64_t estimated_at_ = -1, attempted_at_ = -1;
  bool start_known_ = false;
  Vector first_ = Vector::Zero(y_.size()), slope_ = first_, before_ = first_;
};

template <int order>
double limit(const SchemeSettings& settings) {
  if (settings.stages) return Chebyshev(order, *settings.stages).limit();
  return std::numeric_limits<double>::infinity();  // stages are added as the step needs them
}

template <int order>
void check(const SchemeSettings& settings) {
  require(!settings.stages || (*settings.stages >= order && *settings.stages <= most_stages),
          "scheme.stages: rkc" + std::to_string(order) + " has from " + std::to_string(order) + " to " +
              std::to_string(most_stages) + " stages, not " + std::to_string(settings.stages.value_or(0)));
}

constexpr SchemeRow rows[] = {
    {.name = "rkc1",
     .family = "stabilised",
     .what = "Runge-Kutta-Chebyshev, as many stages as the sharpness asks for",
     .order = 1,
     .linearises = true,
     .make = make_stepper<StabilisedStepper<1>>,
     .check = check<1>,
     .limit = limit<1>},
    {.name = "rkc2",
     .family = "stabilised",
     .what = "Runge-Kutta-Chebyshev of second order (Sommeijer, Shampine, Verwer 1997)",
     .order = 2,
     .adaptive = true,
     .linearises = true,
     .make = make_stepper<StabilisedStepper<2>>,
     .check = check<2>,
     .limit = limit<2>},
};

}  // namespace

std::span<const SchemeRow> stabilised_schemes() { return rows; }

}  // namespace thalweg
