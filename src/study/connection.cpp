#include "connection.hpp"

#include <algorithm>

#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

/// The mean over sixteen points; a finer rule moves the bend by less than its training does.
constexpr int curve_nodes = 16;

Bezier trained_bezier(const Functional& objective, const Vector& a, const Vector& b, double time,
                      const Console& console) {
  const BezierRisk risk(objective, a, b, curve_nodes);
  const GradientFlow flow(risk, nullptr, {});
  SchemeSettings settings;
  // Only the end matters: a stiff scheme whose steps grow as the curve settles.
  settings.step = 1e-2;
  settings.rtol = 1e-2;
  settings.atol = 1e-3;
  Stop stop;
  stop.time = time;
  stop.interrupted = console.interrupted;
  const Outcome outcome = integrate(flow, make_scheme("bdf2", settings), (a + b) / 2, stop);
  require(outcome.y.allFinite(), "surface.bezier: the path between the two runs diverged");
  return {a, b, outcome.y};
}

}  // namespace

Measures::Measures(const Experiment& ex) : experiment_(ex), sampled_(ex), columns_{"loss"} {
  for (const auto& name : ex.settings.surface.values) {
    const Probe& probe = find(probes(), name, "surface.values");
    require(!probe.path, "surface.values: " + name + " is a measure of a path, not of a point");
    require(ex.learning || !probe.data,
            "surface.values: " + name + " needs a network on data, not model.kind=" + ex.settings.model_kind);
    if (name != "loss") columns_.push_back(name);
  }
}

void Measures::measure(const Vector& y, double* values) const {
  if (columns_.size() == 1) {
    values[0] = (*sampled_).value(y, {});
    return;
  }
  Recorder recorder(experiment_.learning.get(), experiment_.objective, experiment_.flow, experiment_.scheme, columns_);
  recorder.see({{}, y, {}, y});
  for (std::size_t j = 0; j < columns_.size(); ++j) values[j] = recorder.last(columns_[j]);
  // The gradient's pass may round the loss otherwise than the loss's own.
  values[0] = (*sampled_).value(y, {});
}

SurfacePlan plan_surface(const FinishedRun& run, const Console& console) {
  const Experiment& ex = run.experiment();
  const SurfaceSpec& spec = ex.settings.surface;
  SurfacePlan plan;
  plan.paths.push_back(run.path(console));
  std::vector<Vector> others;
  for (const auto& directory : spec.runs) {
    const FinishedRun other(FinishedRun::settings_of(directory));
    require(other.theta().size() == run.theta().size(), "surface.runs: " + directory + " has " +
                                                            std::to_string(other.theta().size()) + " parameters, not " +
                                                            std::to_string(run.theta().size()));
    plan.paths.push_back(other.path(console));
    others.push_back(other.theta());
  }
  require(spec.bezier == 0 || !others.empty(), "surface.bezier: a path needs a second run in surface.runs");
  std::vector<std::string> names;
  for (std::size_t k = 0; k < others.size(); ++k) names.push_back("run " + std::to_string(k + 2));
  plan.others = others;
  if (spec.bezier > 0) {
    plan.bezier = trained_bezier(ex.objective, run.theta(), others[0], spec.bezier, console);
    // The plane of the two ends and the bend holds the whole curve.
    others = {others[0], plan.bezier->c};
    names = {names[0], "the bend of the path"};
  }
  // The slice goes through the weights as they were written, which the path repeats.
  std::vector<Vector> states = plan.paths[0].states;
  if (states.empty() || states.back() != run.theta()) states.push_back(run.theta());
  DirectionSource source = direction_source(ex, states);
  source.others = others;
  source.names = names;
  plan.slice = make_slice(spec.directions, source, spec.dimensions);
  std::vector<Vector> shown;
  for (const Trajectory& path : plan.paths) shown.insert(shown.end(), path.states.begin(), path.states.end());
  plan.grid = grid_for(spec, plan.slice, shown);
  return plan;
}

}  // namespace thalweg
