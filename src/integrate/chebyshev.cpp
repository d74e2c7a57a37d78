#include "thalweg/integrate/chebyshev.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

Chebyshev::Chebyshev(int order, int stages) : w0_(1 + (order == 1 ? .05 : 2. / 13) / (stages * stages)) {
  const auto count = static_cast<std::size_t>(stages) + 1;
  // T_j, its first and its second derivative at w0.
  std::vector<double> first(count, 0), second(count, 0);
  t_.assign(count, 1);
  b_.resize(count);
  t_[1] = w0_;
  first[1] = 1;
  for (std::size_t j = 2; j < count; ++j) {
    t_[j] = 2 * w0_ * t_[j - 1] - t_[j - 2];
    first[j] = 2 * t_[j - 1] + 2 * w0_ * first[j - 1] - first[j - 2];
    second[j] = 4 * first[j - 1] + 2 * w0_ * second[j - 1] - second[j - 2];
  }
  w1_ = order == 1 ? t_.back() / first.back() : first.back() / second.back();
  for (std::size_t j = 0; j < count; ++j) b_[j] = order == 1 ? 1 / t_[j] : second[j] / (first[j] * first[j]);
  if (order == 2) b_[0] = b_[1] = b_[2];
}

Chebyshev::Stage Chebyshev::stage(int stage) const {
  const auto j = static_cast<std::size_t>(stage);
  const double ratio = b_[j] / b_[j - 1], slope = 2 * ratio * w1_;
  return {2 * ratio * w0_, -b_[j] / b_[j - 2], slope, -(1 - b_[j - 1] * t_[j - 1]) * slope};
}

/// From just below the asymptotic number upwards: the damped limit lies under 2 s^2 and 2 s^2/3.
int chebyshev_stages(int order, double limit) {
  int stages = std::max(order, static_cast<int>(std::sqrt(std::max(0., limit) * (order == 1 ? .5 : 1.5))));
  while (Chebyshev(order, stages).limit() < limit) ++stages;
  return stages;
}

}  // namespace thalweg
