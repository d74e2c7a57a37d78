#pragma once

#include <functional>
#include <span>
#include <vector>

/// Speed by comparison: on a shared machine seconds mean little, so work and what it is held against take turns in one
/// process, and the ratio of their shortest times counts.
namespace thalweg::bench {

using Task = std::function<void()>;

/// Seconds a call of each task: the shortest of at least 11 repetitions, in which the tasks take turns.
std::vector<double> shortest(std::span<const Task> tasks);

/// So many calls of a task; a yardstick is a sum of parts.
struct Part {
  Task task;
  double calls;
};

struct Result {
  double time;         // seconds a call of the work
  double ratio;        // to the yardstick; nan where there is none
  double allocations;  // on the heap in a call, once warm; nan where nobody counted

  /// The time of one of `things` that a call deals with.
  Result per(double things) const { return {time / things, ratio, allocations}; }
};

Result compare(const Task& work, const std::vector<Part>& yardstick);

}  // namespace thalweg::bench
