#pragma once

#include <functional>
#include <memory>
#include <span>

#include "thalweg/energy/risk.hpp"
#include "thalweg/flow/gradient_flow.hpp"
#include "thalweg/integrate/integrate.hpp"
#include "thalweg/study/recorder.hpp"
#include "thalweg/study/settings.hpp"

namespace thalweg {

/// Data, model, objective, flow and scheme of resolved settings: everything a run needs, in the order it is built.
class Experiment {
 public:
  /// Throws std::invalid_argument where the settings do not go together, std::runtime_error on an unreadable file.
  explicit Experiment(const Settings& settings);
  /// The same with data that is there already.
  Experiment(const Settings& settings, Dataset data);
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  Recorder recorder() const;
  /// When to record: record.count equal intervals where the end is known, and each record.every steps.
  Schedule schedule() const;
  Outcome run(std::span<const Watch> watches, const std::function<bool()>& interrupted = {}) const;

  const Settings settings;
  const Dataset data;
  const Loss& loss;
  const Mlp model;
  const Risk risk;
  const std::unique_ptr<const Lattice> lattice;  // null where nothing diffuses
  const GradientFlow flow;
  const Scheme scheme;
};

/// Whether flow.diffusion, a +-joined list, fills that slot.
bool diffuses(const FlowSpec& flow, std::string_view slot);

}  // namespace thalweg
