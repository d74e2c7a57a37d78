#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <numbers>

#include "generators.hpp"
#include "thalweg/data/oracle.hpp"

namespace thalweg {

using std::numbers::pi;

Point Arm::at(double a) const { return c * a * Point(std::cos(a), std::sin(a)); }

double Arm::distance(const Point& x) const {
  const auto square = [&](double a) { return (at(a) - x).squaredNorm(); };
  const double direction = std::atan2(x.y(), x.x());
  double least = std::min(square(first), square(last));
  // At δ = a − direction the slope of the square is 2c (c a − r cos δ + r a sin δ); where it vanishes with cos δ < 0
  // the second derivative is negative. So every inner minimum lies within a quarter turn of the point's own direction.
  const double turn = std::ceil((first - pi / 2 - direction) / (2 * pi));
  for (double a = direction + 2 * pi * turn; a - pi / 2 < last; a += 2 * pi) {
    const double low = std::max(first, a - pi / 2), high = std::min(last, a + pi / 2);
    // 26 bits: half of the mantissa is all that the place of a quadratic minimum can have.
    if (low < high) least = std::min(least, boost::math::tools::brent_find_minima(square, low, high, 26).second);
  }
  return std::sqrt(least);
}

// Radius 3 gives each coordinate a variance near 1.
Arm arm_of_turns(double turns) {
  const double first = pi / 2, last = first + 2 * pi * turns;
  return {.c = 3 / last, .first = first, .last = last};
}

Arm arm_lang_witbrock() { return {.c = 1 / pi, .first = pi / 2, .last = 13 * pi / 2}; }

namespace {

/// Angle uniform along the arm, so radius uniform; sample i on arm i mod 2, its class.
Law jittered(const Arm& arm, double jitter) {
  const Point half = Point::Constant(arm.c * arm.last + tails * jitter);
  return {.low = -half,
          .high = half,
          .draw =
              [=](Index sample, Stream& stream) {
                const int side = static_cast<int>(sample % 2);
                const Point on = (side == 1 ? 1 : -1) * arm.at(stream.uniform(arm.first, arm.last));
                return Draw{on + displacement(jitter, stream), side, side};
              },
          // Defined as half the difference of the distances to the two arms: 0 where both are equally far.
          .distance = [=](const Point& x) { return std::abs(arm.distance(x) - arm.distance(-x)) / 2; },
          .known = {{"largest_curvature", curvature_archimedean(arm.c, arm.first)},
                    {"arm_gap", arm_gap_archimedean(arm.c)}}};
}

/// Lang and Witbrock (1988): i = 0..96, angle iπ/16, r = 6.5 (104 − i)/104, class 1; the reflections are class 0.
std::vector<Draw> classical_points() {
  std::vector<Draw> points;
  for (int i = 0; i <= 96; ++i) {
    const double angle = i * pi / 16, r = 6.5 * (104 - i) / 104;
    const Point x(r * std::sin(angle), r * std::cos(angle));
    points.push_back({x, 1, 1});
    points.push_back({-x, 0, 0});
  }
  return points;
}

}  // namespace

Law spirals(const DataSpec& spec) {
  require_in_range(spec.turns > 0 && spec.turns <= 1000, "turns", spec.turns, "(0, 1000]");
  require_jitter(spec);
  return jittered(arm_of_turns(spec.turns), spec.jitter);
}

// The classical points lie on r = a/π, an arm of three turns: r sin(angle) = r cos(πr), as angle = 13π/2 − πr.
Law lang_witbrock(const DataSpec& spec) {
  require_jitter(spec);
  Law law = jittered(arm_lang_witbrock(), spec.jitter);
  law.training = classical_points();
  return law;
}

}  // namespace thalweg
