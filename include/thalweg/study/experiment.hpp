#pragma once

#include <functional>
#include <memory>
#include <span>

#include <mpi.h>

#include "thalweg/energy/landscapes.hpp"
#include "thalweg/energy/sharded_risk.hpp"
#include "thalweg/flow/gradient_flow.hpp"
#include "thalweg/flow/heavy_ball.hpp"
#include "thalweg/integrate/integrate.hpp"
#include "thalweg/study/learning.hpp"
#include "thalweg/study/recorder.hpp"
#include "thalweg/study/settings.hpp"
#include "thalweg/study/terms.hpp"

namespace thalweg {

/// Objective, flow and scheme of resolved settings: everything a run needs, in the order it is built.
class Experiment {
 public:
  /// Throws std::invalid_argument where the settings do not go together, std::runtime_error on an unreadable file.
  /// A network's samples are dealt to `ranks`, whose calls that evaluate `lowered` or run are then collective.
  explicit Experiment(const Settings& settings, MPI_Comm ranks = MPI_COMM_SELF);
  /// The same on data that is there already, for model.kind=mlp.
  Experiment(const Settings& settings, Dataset data);
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  /// Where a run begins: random initial weights, or the landscape's own point.
  Vector start() const;
  Recorder recorder() const;
  /// When to record: record.count equal intervals where the end is known, and each record.every steps.
  Schedule schedule() const;
  Outcome run(std::span<const Watch> watches, const std::function<bool()>& interrupted = {},
              const Checkpoints& checkpoints = {}) const;

  const Settings settings;
  const std::unique_ptr<const Learning> learning;     // null for an analytic landscape
  const std::unique_ptr<const Functional> landscape;  // null for a network
  const Functional& objective;                        // the one or the other's
  const std::unique_ptr<const ShardedRisk> sharded;   // the objective on more ranks than one, else null
  const Functional& lowered;                          // what the flow lowers: the objective, sharded where it is
  const Terms terms;                                  // what diffuses it
  const std::unique_ptr<const Lattice> lattice;       // null where K has no part
  const GradientFlow flow;
  const std::unique_ptr<const HeavyBall> heavy_ball;  // null where no friction is given
  const Flow& dynamics;                               // what the scheme integrates: the one or the other
  const Scheme scheme;

 private:
  Experiment(const Settings& settings, std::unique_ptr<const Learning> learning, MPI_Comm ranks);
};

}  // namespace thalweg
