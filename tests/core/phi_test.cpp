#include "thalweg/core/phi.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace thalweg {
namespace {

__extension__ using Quad = __float128;

/// The series in quadruple precision, which for |z| <= 20 loses 9 of its 34 digits to cancellation.
double exact(int k, double z) {
  Quad term = 1, sum = 0;
  for (int j = 1; j <= k; ++j) term /= j;
  for (int j = 0; j < 200; ++j) {
    sum += term;
    term *= Quad(z) / (j + k + 1);
  }
  return static_cast<double>(sum);
}

TEST(Phi, IsItsSeriesToRoundingOnBothSidesOfEverySwitch) {
  for (int k = 0; k <= 4; ++k)
    for (const double z :
         {0., 1e-300, 1e-16, -1e-8, 1e-3, -.1, .9, -1., -1.99, 1.99, -2., 2., -2.01, 2.01, -5., 5., -20., 20.})
      EXPECT_NEAR(phi(k, z), exact(k, z), 2e-15 * exact(k, z)) << "phi_" << k << '(' << z << ')';
}

// phi_k(z) -> -1/((k - 1)! z) for z -> -infinity.
TEST(Phi, HasItsLimitFarToTheLeft) {
  for (const double z : {-1e3, -1e8, -1e300}) {
    EXPECT_EQ(phi(0, z), 0);
    EXPECT_NEAR(phi(1, z) * -z, 1, 1e-15);
    EXPECT_NEAR(phi(2, z) * -z, 1, 2 / std::abs(z) + 1e-15);
    EXPECT_NEAR(phi(3, z) * -z, .5, 2 / std::abs(z) + 1e-15);
  }
}

}  // namespace
}  // namespace thalweg
