#include "goal.hpp"

#include <cmath>

#include <boost/math/tools/toms748_solve.hpp>

namespace thalweg {

std::vector<Goal> goals(const Flow& flow, const Stop& stop) {
  std::vector<Goal> all;
  if (stop.loss) all.push_back({Status::loss, [&](In y) { return flow.energy(y).value_or(INFINITY) - *stop.loss; }});
  if (stop.grad_norm)
    all.push_back({Status::grad_norm, [&](In y) {
                     Vector v(flow.size());
                     flow.velocity(Part::all, {}, y, v);
                     return v.norm() - *stop.grad_norm;
                   }});
  return all;
}

double located(const Goal& goal, Segment& step) {
  const double start = step.start().time, end = step.end_time(), width = 1e-9 * (end - start);
  const auto narrow = [width](double a, double b) { return b - a <= width; };
  const auto excess = [&](double time) { return goal.excess(step(time)); };
  std::uintmax_t evaluations = 100;  // some ten are enough where the measure is smooth
  return boost::math::tools::toms748_solve(excess, start, end, narrow, evaluations).second;
}

}  // namespace thalweg
