#include "thalweg/diagnose/bezier.hpp"

#include <gtest/gtest.h>

#include "../network.hpp"

namespace thalweg {
namespace {

TEST(BezierRisk, HasExactDerivatives) {
  const test::Network net({.hidden = {4}}, 2, 20);
  const BezierRisk risk(net.risk, net.model.start(1), net.model.start(2), 6);
  const DerivativeGap gap = derivative_gap(risk, net.model.start(3), test::normals(risk.size(), 1));
  EXPECT_LT(gap.gradient, 1e-8);
  EXPECT_LT(gap.product, 1e-8);
}

// Along a straight line, c in the middle, the mean of a quadratic form is that of a parabola in t.
TEST(BezierRisk, OfAStraightLineIsTheMeanAlongIt) {
  const Matrix a = test::definite(6, 1);
  const test::Quadratic bowl(a);
  const Vector from = test::normals(6, 2), to = test::normals(6, 3), d = to - from;
  const BezierRisk risk(bowl, from, to, 1000);
  const double exact = from.dot(a * from) / 2 + from.dot(a * d) / 2 + d.dot(a * d) / 6;
  EXPECT_NEAR(risk.value((from + to) / 2, {}), exact, 1e-6 * exact);  // the midpoint rule's h^2/24
  EXPECT_EQ((Bezier{from, to, from}.at(0)), from);
  EXPECT_EQ((Bezier{from, to, from}.at(1)), to);
}

TEST(BezierRisk, RefusesPointsOfAnotherSize) {
  const test::Quadratic bowl(test::definite(6, 1));
  EXPECT_THROW(BezierRisk(bowl, test::normals(5, 1), test::normals(6, 1), 3), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
