#include <cmath>
#include <deque>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

#include <Eigen/LU>

#include "../network.hpp"
#include "rows.hpp"

namespace thalweg::bench {
namespace {

/// A gradient of 2-width-width-1.
class Gradient {
 public:
  Gradient(Index width, Index samples)
      : net_({.hidden = {width, width}}, 2, samples), theta_(net_.model.start(5)), g_(theta_.size()) {}

  void operator()() { net_.risk.gradient(theta_, {}, g_); }
  double parameters() const { return static_cast<double>(theta_.size()); }
  double samples() const { return static_cast<double>(net_.samples.size()); }

 private:
  test::Network net_;
  Vector theta_, g_;
};

/// The slope of ln time against ln size by least squares, as the ratio; the time is that of the last gradient.
Result exponent(std::deque<Gradient>& gradients, double (Gradient::*size)() const) {
  std::vector<Task> tasks;
  Matrix line(std::ssize(gradients), 2);
  for (Gradient& gradient : gradients) {
    line.row(std::ssize(tasks)) << 1, std::log((gradient.*size)());
    tasks.emplace_back([&gradient] { gradient(); });
  }
  const auto seconds = shortest(tasks);
  const Vector height = Eigen::Map<const Vector>(seconds.data(), std::ssize(seconds)).array().log();
  const Vector fit = (line.transpose() * line).inverse() * (line.transpose() * height);
  return {seconds.back(), fit[1], std::numeric_limits<double>::quiet_NaN()};
}

Result in_samples() {
  std::deque<Gradient> gradients;
  for (const Index samples : {1'000, 10'000, 100'000}) gradients.emplace_back(32, samples);
  return exponent(gradients, &Gradient::samples);
}

Result in_parameters() {
  std::deque<Gradient> gradients;
  for (const Index width : {32, 64, 128, 256}) gradients.emplace_back(width, 1000);
  return exponent(gradients, &Gradient::parameters);
}

/// A line of /proc/self/status, in bytes: VmRSS is the memory in use, VmHWM the most of it so far.
double memory(const std::string& line) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kibibytes = 0; word == line + ":" && status >> kibibytes) return 1024 * kibibytes;
  return std::numeric_limits<double>::quiet_NaN();
}

/// The most memory that loss, gradient and product of a million samples use at a time beyond network and data: bytes
/// in place of the time, and their share of `bound`.
Result beyond_a_million_samples(double bound) {
  const test::Network net({.hidden = {64, 64}, .loss = "softmax"}, 2, 1'000'000);
  double beyond = 0;
  // A thread of its own has no scratch memory from earlier rows.
  std::thread([&] {
    std::ofstream("/proc/self/clear_refs") << 5;  // VmHWM begins anew
    const double before = memory("VmRSS");
    const Vector theta = net.model.start(5), w = test::normals(theta.size(), 6);
    Vector g(theta.size());
    net.risk.value(theta, {});
    net.risk.gradient(theta, {}, g);
    net.risk.hvp(theta, {}, w, g);
    beyond = memory("VmHWM") - before;
  }).join();
  return {beyond, beyond / bound, std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace

std::vector<Row> growth_rows() {
  // A hundredfold problem may take 1.26 times its share before it counts as more than linear.
  constexpr double linear = 1.05;
  const Unit unit{"ms", 1e-3};
  return {{"gradient 2-32-32-1, N = 10^3 .. 10^5", "exponent in N", linear, unit, in_samples},
          {"gradient 2-w-w-1, w = 32 .. 256, N = 1000", "exponent in P", linear, unit, in_parameters},
          {"memory beyond 10^6 samples, 2-64-64-2", "100 MB", 1, {"MB", 1e6}, [] {
             return beyond_a_million_samples(100e6);
           }}};
}

}  // namespace thalweg::bench
