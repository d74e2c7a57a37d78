#include "thalweg/study/experiment.hpp"

#include <algorithm>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"

namespace thalweg {
namespace {

std::unique_ptr<const Lattice> make_lattice(const FlowSpec& flow, const Mlp& model) {
  if (flow.diffusion == "none") return nullptr;
  return find(lattices(), flow.lattice, "flow.lattice").make(model.layers(), model.size(), flow.seed);
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

Experiment::Experiment(const Settings& s) : Experiment(s, make_dataset(s.data)) {}

Experiment::Experiment(const Settings& s, Dataset d)
    : settings(s),
      data(std::move(d)),
      loss(loss_for(s.model.loss, data.classes())),
      model(s.model, data.features(), logits_for(loss, data.classes())),
      risk(model, data.train, loss, s.model.weight_decay),
      lattice(make_lattice(s.flow, model)),
      flow(risk, lattice.get(), slots(s.flow), model.time_scale()),
      scheme(make_scheme(s.scheme, s.stepping)) {}

Recorder Experiment::recorder() const { return {data, model, loss, risk, flow, settings.record.probes}; }

Schedule Experiment::schedule() const {
  Schedule schedule{{}, settings.record.every};
  const StopSpec& stop = settings.stop;
  double end = stop.time.value_or(std::numeric_limits<double>::infinity());
  if (stop.steps && !adaptive(scheme)) end = std::min(end, settings.stepping.step * static_cast<double>(*stop.steps));
  if (std::isfinite(end)) schedule.times = even_times(end, settings.record.count);
  // Without a known end there are no intervals: every hundredth step instead of nothing.
  else if (schedule.every == 0)
    schedule.every = 100;
  return schedule;
}

Outcome Experiment::run(std::span<const Watch> watches, const std::function<bool()>& interrupted) const {
  const StopSpec& s = settings.stop;
  const Stop stop{s.time, s.steps, s.loss, s.grad_norm, s.wall, interrupted};
  return integrate(flow, scheme, model.start(settings.model.seed), stop, watches);
}

}  // namespace thalweg
