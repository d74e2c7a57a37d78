#include <gtest/gtest.h>

#include <cmath>

#include "../integrate/solve.hpp"
#include "thalweg/energy/landscapes.hpp"

namespace thalweg {
namespace {

/// x^2 - y^2 after a time of the flow of (1 - x y)^2/2 under heat, by Dormand-Prince at steps that leave 1e-12.
double difference_of_squares(double heat, double time) {
  const auto f = landscape_for("factorisation", {}).make({.heat = heat});
  const GradientFlow flow(*f, nullptr, {});
  const Vector y = test::solve(flow, "rk5dp", 1. / 256, Vector{{1.5, -.5}}, time).y;
  return y[0] * y[0] - y[1] * y[1];
}

// (x^2 - y^2)' = -2 sigma^2 (x^2 - y^2), sigma^2 = 2 s.
TEST(DiffusedFactorisation, ForgetsTheDifferenceOfSquaresThatThePlainFlowKeeps) {
  for (const double time : {.5, 2.}) {
    EXPECT_NEAR(difference_of_squares(0, time), 2, 1e-11);
    for (const double sigma : {.2, .5})
      EXPECT_NEAR(difference_of_squares(sigma * sigma / 2, time), 2 * std::exp(-2 * sigma * sigma * time), 1e-11)
          << "sigma " << sigma << " t " << time;
  }
}

// The flow of the double well from 2 ends at the minimum of the smoothed well, sqrt(1 - 3 sigma^2): from there on the
// linear rate 2 (1 - 3 sigma^2) >= 0.5 leaves exp(-20).
TEST(DiffusedDoubleWell, DrawsTheFlowToItsOwnMinimum) {
  for (const double sigma : {.1, .5}) {
    const auto f = landscape_for("double-well", {}).make({.dimension = 1, .heat = sigma * sigma / 2});
    const GradientFlow flow(*f, nullptr, {});
    const Vector y = test::solve(flow, "rk5dp", .05, Vector::Constant(1, 2), 60).y;
    EXPECT_NEAR(y[0], std::sqrt(1 - 3 * sigma * sigma), 1e-10) << sigma;
  }
}

}  // namespace
}  // namespace thalweg
