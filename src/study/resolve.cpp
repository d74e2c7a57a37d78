#include <algorithm>
#include <cmath>

#include <unistd.h>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {
namespace {

/// A discrete twin brings its diffusion along; stating another one is a contradiction.
void resolve_twin(Settings& s, const std::map<std::string, std::string>& given) {
  const SchemeRow& row = find(schemes(), s.scheme, "scheme.name");
  if (row.twin.empty() || diffuses(s.flow, row.twin)) return;
  require(!given.contains("flow.diffusion"), "scheme.name: " + s.scheme + " is the discrete twin of flow.diffusion=" +
                                                 std::string(row.twin) + ", not of " + s.flow.diffusion);
  s.flow.diffusion = row.twin;
}

/// A cosine lasts from the warm-up to the end of the run.
void resolve_period(Settings& s) {
  StepSchedule& schedule = s.stepping.schedule;
  if (schedule.kind == "cosine" && !schedule.period && s.stop.steps)
    schedule.period = std::max<std::int64_t>(1, *s.stop.steps - schedule.warmup);
}

/// Parameters of a landscape, or of a network with two inputs and one output, about.
double parameters(const Settings& s) {
  const ModelSpec& model = s.model;
  if (!learns(s)) return static_cast<double>(s.landscape.dimension);
  double count = 0, inputs = 2;
  for (const Index units : model.hidden) {
    count += (inputs + 1) * static_cast<double>(units);
    inputs = static_cast<double>(units);
  }
  return count + inputs + 1;
}

/// Nodes of the surface.
double nodes(const SurfaceSpec& spec) {
  double count = 1;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(spec.dimensions); ++axis)
    count *= spec.size[std::min(axis, spec.size.size() - 1)];
  return count;
}

/// Refuses what this machine cannot hold, before the kernel ends the run without a word. Bytes, as measured: 400 a
/// sample, most of them text of data.csv on its way; theta and the probes at each recorded state, and thirty times
/// theta's size for the scheme and for weights.csv; four values a node.
void require_memory(const Settings& s) {
  const double samples = !learns(s)
                             ? 0
                             : static_cast<double>(s.data.samples) + static_cast<double>(s.data.validation_samples) +
                                   static_cast<double>(s.data.test_samples);
  const std::pair<const char*, double> needs[] = {
      {"data.samples", 400 * samples},
      {learns(s) ? "model.hidden, record.count" : "model.dimension, record.count",
       8 * (parameters(s) + 20) * (s.record.count + 30.0)},
      {"model.dimension", learns(s) || !s.landscape.rotated ? 0 : 16 * std::pow(parameters(s), 2)},
      {"surface.size", 32 * nodes(s.surface)},
      {"decision.size", 32 * std::pow(s.decision_size, 2)},
  };
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  for (const auto& [keys, bytes] : needs)
    require(bytes < memory, std::string(keys) + ": would need " + to_text(std::round(bytes / 1e9)) +
                                " GB of memory, this machine has " + to_text(std::round(memory / 1e9)));
}

}  // namespace

void resolve(Settings& s, const std::map<std::string, std::string>& given) {
  resolve_twin(s, given);
  resolve_period(s);
  s.stepping = make_scheme(s.scheme, s.stepping).settings;
  require_combinable(s);
  if (const StopSpec& stop = s.stop;
      !stop.time && !stop.steps && !stop.gradients && !stop.loss && !stop.grad_norm && !stop.wall)
    s.stop.time = 100;
  if (s.stop.time) StepSizes(s.stepping.schedule, s.stepping.step).require_reaching(*s.stop.time);
  require_memory(s);
  require(learns(s) || s.surface.precision == "double",
          "surface.precision: " + s.surface.precision + " is for the loss of a network; model.kind=" + s.model_kind +
              " takes double");
  for (const int size : s.surface.size) require(size % 2 == 1, "surface.size: " + std::to_string(size) + " is not odd");
  require(s.data.kind == "csv" ? !s.data.file.empty() : true, "data.file: data.kind=csv needs a file");
  require(s.data.file.empty() || s.data.kind == "csv",
          "data.file: " + s.data.file + " is read with data.kind=csv only, not with " + s.data.kind);
}

}  // namespace thalweg
