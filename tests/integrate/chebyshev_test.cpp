#include "thalweg/integrate/chebyshev.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

using test::Decay;

/// T_s(x) in closed form.
double chebyshev(int s, double x) {
  if (std::abs(x) <= 1) return std::cos(s * std::acos(x));
  return std::pow(x < 0 ? -1 : 1, s) * std::cosh(s * std::acosh(std::abs(x)));
}

double damping(int order) { return order == 1 ? .05 : 2. / 13; }

/// P_s(z) from closed forms: T_s(cosh t) = cosh(s t), and Chebyshev's equation (x^2 - 1) T'' + x T' = s^2 T.
double stability(int order, int s, double z) {
  const double w0 = 1 + damping(order) / (s * s), t = std::acosh(w0);
  const double value = std::cosh(s * t), first = s * std::sinh(s * t) / std::sinh(t);
  if (order == 1) return chebyshev(s, w0 + value / first * z) / value;
  const double second = (s * s * value - w0 * first) / (w0 * w0 - 1), b = second / (first * first);
  return 1 - b * value + b * chebyshev(s, w0 + first / second * z);
}

/// The factor of one step on y' = z y.
double factor(int order, int s, double z) {
  SchemeSettings settings;
  settings.step = 1;
  settings.stages = s;
  Stop stop;
  stop.steps = 1;
  return integrate(Decay(-z).flow, make_scheme("rkc" + std::to_string(order), settings), Vector::Ones(1), stop).y[0];
}

// Closed form for s = 2, w0 = 1.0125: T = 2 w0^2 - 1 and T' = 4 w0. The others are known to all digits shown.
TEST(Chebyshev, HasTheLimitsOfFirstOrder) {
  const double w0 = 1.0125;
  EXPECT_NEAR(Chebyshev(1, 2).limit(), (1 + w0) * 4 * w0 / (2 * w0 * w0 - 1), 1e-14);
  EXPECT_NEAR(Chebyshev(1, 2).limit(), 7.760190, 5e-7);
  EXPECT_NEAR(Chebyshev(1, 3).limit(), 17.439694, 5e-7);
  EXPECT_NEAR(Chebyshev(1, 5).limit(), 48.414046, 5e-7);
}

// (2/3)(s^2 - 1)(1 - 2 epsilon/15) up to higher powers of epsilon (Verwer, Hundsdorfer, Sommeijer 1990).
TEST(Chebyshev, HasTheLimitsOfSecondOrder) {
  for (const int s : {3, 5, 10, 50, 200})
    EXPECT_NEAR(Chebyshev(2, s).limit() / (2. / 3 * (s * s - 1) * (1 - 2. / 15 * 2 / 13)), 1, .01) << s;
}

TEST(Chebyshev, TakesTheFewestStages) {
  for (const int order : {1, 2})
    for (const double limit : {0., .5, 1.9, 7., 7.8, 100., 12345.6}) {
      const int s = chebyshev_stages(order, limit);
      EXPECT_GE(Chebyshev(order, s).limit(), limit);
      if (s > order) {
        EXPECT_LT(Chebyshev(order, s - 1).limit(), limit);
      }
    }
}

// acosh near one keeps half the digits of 2 epsilon/s^2: 1e-14; the closed form's divisions lose two more.
TEST(Rkc, HasItsStabilityPolynomial) {
  for (const int order : {1, 2})
    for (const int s : {2, 3, 7})
      for (const double share : {.01, .3, .77, 1.})
        EXPECT_NEAR(factor(order, s, -share * Chebyshev(order, s).limit()),
                    stability(order, s, -share * Chebyshev(order, s).limit()), 1e-12)
            << order << ' ' << s << ' ' << share;
}

// Damped: |P| <= 1 - epsilon/3 or so inside, away from zero, up to the limit itself; a third beyond it is lost.
TEST(Rkc, IsStableUpToItsLimitAndNotFarBeyond) {
  for (const int order : {1, 2})
    for (const int s : {2, 3, 5, 20}) {
      const double limit = Chebyshev(order, s).limit();
      for (int k = 1; k <= 200; ++k) EXPECT_LT(std::abs(factor(order, s, -limit * k / 200)), 1) << order << ' ' << s;
      EXPECT_GT(std::abs(factor(order, s, -1.35 * limit)), 1) << order << ' ' << s;
    }
}

// P(z) = 1 + z + z^2/2 + ... to its order: the defect of e^z falls as z^(order + 1).
TEST(Rkc, AgreesWithTheExponentialToItsOrder) {
  for (const int order : {1, 2})
    for (const int s : {2, 3, 10}) {
      const auto defect = [&](double z) { return std::abs(factor(order, s, z) - std::exp(z)); };
      EXPECT_NEAR(std::log2(defect(-.01) / defect(-.005)), order + 1, .05) << order << ' ' << s;
    }
}

// lambda h = 3000 and 30: the sharpness is found exactly in one dimension and gets a tenth of room.
TEST(Rkc, TakesTheStagesThatTheSharpnessAsksFor) {
  for (const int order : {1, 2})
    for (const double rate : {3000., 30.}) {
      const auto name = "rkc" + std::to_string(order);
      const Outcome outcome = test::solve(Decay(rate).flow, name, 1, Vector::Ones(1), 4);
      EXPECT_LT(std::abs(outcome.y[0]), 1);
      EXPECT_EQ(outcome.work.gradients, 4 * chebyshev_stages(order, 1.1 * rate));
      EXPECT_EQ(outcome.work.products, 1);
    }
}

// Every 25 steps a new estimate, of one product in one dimension.
TEST(Rkc, RenewsItsEstimateAsTheRunGoesOn) {
  EXPECT_EQ(test::solve(Decay(1).flow, "rkc2", .01, Vector::Ones(1), .25).work.products, 1);
  EXPECT_EQ(test::solve(Decay(1).flow, "rkc2", .01, Vector::Ones(1), .26).work.products, 2);
  EXPECT_EQ(test::solve(Decay(1).flow, "rkc2", .01, Vector::Ones(1), 1).work.products, 4);
}

TEST(Rkc, ReusesTheSlopeOfItsErrorEstimate) {
  SchemeSettings settings;
  settings.atol = 1;
  settings.stages = 3;
  settings.step = .1;
  Stop stop;
  stop.steps = 5;
  EXPECT_EQ(integrate(Decay(1).flow, make_scheme("rkc2", settings), Vector::Ones(1), stop).work.gradients, 1 + 5 * 3);
}

TEST(Rkc, RefusesStagesThatItDoesNotHave) {
  SchemeSettings settings;
  settings.stages = 1;
  EXPECT_EQ(test::complaint([&] { make_scheme("rkc2", settings); }).find("scheme.stages: rkc2"), 0u);
  EXPECT_EQ(test::complaint([&] { make_scheme("rkc1", settings); }), "");
  settings.stages = 100000;
  EXPECT_EQ(test::complaint([&] { make_scheme("rkc1", settings); }).find("scheme.stages: rkc1"), 0u);
}

TEST(Rkc, SaysWhenNoNumberOfStagesIsEnough) {
  Stop stop;
  stop.steps = 1;
  const Outcome outcome = integrate(Decay(1e8).flow, test::fixed_step("rkc2", 1), Vector::Ones(1), stop);
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_NE(outcome.message.find("step x sharpness = 1100"), std::string::npos) << outcome.message;
}

}  // namespace
}  // namespace thalweg
