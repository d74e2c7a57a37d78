#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg {

/// Why a solve ended. From `diverged` on its results are not what was asked for.
enum class Status { time, steps, gradients, loss, grad_norm, wall, interrupted, diverged, failed };
std::string_view name(Status status);

/// When to stop: at the first of those that are given. A continuous scheme locates the time at which loss or grad_norm
/// is reached within a step, to 1e-9 of the step, on the cubic Hermite polynomial that recording interpolates with; a
/// discrete one stops at the first state that reaches it. All other rules hold between steps.
struct Stop {
  std::optional<double> time;  // training time
  std::optional<std::int64_t> steps;
  std::optional<double> loss;             // energy of the whole set at or below; costs an evaluation a step
  std::optional<double> grad_norm;        // |velocity| at or below; costs a gradient a step
  std::optional<std::int64_t> gradients;  // taken by the scheme, at or above
  std::optional<double> wall;             // seconds
  std::function<bool()> interrupted;      // asked after every step
};

struct Outcome {
  Status status = Status::time;
  Instant end;  // its step: the whole steps before it
  Vector y;
  Work work;
  std::string message;  // what happened and what to try, where `status` is not a success
};

/// A solve after one of its steps, with what the driver knows besides: a run continued from here ends in the same bits
/// as one that was never interrupted.
struct Checkpoint {
  /// What the verdict on the length of the steps rests on: the longest, and a state that is still tame.
  struct Judged {
    double longest = 0;
    Vector tame;
  };
  Snapshot solve;
  std::vector<double> seen;  // the time of the last state that each observer was shown
  Judged judged;
  double wall = 0;  // seconds so far
};

/// When to keep a checkpoint, and where to go on from. Steppers that say `restarts` start anew at each, in the run
/// that goes on as in the one that comes back, so that for them `every` decides the steps.
struct Checkpoints {
  std::int64_t every = 0;  // steps; 0: never
  std::function<void(const Checkpoint&)> keep = {};
  const Checkpoint* from = nullptr;  // null: from y0
};

/// Advances y' = v(y) from y0 until `stop`. Divergence and step failures are outcomes; misuse is an exception.
/// Observers of a continuous scheme see scheduled times through cubic Hermite interpolation (error O(step^4)), those
/// of a discrete one the first state at or after them; neither changes the steps. One that goes on from a checkpoint
/// takes the same arguments again and shows its observers only what those of the interrupted run had not seen by then.
Outcome integrate(const Flow& flow, const Scheme& scheme, In y0, const Stop& stop, std::span<const Watch> watches = {},
                  const Checkpoints& checkpoints = {});

}  // namespace thalweg
