#include <cmath>
#include <limits>

#include "../network.hpp"
#include "rows.hpp"

namespace thalweg::bench {
namespace {

/// A gradient, and the size that its time should be proportional to.
struct Sized {
  double size;
  Task gradient;
};

Task gradient(Index width, Index samples) {
  const auto net = std::make_shared<test::Network>(ModelSpec{.hidden = {width, width}}, 2, samples);
  return
      [net, theta = net->model.start(5), g = Vector(net->model.size())]() mutable { net->risk.gradient(theta, {}, g); };
}

double parameters(Index width) { return static_cast<double>(width * width + 5 * width + 1); }

/// The slope of ln time against ln size by least squares, as the ratio; the time is the largest one's.
Result exponent(const std::vector<Sized>& all) {
  std::vector<Task> tasks;
  for (const Sized& s : all) tasks.push_back(s.gradient);
  const auto seconds = shortest(tasks);
  Matrix line(std::ssize(all), 2);
  Vector height(std::ssize(all));
  for (std::size_t i = 0; i < all.size(); ++i) {
    line.row(static_cast<Index>(i)) << 1, std::log(all[i].size);
    height[static_cast<Index>(i)] = std::log(seconds[i]);
  }
  const Vector fit = (line.transpose() * line).inverse() * (line.transpose() * height);
  return {seconds.back(), fit[1], std::numeric_limits<double>::quiet_NaN()};
}

Result in_samples() {
  std::vector<Sized> all;
  for (const Index samples : {1'000, 10'000, 100'000})
    all.push_back({static_cast<double>(samples), gradient(32, samples)});
  return exponent(all);
}

Result in_parameters() {
  std::vector<Sized> all;
  for (const Index width : {32, 64, 128, 256}) all.push_back({parameters(width), gradient(width, 1000)});
  return exponent(all);
}

}  // namespace

std::vector<Row> growth_rows() {
  // A hundredfold problem may take 1.26 times its share before it counts as more than linear.
  constexpr double linear = 1.05;
  const Unit unit{"ms", 1e-3};
  return {{"gradient 2-32-32-1, N = 10^3 .. 10^5", "exponent in N", linear, unit, in_samples},
          {"gradient 2-w-w-1, w = 32 .. 256, N = 1000", "exponent in P", linear, unit, in_parameters}};
}

}  // namespace thalweg::bench
