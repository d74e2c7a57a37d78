#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "thalweg/flow/flow.hpp"

namespace thalweg {

/// What a solve has cost so far.
struct Work {
  std::int64_t steps = 0, rejected = 0;
  std::int64_t gradients = 0, products = 0;  // of the whole or of a batch's mean
  std::int64_t nonlinear_iterations = 0, linear_iterations = 0;
  double seconds = 0;                    // inside the scheme; what goals, observers and checkpoints take is left out
  std::optional<double> error;           // the norm of the state's error, where the scheme estimates it
  std::optional<double> carried_energy;  // what the scheme lowers in E's place, where it carries one of its own
};

/// A state as an observer sees it.
struct Frame {
  Instant at;
  const Vector& y;  // the parameters
  const Work& work;
  const Vector& state;  // with the momentum of a flow of second order; otherwise the same
};

/// Watches a solve and never changes its result.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void see(const Frame& frame) = 0;
};

/// When an observer looks: always at the start and the end, and in between at `times` (ascending) and after each
/// `every` steps (0: never).
struct Schedule {
  std::vector<double> times;
  std::int64_t every = 0;
};

/// `count` equal intervals of [0, end].
std::vector<double> even_times(double end, int count);

struct Watch {
  Schedule when;
  Observer& who;
};

/// The recorded states, one a row, with their times and steps.
class Trajectory final : public Observer {
 public:
  void see(const Frame& frame) override;

  std::vector<double> times;
  std::vector<std::int64_t> steps;
  std::vector<Vector> states;
};

}  // namespace thalweg
