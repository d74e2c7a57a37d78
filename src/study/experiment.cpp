#include "thalweg/study/experiment.hpp"

#include <algorithm>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"

namespace thalweg {
namespace {

std::unique_ptr<const Learning> make_learning(const Settings& s) {
  return learns(s) ? std::make_unique<const Learning>(s, make_dataset(s.data)) : nullptr;
}

std::unique_ptr<const Functional> make_landscape(const Settings& s) {
  if (learns(s)) return nullptr;
  return landscape_for(s.model_kind, landscape_spec(s)).make(landscape_spec(s));
}

std::unique_ptr<const ShardedRisk> deal(const Settings& s, const Learning* learning, MPI_Comm ranks) {
  if (!learning || ranks == MPI_COMM_SELF) return nullptr;
  return std::make_unique<const ShardedRisk>(learning->model, learning->data.train, learning->loss,
                                             s.model.weight_decay, ranks);
}

std::unique_ptr<const Lattice> make_lattice(const Settings& s, const Learning* learning, Index size) {
  if (!diffuses(s.flow, "weights") && !diffuses(s.flow, "gradient")) return nullptr;
  require(learning || s.flow.lattice != "neurons",
          "flow.lattice: neurons are the hidden units of a network, and model.kind=" + s.model_kind +
              " has none; take chain, ring or permuted");
  const auto layers = learning ? learning->model.layers() : std::span<const Layer>();
  return find(lattices(), s.flow.lattice, "flow.lattice").make(layers, size, s.flow.seed);
}

Slots slots(const FlowSpec& flow, const Terms& terms) {
  return {diffuses(flow, "weights") ? flow.nu : 0, diffuses(flow, "gradient") ? flow.sigma : 0, flow.power,
          diffuses(flow, "law") ? flow.tau : 0, terms.smoothing.get()};
}

bool adaptive(const Scheme& scheme) { return scheme.settings.rtol || scheme.settings.atol; }

}  // namespace

Learning::Learning(const Settings& s, Dataset d)
    : data(std::move(d)),
      loss(loss_for(s.model.loss, data.classes())),
      model(s.model, data.features(), logits_for(loss, data.classes())),
      risk(model, data.train, loss, s.model.weight_decay) {}

Experiment::Experiment(const Settings& s, MPI_Comm ranks) : Experiment(s, make_learning(s), ranks) {}

Experiment::Experiment(const Settings& s, Dataset data)
    : Experiment(s, std::make_unique<const Learning>(s, std::move(data)), MPI_COMM_SELF) {}

Experiment::Experiment(const Settings& s, std::unique_ptr<const Learning> problem, MPI_Comm ranks)
    : settings(s),
      learning(std::move(problem)),
      landscape(make_landscape(s)),
      objective(learning ? learning->risk : *landscape),
      sharded(deal(s, learning.get(), ranks)),
      lowered(sharded ? static_cast<const Functional&>(*sharded) : objective),
      terms(s, learning.get(), lowered),
      lattice(make_lattice(s, learning.get(), objective.size())),
      flow(terms.energy, lattice.get(), slots(s.flow, terms), learning ? learning->model.time_scale() : 1),
      heavy_ball(s.flow.gamma ? std::make_unique<const HeavyBall>(flow, *s.flow.gamma) : nullptr),
      dynamics(heavy_ball ? static_cast<const Flow&>(*heavy_ball) : flow),
      scheme(make_scheme(s.scheme, s.stepping)) {
  require(heavy_ball || !scheme.row.second_order, "scheme.name: " + s.scheme +
                                                      " steps theta'' + gamma theta' = -grad E; give flow.gamma, or "
                                                      "take a scheme of first order");
  require_fits(scheme, dynamics);
}

Vector Experiment::start() const {
  if (learning) return learning->model.start(settings.model.seed);
  return landscape_for(settings.model_kind, landscape_spec(settings)).start(landscape_spec(settings));
}

Recorder Experiment::recorder() const { return {learning.get(), lowered, dynamics, scheme, settings.record.probes}; }

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

Outcome Experiment::run(std::span<const Watch> watches, const std::function<bool()>& interrupted,
                        const Checkpoints& checkpoints) const {
  const StopSpec& s = settings.stop;
  const Stop stop{s.time, s.steps, s.loss, s.grad_norm, s.gradients, s.wall, interrupted};
  // A heavy ball starts at rest and ends, for all who ask, where its parameters are.
  Vector y = Vector::Zero(dynamics.size());
  y.head(flow.size()) = start();
  Outcome outcome = integrate(dynamics, scheme, y, stop, watches, checkpoints);
  outcome.y.conservativeResize(flow.size());
  return outcome;
}

}  // namespace thalweg
