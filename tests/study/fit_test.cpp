#include "thalweg/study/fit.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "../network.hpp"

namespace thalweg {
namespace {

std::vector<double> halvings(double first, int count) {
  std::vector<double> h;
  for (int k = 0; k < count; ++k) h.push_back(std::ldexp(first, -k));
  return h;
}

template <class Error>
std::vector<double> errors_at(const std::vector<double>& h, Error error) {
  std::vector<double> e;
  for (const double step : h) e.push_back(error(step));
  return e;
}

TEST(OrderFit, IsExactOnAPower) {
  const auto h = halvings(.5, 6);
  const OrderFit fit = fit_order(h, errors_at(h, [](double s) { return 3 * std::pow(s, 4); }));
  EXPECT_NEAR(fit.order, 4, 1e-12);
  EXPECT_NEAR(fit.constant, 3, 1e-11);
  EXPECT_LT(fit.high - fit.low, 1e-10);
  EXPECT_EQ(fit.points, 6);
  EXPECT_EQ(fit.finest, h.back());
  EXPECT_EQ(fit.coarsest, h.front());
}

TEST(OrderFit, LeavesOutWhatIsNotAsymptotic) {
  const auto h = halvings(1, 9);
  // Saturated where h is large, h^2 below, and a floor at the end.
  const auto e = errors_at(h, [](double s) { return std::max(1e-4, s * s / (1 + 8 * s * s * s)); });
  const OrderFit fit = fit_order(h, e, {1e-3, .2});
  EXPECT_NEAR(fit.order, 2, .1);
  EXPECT_LE(fit.coarsest, .25);
  EXPECT_EQ(fit.finest, 1. / 16) << "the finest error above the floor";
}

TEST(OrderFit, LeavesOutAFineEndThatNoLongerFalls) {
  const auto h = halvings(1, 10);
  auto e = errors_at(h, [](double s) { return std::pow(s, 4); });
  e[8] = 5e-9;
  e[9] = 4e-9;
  const OrderFit fit = fit_order(h, e);
  EXPECT_NEAR(fit.order, 4, .05);
  EXPECT_EQ(fit.finest, h[7]);
}

// Two standard errors of a sampled error excuse what they may have done; without them the coarse point is left out.
TEST(OrderFit, ForgivesSampledErrorsTheirNoise) {
  const std::vector<double> h{1, .5, .25, .125}, e{1.2, .25 / 1.2, .0625 * 1.2, .015625 / 1.2},
      spread{.2, .05, .015, .004};
  const OrderFit noisy = fit_order(h, e, {}, spread);
  EXPECT_EQ(noisy.points, 4);
  EXPECT_NEAR(noisy.order, 2, .2);
  EXPECT_EQ(fit_order(h, e).points, 3);
}

TEST(OrderFit, DoesNotTakeTheCoarseEndForTheAsymptoticOne) {
  // Five points of order one, then three of order three: the order is that of the fine end.
  const auto h = halvings(1, 8);
  const auto e = errors_at(h, [](double s) { return s >= 1. / 16 ? s : 256 * s * s * s; });
  EXPECT_NEAR(fit_order(h, e).order, 3, .05);
}

/// The least-squares interval holds the true order in 95 of 100 repetitions: of 400 with Gaussian scatter in ln error,
/// within four standard deviations of the binomial law, sqrt(400 .95 .05) = 4.4.
TEST(OrderFit, IntervalHoldsTheOrderAsOftenAsItSays) {
  const auto h = halvings(1, 6);
  int held = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Vector scatter = test::normals(6, seed);
    std::vector<double> e;
    for (std::size_t k = 0; k < 6; ++k) e.push_back(h[k] * h[k] * std::exp(.01 * scatter[static_cast<Index>(k)]));
    const OrderFit fit = fit_order(h, e);
    ASSERT_EQ(fit.points, 6);
    held += fit.low <= 2 && 2 <= fit.high;
  }
  EXPECT_NEAR(held, 380, 18);
}

TEST(OrderFit, SaysThatItHasTooFewPoints) {
  const std::vector<double> h{.1, .05}, e{1e-2, std::nan("")};
  EXPECT_TRUE(std::isnan(fit_order(h, e).order));
  EXPECT_EQ(fit_order(h, e).points, 1);
  const std::vector<double> two{1e-2, 2.5e-3};
  EXPECT_NEAR(fit_order(h, two).order, 2, 1e-12);
  EXPECT_TRUE(std::isnan(fit_order(h, two).low));
  EXPECT_THROW(fit_order(h, std::vector<double>{1}), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
