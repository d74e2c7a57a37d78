#pragma once

#include <functional>
#include <vector>

#include "audience.hpp"
#include "thalweg/integrate/integrate.hpp"

namespace thalweg {

/// A measure of the state that ends a run where it is low enough.
struct Goal {
  Status status;
  std::function<double(In y)> excess;  // at most 0 where the goal is reached
};

/// Those of `stop`; both arguments must outlive them.
std::vector<Goal> goals(const Flow& flow, const Stop& stop);

/// The time at which a goal is reached that holds at the end of `step` and does not at its start: the right end of a
/// bracket of 1e-9 of the step, far below the error of the interpolation (Alefeld, Potra, Shi 1995).
double located(const Goal& goal, Segment& step);

}  // namespace thalweg
