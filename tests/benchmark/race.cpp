#include "race.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>

#include "heap.hpp"

namespace thalweg::bench {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Seconds that this thread has had a processor, those of the system on its behalf included: what others do with the
/// machine in between does not count.
double processor_time() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_a_call(const Task& task, int calls) {
  const double start = processor_time();
  for (int i = 0; i < calls; ++i) task();
  return (processor_time() - start) / calls;
}

/// Calls that take 0.3 ms: far above the clock's resolution, far below the time slice of a scheduler.
int calls_in_a_burst(const Task& task) {
  task();
  double once = seconds_a_call(task, 1);
  for (int i = 0; i < 2; ++i) once = std::min(once, seconds_a_call(task, 1));
  return static_cast<int>(std::clamp(3e-4 / once, 1., 1e5));
}

}  // namespace

std::vector<double> shortest(std::span<const Task> tasks) {
  std::vector<int> calls;
  for (const Task& task : tasks) calls.push_back(calls_in_a_burst(task));
  std::vector<double> best(tasks.size(), std::numeric_limits<double>::infinity());
  // Half a second of short bursts meets quiet moments on a busy machine.
  const auto start = Clock::now();
  for (int repetition = 0; repetition < 11 || since(start) < .5; ++repetition)
    for (std::size_t i = 0; i < tasks.size(); ++i) best[i] = std::min(best[i], seconds_a_call(tasks[i], calls[i]));
  return best;
}

Result compare(const Task& work, const std::vector<Part>& yardstick) {
  std::vector<Task> tasks{work};
  for (const Part& part : yardstick) tasks.push_back(part.task);
  const auto seconds = shortest(tasks);
  double length = yardstick.empty() ? std::numeric_limits<double>::quiet_NaN() : 0;
  for (std::size_t i = 0; i < yardstick.size(); ++i) length += yardstick[i].calls * seconds[i + 1];
  const auto before = allocations();
  work();
  return {seconds[0], seconds[0] / length, static_cast<double>(allocations() - before)};
}

}  // namespace thalweg::bench
