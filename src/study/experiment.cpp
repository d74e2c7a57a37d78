#include "thalweg/study/experiment.hpp"

#include <algorithm>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"

namespace thalweg {
namespace {

std::unique_ptr<const Learning> make_learning(const Settings& s) {
  return learns(s) ? std::make_unique<const Learning>(s, make_dataset(s.data)) : nullptr;
}

LandscapeSpec spec_of(const Settings& s) {
  LandscapeSpec spec = s.landscape;
  spec.seed = s.model.seed;
  return spec;
}

std::unique_ptr<const Functional> make_landscape(const Settings& s) {
  if (learns(s)) return nullptr;
  return landscape_for(s.model_kind, spec_of(s)).make(spec_of(s));
}

std::unique_ptr<const Lattice> make_lattice(const Settings& s, const Learning* learning, Index size) {
  if (s.flow.diffusion == "none") return nullptr;
  require(learning || s.flow.lattice != "neurons",
          "flow.lattice: neurons are the hidden units of a network, and model.kind=" + s.model_kind +
              " has none; take chain, ring or permuted");
  const auto layers = learning ? learning->model.layers() : std::span<const Layer>();
  return find(lattices(), s.flow.lattice, "flow.lattice").make(layers, size, s.flow.seed);
}

Slots slots(const FlowSpec& flow) {
  return {diffuses(flow, "weights") ? flow.nu : 0, diffuses(flow, "gradient") ? flow.sigma : 0, flow.power};
}

bool adaptive(const Scheme& scheme) { return scheme.settings.rtol || scheme.settings.atol; }

}  // namespace

bool diffuses(const FlowSpec& flow, std::string_view slot) {
  const auto filled = split_list(flow.diffusion, '+');
  return std::find(filled.begin(), filled.end(), slot) != filled.end();
}

Learning::Learning(const Settings& s, Dataset d)
    : data(std::move(d)),
      loss(loss_for(s.model.loss, data.classes())),
      model(s.model, data.features(), logits_for(loss, data.classes())),
      risk(model, data.train, loss, s.model.weight_decay) {}

Experiment::Experiment(const Settings& s) : Experiment(s, make_learning(s)) {}

Experiment::Experiment(const Settings& s, Dataset data)
    : Experiment(s, std::make_unique<const Learning>(s, std::move(data))) {}

Experiment::Experiment(const Settings& s, std::unique_ptr<const Learning> problem)
    : settings(s),
      learning(std::move(problem)),
      landscape(make_landscape(s)),
      objective(learning ? learning->risk : *landscape),
      lattice(make_lattice(s, learning.get(), objective.size())),
      flow(objective, lattice.get(), slots(s.flow), learning ? learning->model.time_scale() : 1),
      heavy_ball(s.flow.gamma ? std::make_unique<const HeavyBall>(flow, *s.flow.gamma) : nullptr),
      dynamics(heavy_ball ? static_cast<const Flow&>(*heavy_ball) : flow),
      scheme(make_scheme(s.scheme, s.stepping)) {
  require(heavy_ball || !scheme.row.second_order, "scheme.name: " + s.scheme +
                                                      " steps theta'' + gamma theta' = -grad E; give flow.gamma, or "
                                                      "take a scheme of first order");
}

Vector Experiment::start() const {
  if (learning) return learning->model.start(settings.model.seed);
  return landscape_for(settings.model_kind, spec_of(settings)).start(spec_of(settings));
}

Recorder Experiment::recorder() const { return {learning.get(), objective, dynamics, scheme, settings.record.probes}; }

Schedule Experiment::schedule() const {
  Schedule schedule{{}, settings.record.every};
  const StopSpec& stop = settings.stop;
  double end = stop.time.value_or(std::numeric_limits<double>::infinity());
  if (stop.steps && !adaptive(scheme))
    end = std::min(end, StepSizes(settings.stepping.schedule, settings.stepping.step).span(*stop.steps, end));
  if (std::isfinite(end)) schedule.times = even_times(end, settings.record.count);
  // Without a known end there are no intervals: every hundredth step instead of nothing.
  else if (schedule.every == 0)
    schedule.every = 100;
  return schedule;
}

Outcome Experiment::run(std::span<const Watch> watches, const std::function<bool()>& interrupted) const {
  const StopSpec& s = settings.stop;
  const Stop stop{s.time, s.steps, s.loss, s.grad_norm, s.wall, interrupted};
  // A heavy ball starts at rest and ends, for all who ask, where its parameters are.
  Vector y = Vector::Zero(dynamics.size());
  y.head(flow.size()) = start();
  Outcome outcome = integrate(dynamics, scheme, y, stop, watches);
  outcome.y.conservativeResize(flow.size());
  return outcome;
}

}  // namespace thalweg
