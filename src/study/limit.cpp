#include <algorithm>
#include <cmath>
#include <ostream>

#include "thalweg/core/file.hpp"
#include "thalweg/core/petsc.hpp"
#include "thalweg/core/table.hpp"
#include "thalweg/integrate/petsc_ts.hpp"
#include "thalweg/integrate/sharpness.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/fit.hpp"
#include "thalweg/study/limits.hpp"
#include "thalweg/study/postprocess.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;

/// Steps of the ladder where none are given.
constexpr int rungs = 6;

/// Halvings of the interval between shared times, from the first at which descent decays without overshooting.
std::vector<double> automatic_steps(const Experiment& ex, double interval) {
  const double sharp = ex.flow.self_adjoint() ? sharpness(ex.flow, Part::all, {}, ex.start()).value : 1 / interval;
  double step = interval;
  while (step * sharp > 0.5) step /= 2;
  std::vector<double> steps;
  for (int k = 0; k < rungs; ++k, step /= 2) steps.push_back(step);
  return steps;
}

std::vector<double> ladder(const Experiment& ex) {
  const Settings& s = ex.settings;
  require(s.stop.time && !s.stop.steps && !s.stop.loss && !s.stop.grad_norm && !s.stop.wall && !s.stop.gradients,
          "stop: limits are taken over a given training time; give stop.time and no other stop");
  const double interval = *s.stop.time / s.record.count;
  if (s.limit.steps.empty()) return automatic_steps(ex, interval);
  for (const double step : s.limit.steps) {
    const double count = interval / step;
    require(std::abs(count - std::round(count)) < 1e-9 * count && count > 0.5,
            "limit.steps: " + to_text(step) + " does not divide the interval " + to_text(interval) +
                " between the record.count shared times");
  }
  return s.limit.steps;
}

struct Fit {
  std::string series;
  OrderFit order;
};

/// A fit a series; sampled errors below two standard errors say nothing.
std::vector<Fit> fits_of(const std::vector<LimitPoint>& points) {
  std::vector<Fit> fits;
  for (const LimitPoint& first : points) {
    const auto same = [&](const Fit& fit) { return fit.series == first.series; };
    if (std::any_of(fits.begin(), fits.end(), same)) continue;
    std::vector<double> parameters, errors, spread;
    for (const LimitPoint& p : points)
      if (p.series == first.series && p.error > 2 * p.standard_error) {
        parameters.push_back(p.parameter);
        errors.push_back(p.error);
        spread.push_back(p.standard_error);
      }
    // Relative errors of 1e-12 are rounding.
    fits.push_back(
        {first.series, fit_order(parameters, errors, {1e-12, std::numeric_limits<double>::infinity()}, spread)});
  }
  return fits;
}

std::string limit_csv(const std::vector<LimitPoint>& points) {
  std::string text = "series,parameter,error,standard_error\n";
  for (const LimitPoint& p : points)
    text += p.series + "," + to_text(p.parameter) + "," + to_text(p.error) + "," + to_text(p.standard_error) + "\n";
  return text;
}

std::string fit_csv(const std::vector<Fit>& fits) {
  std::string text = "series,order,low,high,constant,points,finest,coarsest\n";
  for (const auto& [series, f] : fits) {
    text += series;
    for (const double value : {f.order, f.low, f.high, f.constant, static_cast<double>(f.points), f.finest, f.coarsest})
      text += "," + to_text(value);
    text += "\n";
  }
  return text;
}

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

int conclude(const Settings& s, const LimitKind& kind, const std::vector<LimitPoint>& points, double seconds,
             const Console& console) {
  const auto fits = fits_of(points);
  const fs::path directory = choose_directory(s, "limit");
  open_directory(directory);
  replace_file(directory / "run.ini", ini_text(s));
  replace_file(directory / "limit.csv", limit_csv(points));
  replace_file(directory / "fit.csv", fit_csv(fits));
  RunReport report{"limit", "done", "", {}, {}, {}, seconds, console.ranks, petsc::options_in_force()};
  report.texts = {{"kind", std::string(kind.name)}, {"rate", std::string(kind.rate)}};
  for (const auto& [series, fit] : fits) report.numbers.emplace_back(series, fit.order);
  replace_file(directory / "run.json", run_json(report));
  if (s.pictures) postprocess("limit.py", directory, console);
  for (const auto& [series, f] : fits) {
    if (f.points < 2) {
      console.out << series << ": no order, for " << (f.points == 1 ? "only one error tells" : "no error tells")
                  << " itself from rounding or sampling; take more limit.runs or longer limit.steps\n";
      continue;
    }
    console.out << series << ": order " << rounded(f.order) << " [" << rounded(f.low) << ", " << rounded(f.high)
                << "] over " << f.points << " steps from " << to_text(f.finest) << " to " << to_text(f.coarsest)
                << '\n';
  }
  console.out << "results in " << directory.string() << '\n';
  if (fs::exists(directory / "report.html"))
    console.out << "report      " << (directory / "report.html").string() << '\n';
  return 0;
}

}  // namespace

int limit(const Request& request, const Console& console) {
  const auto start = std::chrono::steady_clock::now();
  Settings settings = request.settings;
  resolve(settings, request.given);
  const LimitKind& kind = find(limit_kinds(), settings.limit.kind, "limit.kind");
  require(!settings.flow.gamma, "flow.gamma: the limits are of the flow of first order; leave it out");
  const Experiment experiment(settings);
  const auto steps = ladder(experiment);
  std::vector<std::string> asked;
  for (const auto name : kind.schemes)
    for (auto& option : read_options(make_scheme(name, {}), experiment.flow)) asked.push_back(std::move(option));
  require_options_used(asked);
  choose_directory(settings, "limit");  // complains before the work begins
  const auto points = kind.measure(experiment, steps, console);
  if (console.interrupted && console.interrupted()) return 130;
  if (console.rank != 0) return 0;
  if (std::all_of(points.begin(), points.end(), [](const LimitPoint& p) { return !std::isfinite(p.error); })) {
    console.err << "thalweg: no step of limit.steps got to the end; take smaller ones\n";
    return 3;
  }
  return conclude(settings, kind, points,
                  std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), console);
}

}  // namespace thalweg
