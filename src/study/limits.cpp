#include "thalweg/study/limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "thalweg/core/table.hpp"
#include "thalweg/study/crew.hpp"
#include "thalweg/study/study_run.hpp"

namespace thalweg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

constexpr std::string_view discrete_flow[] = {"sgd", "rk5dp"}, theta_flow[] = {"theta", "rk5dp"};

constexpr LimitKind rows[] = {
    {"step", "gradient descent against the gradient flow", "O(step) in max |theta|", discrete_flow, step_limit},
    {"modified", "theta methods against the flow of E + (1 - 2 theta)(step/4)|grad E|^2", "O(step^2) in max |theta|",
     theta_flow, modified_limit},
    {"noise",
     "stochastic gradient descent against its stochastic modified equations",
     "weak O(step) and O(step^2) in E f",
     {},
     noise_limit},
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

/// Fills in the errors of points, whose order is from the coarsest step: the finest ones, which take longest, go first.
std::vector<LimitPoint> measured(std::vector<LimitPoint> points, const Console& console,
                                 const std::function<double(std::size_t)>& error) {
  const auto last = static_cast<std::int64_t>(points.size()) - 1;
  const auto results = handed_out(last + 1, console, [&](std::int64_t task) {
    return std::vector<double>{error(static_cast<std::size_t>(last - task))};
  });
  if (static_cast<std::int64_t>(results.size()) <= last) return {};
  for (const auto& [task, errors] : results) points[static_cast<std::size_t>(last - task)].error = errors[0];
  return points;
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

std::map<std::int64_t, std::vector<double>> handed_out(std::int64_t tasks, const Console& console,
                                                       const std::function<std::vector<double>(std::int64_t)>& solve) {
  Progress progress(console, "limit", static_cast<double>(tasks));
  std::map<std::int64_t, std::vector<double>> results;
  Crew crew(tasks, [&](const std::string& bytes) {
    const RunRow row = unpacked(bytes);
    results[row.run] = row.measures;
    progress.at(static_cast<double>(results.size()));
  });
  together(console, [&] {
    while (!console.interrupted || !console.interrupted()) {
      const auto task = crew.next();
      if (!task) break;
      crew.send(packed({*task, "", "", solve(*task), 0, {}}));
      crew.poll();
    }
  });
  crew.finish();
  return results;
}

std::vector<LimitPoint> step_limit(const Experiment& ex, std::span<const double> steps, const Console& console) {
  require(!ex.flow.noisy(),
          "flow.diffusion: law has noise, which limit.kind=step leaves out; take another flow or limit");
  std::vector<LimitPoint> points;
  for (const double step : steps) points.push_back({"descent-flow", step});
  return measured(points, console, [&](std::size_t i) {
    const double step = steps[i];
    return deviation(ex.flow, at_step("sgd", step), ex.flow, ex.start(), step, count_of(*ex.settings.stop.time, step));
  });
}

std::vector<LimitPoint> modified_limit(const Experiment& ex, std::span<const double> steps, const Console& console) {
  const Functional& objective = objective_of(ex);
  const double scale = time_scale(ex), end = *ex.settings.stop.time;
  const GradientFlow flow(objective, nullptr, {}, scale);
  const auto& thetas = ex.settings.limit.thetas;
  for (const double theta : thetas) require(theta <= 1, "limit.thetas: " + to_text(theta) + " is not in [0, 1]");
  std::vector<LimitPoint> points;
  std::vector<double> theta_of;
  for (const double step : steps)
    for (const double theta : thetas)
      for (const char* target : {"-flow", "-modified"}) {
        points.push_back({"theta=" + to_text(theta) + target, step});
        theta_of.push_back(theta);
      }
  return measured(points, console, [&](std::size_t i) {
    const double theta = theta_of[i], step = points[i].parameter;
    // Time scaled by s multiplies the gradient of |grad E|^2 once more.
    const Modified modified(objective, (1 - 2 * theta) * step / 4 * scale);
    const GradientFlow modified_flow(modified, nullptr, {}, scale);
    const Flow& target = points[i].series.ends_with("-flow") ? flow : modified_flow;
    return deviation(flow, theta_method(theta, step), target, ex.start(), step, count_of(end, step));
  });
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
