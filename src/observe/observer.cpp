#include "thalweg/observe/observer.hpp"

namespace thalweg {

std::vector<double> even_times(double end, int count) {
  std::vector<double> times;
  for (int i = 0; i <= count; ++i) times.push_back(end * i / count);
  return times;
}

void Trajectory::see(const Frame& frame) {
  times.push_back(frame.at.time);
  steps.push_back(frame.at.step);
  states.push_back(frame.y);
}

}  // namespace thalweg
