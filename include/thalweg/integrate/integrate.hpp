#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg {

/// Why a solve ended. From `diverged` on its results are not what was asked for.
enum class Status { time, steps, loss, grad_norm, wall, interrupted, diverged, failed };
std::string_view name(Status status);

/// When to stop: at the first of those that are given.
struct Stop {
  std::optional<double> time;  // training time
  std::optional<std::int64_t> steps;
  std::optional<double> loss;         // energy of the whole set at or below; costs an evaluation a step
  std::optional<double> grad_norm;    // |velocity| at or below; costs a gradient a step
  std::optional<double> wall;         // seconds
  std::function<bool()> interrupted;  // asked after every step
};

struct Outcome {
  Status status = Status::time;
  Instant end;
  Vector y;
  Work work;
  std::string message;  // what happened and what to try, where `status` is not a success
};

/// Advances y' = v(y) from y0 until `stop`. Divergence and step failures are outcomes; misuse is an exception.
/// Observers of a continuous scheme see scheduled times through cubic Hermite interpolation (error O(step^4)), those
/// of a discrete one the first state at or after them; neither changes the steps.
Outcome integrate(const Flow& flow, const Scheme& scheme, In y0, const Stop& stop, std::span<const Watch> watches = {});

}  // namespace thalweg
