#include "thalweg/study/limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

constexpr LimitKind rows[] = {
    {"step", "gradient descent against the gradient flow", "O(step) in max |theta|", step_limit},
    {"modified", "theta methods against the flow of E + (1 - 2 theta)(step/4)|grad E|^2", "O(step^2) in max |theta|",
     modified_limit},
    {"noise", "stochastic gradient descent against its stochastic modified equations",
     "weak O(step) and O(step^2) in E f", noise_limit},
};

/// The finer grid on which the flow itself is solved: a step of order five at 1/16 is 1e6 times below one of order one.
constexpr int refinement = 16;

Scheme at_step(std::string_view name, double step) {
  SchemeSettings settings;
  settings.step = step;
  return make_scheme(name, settings);
}

std::int64_t count_of(double end, double step) { return std::llround(end / step); }

/// max_k |a_k - b_k| over max_k |b_k| of two solves at the multiples of `step`, the second with `refinement` steps to
/// one of the first. Neither is stored.
double deviation(const Flow& discrete, const Scheme& scheme, const Flow& continuous, In y0, double step,
                 std::int64_t steps) {
  const double end = step * static_cast<double>(steps);
  const Scheme fine = at_step("rk5dp", step / refinement);
  const auto coarse = scheme.row.make(discrete, scheme.settings, y0, end);
  const auto exact = fine.row.make(continuous, fine.settings, y0, end);
  double largest = 0, size = y0.norm();
  for (std::int64_t k = 0; k < steps; ++k) {
    if (!coarse->advance().ok) return nan;
    for (int j = 0; j < refinement; ++j)
      if (!exact->advance().ok) return nan;
    largest = std::max(largest, (coarse->state() - exact->state()).norm());
    size = std::max(size, exact->state().norm());
    if (!std::isfinite(largest)) return nan;
  }
  return largest / size;
}

Scheme theta_method(double theta, double step) {
  SchemeSettings settings;
  settings.step = step;
  settings.theta = theta;
  return make_scheme("theta", settings);
}

const Functional& objective_of(const Experiment& ex) {
  require(ex.flow.symmetric() && !ex.flow.stiff() && !ex.flow.noisy(),
          "flow.diffusion: " + ex.settings.flow.diffusion + ", but this limit is of the plain gradient flow, none");
  return ex.objective;
}

double time_scale(const Experiment& ex) { return ex.learning ? ex.learning->model.time_scale() : 1; }

}  // namespace

std::span<const LimitKind> limit_kinds() { return rows; }

double Modified::value(In y, Batch batch) const {
  Vector g(y.size());
  const double e = functional_.gradient(y, batch, g);
  return e + c_ * g.squaredNorm();
}

double Modified::gradient(In y, Batch batch, Out g) const {
  Vector plain(y.size()), product(y.size());
  const double e = functional_.gradient(y, batch, plain);
  functional_.hvp(y, batch, plain, product);
  g = plain + 2 * c_ * product;
  return e + c_ * plain.squaredNorm();
}

void Modified::hvp(In y, Batch batch, In w, Out hw) const {
  // Truncation h^2 and rounding 1e-16/h balance near h = 1e-5.
  const double h = 1e-5 / std::max(w.norm(), 1e-300);
  Vector up(y.size()), down(y.size());
  gradient(y + h * w, batch, up);
  gradient(y - h * w, batch, down);
  hw = (up - down) / (2 * h);
}

std::vector<LimitPoint> step_limit(const Experiment& ex, std::span<const double> steps, const Console& console) {
  std::vector<LimitPoint> points;
  if (console.rank != 0) return points;  // a matter of seconds
  const double end = *ex.settings.stop.time;
  Progress progress(console, "limit", static_cast<double>(steps.size()));
  for (const double step : steps) {
    const Scheme descent = at_step("sgd", step);
    points.push_back(
        {"descent-flow", step, deviation(ex.flow, descent, ex.flow, ex.start(), step, count_of(end, step)), 0});
    progress.at(static_cast<double>(points.size()));
  }
  return points;
}

std::vector<LimitPoint> modified_limit(const Experiment& ex, std::span<const double> steps, const Console& console) {
  const Functional& objective = objective_of(ex);
  const double scale = time_scale(ex), end = *ex.settings.stop.time;
  const GradientFlow flow(objective, nullptr, {}, scale);
  std::vector<LimitPoint> points;
  if (console.rank != 0) return points;
  const auto& thetas = ex.settings.limit.thetas;
  for (const double theta : thetas) require(theta <= 1, "limit.thetas: " + to_text(theta) + " is not in [0, 1]");
  Progress progress(console, "limit", static_cast<double>(2 * thetas.size() * steps.size()));
  for (const double theta : thetas)
    for (const double step : steps) {
      // Time scaled by s multiplies the gradient of |grad E|^2 once more.
      const Modified modified(objective, (1 - 2 * theta) * step / 4 * scale);
      const GradientFlow modified_flow(modified, nullptr, {}, scale);
      const Scheme scheme = theta_method(theta, step);
      const std::string name = "theta=" + to_text(theta);
      const auto steps_there = count_of(end, step);
      for (const auto& [series, target] :
           {std::pair<const char*, const Flow*>{"-flow", &flow}, {"-modified", &modified_flow}}) {
        points.push_back({name + series, step, deviation(flow, scheme, *target, ex.start(), step, steps_there), 0});
        progress.at(static_cast<double>(points.size()));
      }
    }
  return points;
}

QuadraticMoments quadratic_moments(double h, double w0, double eta, std::int64_t k) {
  const double factor = 1 - eta * h, end = eta * static_cast<double>(k);
  // E w^2 <- factor^2 E w^2 + eta^2 h^2, summed as a geometric series.
  const double decay = std::pow(factor * factor, static_cast<double>(k));
  const double descent = decay * w0 * w0 + eta * eta * h * h * (1 - decay) / (1 - factor * factor);
  const auto diffusion = [&](double rate) {
    const double left = std::exp(-2 * rate * end);
    return left * w0 * w0 + eta * h * h * (1 - left) / (2 * rate);
  };
  return {h / 2 * descent, h / 2 * diffusion(h), h / 2 * diffusion(h + eta * h * h / 2)};
}

}  // namespace thalweg
