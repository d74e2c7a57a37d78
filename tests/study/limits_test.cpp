#include "thalweg/study/limits.hpp"

#include <cmath>
#include <sstream>

#include <gtest/gtest.h>

#include "../network.hpp"
#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/fit.hpp"
#include "thalweg/study/methods.hpp"

namespace thalweg {
namespace {

/// The points of a limit of an experiment made of keys.
std::vector<LimitPoint> points_of(const std::string& kind, const std::string& assignments,
                                  const std::vector<double>& steps) {
  Settings settings;
  apply_keys(settings, assignments);
  std::ostringstream silent;
  const Console console{silent, silent, false};
  const Experiment experiment(settings);
  return find(limit_kinds(), kind, "limit.kind").measure(experiment, steps, console);
}

OrderFit fit_of(const std::vector<LimitPoint>& points, const std::string& series) {
  std::vector<double> h, e;
  for (const LimitPoint& p : points)
    if (p.series == series) {
      h.push_back(p.parameter);
      e.push_back(p.error);
    }
  EXPECT_FALSE(h.empty()) << series;
  return fit_order(h, e);
}

const std::vector<double> ladder{1. / 16, 1. / 32, 1. / 64, 1. / 128};

/// Descent on x^2/2 is (1 - eta)^k, the flow exp(-t): the error is known to every digit.
TEST(StepLimit, IsThatOfTheClosedFormOnAParabola) {
  const auto points = points_of("step", "model.kind=quadratic model.dimension=1 stop.time=2 record.count=8", ladder);
  ASSERT_EQ(points.size(), ladder.size());
  for (const LimitPoint& p : points) {
    double exact = 0;
    for (int k = 0; k * p.parameter <= 2; ++k)
      exact = std::max(exact, std::abs(std::pow(1 - p.parameter, k) - std::exp(-k * p.parameter)));
    EXPECT_NEAR(p.error, exact, 1e-9 * exact);
  }
  EXPECT_NEAR(fit_of(points, "descent-flow").order, 1, .05);
}

TEST(ModifiedLimit, HasOrderOneFromTheFlowAndTwoFromTheModifiedOne) {
  const auto points = points_of(
      "modified", "model.hidden=4 data.samples=20 stop.time=2 record.count=8 limit.thetas=0,0.25,0.5,1", ladder);
  for (const char* theta : {"theta=0", "theta=0.25", "theta=1"}) {
    EXPECT_NEAR(fit_of(points, theta + std::string("-flow")).order, 1, .1) << theta;
    EXPECT_NEAR(fit_of(points, theta + std::string("-modified")).order, 2, .1) << theta;
  }
  EXPECT_NEAR(fit_of(points, "theta=0.5-flow").order, 2, .1);
  // The deviation from the flow is proportional to |1 - 2 theta|, up to the next term, a step's share.
  const double full = fit_of(points, "theta=0-flow").constant, half = fit_of(points, "theta=0.25-flow").constant;
  EXPECT_NEAR(half / full, .5, .05);
}

TEST(ModifiedLimit, ScalesWithTheTimeOfAMeanFieldNetwork) {
  const auto points = points_of("modified",
                                "model.hidden=6 model.scaling=mean-field data.samples=20 stop.time=.25 record.count=2 "
                                "limit.thetas=0",
                                {1. / 128, 1. / 256, 1. / 512});
  EXPECT_NEAR(fit_of(points, "theta=0-modified").order, 2, .1);
}

TEST(Modified, HasExactGradientsAndProductsToTheirDifferences) {
  ModelSpec spec;
  spec.hidden = {5};
  const test::Network net(spec, 2, 20);
  const Modified modified(net.risk, .3);
  const DerivativeGap gap = derivative_gap(modified, net.model.start(1), test::normals(net.model.size(), 2));
  EXPECT_LT(gap.gradient, 1e-8);
  EXPECT_LT(gap.product, 1e-7);  // a central difference at 1e-5 of a gradient known to 1e-16 of some ten times its size
}

/// Li, Tai, E 2019, section 5 has this example: largest errors over [0, 2] at eta = 2^-8.
TEST(NoiseLimit, ReproducesTheMomentsOfAQuadratic) {
  const auto points = points_of("noise", "model.kind=quadratic model.dimension=1 stop.time=2 record.count=8",
                                {std::ldexp(1, -8), std::ldexp(1, -7), std::ldexp(1, -6)});
  ASSERT_EQ(points.size(), 6u);
  EXPECT_NEAR(points[0].error, 3.579e-4, 5e-8);
  EXPECT_NEAR(points[3].error, 3.560e-6, 5e-10);
  EXPECT_NEAR(fit_of(points, "sgd-order1").order, 1, .05);
  EXPECT_NEAR(fit_of(points, "sgd-order2").order, 2, .05);
}

TEST(QuadraticMoments, AreThoseOfTheRecursionStepByStep) {
  const double h = .7, eta = .3, w0 = 1.4;
  double second_moment = w0 * w0;
  for (int k = 0; k < 9; ++k) {
    EXPECT_NEAR(quadratic_moments(h, w0, eta, k).descent, h / 2 * second_moment, 1e-14);
    second_moment = (1 - eta * h) * (1 - eta * h) * second_moment + eta * eta * h * h;
  }
}

/// Two independent ensembles, one four times as large: the errors agree within four of their standard errors, and those
/// differ by a factor of two.
TEST(NoiseLimit, SampledErrorsAgreeWithinTheirStandardErrors) {
  const std::string keys =
      "data.kind=gaussians data.samples=12 model.hidden=none model.loss=mse scheme.batch=1 "
      "scheme.sampling=replacement stop.time=2 record.count=2 ";
  const auto few = points_of("noise", keys + "limit.runs=512", {.25});
  const auto many = points_of("noise", keys + "limit.runs=2048 scheme.seed=100000", {.25});
  ASSERT_EQ(few.size(), 3u);
  for (std::size_t i = 0; i < few.size(); ++i) {
    const double spread = std::hypot(few[i].standard_error, many[i].standard_error);
    EXPECT_NEAR(few[i].error, many[i].error, 4 * spread) << few[i].series;
    EXPECT_NEAR(few[i].standard_error / many[i].standard_error, 2, .5) << few[i].series;
  }
}

TEST(NoiseLimit, RefusesWhatHasNoSamplesOrNoIndependentBatches) {
  EXPECT_THROW(points_of("noise", "model.kind=rosenbrock stop.time=1", {.1}), std::invalid_argument);
  EXPECT_THROW(points_of("noise", "scheme.batch=4 scheme.sampling=shuffle stop.time=1", {.1}), std::invalid_argument);
  EXPECT_THROW(points_of("noise", "scheme.batch=0 stop.time=1", {.1}), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
