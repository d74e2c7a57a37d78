#include "thalweg/study/stable_step.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "../network.hpp"
#include "thalweg/study/reference.hpp"

namespace thalweg {
namespace {

constexpr double sharpness = 40;

/// A quadratic whose fastest mode decays at the rate `sharpness`.
Matrix stiff_matrix(Index n) {
  Matrix a = test::definite(n, 2);
  Matrix top = Matrix::Zero(n, n);
  top(0, 0) = sharpness;
  a.row(0).setZero();
  a.col(0).setZero();
  return a / 4 + top;
}

class StableStep : public testing::TestWithParam<SchemeRow> {};

/// Within the hundredth of the bisection and what a growth by 1000 in 300 steps, 2.3 % a step, takes to show: for the
/// slope of |R| at its limit, at least 1/2 an unit of h lambda wherever it is bounded below 10 there, 5 % are enough.
TEST_P(StableStep, AgreesWithTheLimitWhereOneIsKnown) {
  const SchemeRow& row = GetParam();
  const SchemeSettings settings;
  if (!row.limit || !row.fixed || !row.twin.empty()) GTEST_SKIP() << "no limit is known";
  const double limit = row.limit(settings);
  const test::Quadratic quadratic(stiff_matrix(5));
  const GradientFlow flow(quadratic, nullptr, {});
  const double step =
      largest_stable_step(Linearisation(flow, Vector::Zero(5)), make_scheme(row.name, settings), sharpness);
  if (std::isinf(limit))
    EXPECT_TRUE(std::isinf(step));
  else
    EXPECT_NEAR(step * sharpness / limit, 1, .05);
}

INSTANTIATE_TEST_SUITE_P(All, StableStep, testing::ValuesIn(schemes().begin(), schemes().end()),
                         [](const auto& row) { return test::identifier(row.param.name); });

TEST(Linearisation, OfAQuadraticFlowIsTheFlow) {
  const test::Quadratic quadratic(stiff_matrix(5));
  const GradientFlow flow(quadratic, nullptr, {});
  const Linearisation linear(flow, test::normals(5, 1));
  const Vector y = test::normals(5, 2);
  Vector v(5), w(5);
  flow.velocity(Part::all, {}, y, v);
  linear.velocity(Part::all, {}, y, w);
  EXPECT_EQ(v, w);
}

/// Between steps of h the interpolation of exp(-t) misses by h^6/46080 at most, here at h lambda < 1/2: 4e-7.
TEST(Reference, InterpolatesBetweenItsStepsToOrderSix) {
  const test::Quadratic quadratic(Matrix::Identity(1, 1));
  const GradientFlow flow(quadratic, nullptr, {});
  const Vector one = Vector::Ones(1);
  double before = 0;
  for (const double step : {.5, .25}) {
    SchemeSettings settings;
    settings.step = step;
    // A method whose error at the nodes, step^8 at most, stays below that between them.
    const Reference reference(flow, make_scheme("rk8vr", settings), one, 2);
    ASSERT_TRUE(reference.reached());
    double worst = 0;
    for (double t = .01; t < 2; t += .01) worst = std::max(worst, std::abs(reference.at(t)[0] - std::exp(-t)));
    EXPECT_LT(worst, 1.1 * std::pow(step, 6) / 46080);
    if (before > 0) {
      EXPECT_GT(before / worst, 40);  // 64 in the limit
    }
    before = worst;
    EXPECT_EQ(reference.at(2)[0], reference.last()[0]);
  }
}

}  // namespace
}  // namespace thalweg
