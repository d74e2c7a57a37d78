#include "thalweg/data/oracle.hpp"

#include <gtest/gtest.h>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/ellint_2.hpp>
#include <cmath>
#include <map>
#include <numbers>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

using std::numbers::pi;

/// Standard error of a share p of n independent draws.
double standard_error(double p, Index n) { return std::sqrt(p * (1 - p) / static_cast<double>(n)); }

double sine_length_by_quadrature(double amplitude, double frequency) {
  const double phase = 2 * pi * frequency;
  const auto speed = [&](double x) { return std::hypot(1, amplitude * phase * std::cos(phase * x)); };
  return boost::math::quadrature::gauss_kronrod<double, 61>::integrate(speed, -1., 1., 15, 1e-13);
}

// The published value has seven decimals.
TEST(ParityErrorIslands, HasItsPublishedValue) { EXPECT_NEAR(parity_error_islands(0.2), 0.0245302, 5e-8); }

// Far-spread blobs forget their parity: q <= 2 exp(-pi^2 s^2/2), its leading Fourier mode, is below 1e-8 at s = 2.
TEST(ParityErrorIslands, TendsToOneHalf) { EXPECT_NEAR(parity_error_islands(2), 0.5, 1e-15); }

// 4 standard errors of the binomial law; visiting the blobs in turn can only lower the variance.
TEST(ParityErrorIslands, IsTheShareOfPointsNearerToTheOtherParity) {
  DataSpec spec;
  spec.kind = "islands";
  spec.samples = 40000;
  const Samples train = make_dataset(spec).train;
  const double shift = (spec.grid - 1) / 2.;
  Index wrong = 0;
  for (Index i = 0; i < train.size(); ++i) {
    const auto row = std::lround(train.x(i, 1) + shift), column = std::lround(train.x(i, 0) + shift);
    wrong += std::abs(row + column) % 2 != train.clean[static_cast<std::size_t>(i)];
  }
  const double error = parity_error_islands(spec.spread);
  EXPECT_NEAR(static_cast<double>(wrong) / 40000, error, 4 * standard_error(error, 40000));
}

// Phi(-1) = 0.158655253931457 to 15 digits; the simulation lies within 4 standard errors.
TEST(BayesErrorGaussians, IsTheShareBeyondTheBisectingLine) {
  DataSpec spec;
  spec.kind = "gaussians";
  spec.samples = 40000;
  spec.spread = 0.5;
  const double error = bayes_error_gaussians(spec.distance, spec.spread);
  EXPECT_NEAR(error, 0.158655253931457, 1e-15);
  const Samples train = make_dataset(spec).train;
  Index wrong = 0;
  for (Index i = 0; i < train.size(); ++i)
    wrong += (train.x(i, 0) > 0) != (train.clean[static_cast<std::size_t>(i)] == 1);
  EXPECT_NEAR(static_cast<double>(wrong) / 40000, error, 4 * standard_error(error, 40000));
}

// The quadrature is asked for 1e-13 of a length below 30.
TEST(BoundaryLengthSine, AgreesWithQuadratureAtAnyFrequency) {
  for (const double frequency : {0.3, 1., 2.5, 4.})
    EXPECT_NEAR(boundary_length_sine(0.7, frequency), sine_length_by_quadrature(0.7, frequency), 1e-11) << frequency;
}

// A few roundings of numbers near 4.
TEST(BoundaryLengthSine, IsTheCompleteIntegralAtIntegerFrequency) {
  const double m = 2 * pi * 2 * 0.5, stretch = std::hypot(1, m);
  EXPECT_NEAR(boundary_length_sine(0.5, 2), 4 / pi * stretch * boost::math::ellint_2(m / stretch), 1e-13);
  EXPECT_NEAR(boundary_length_sine(0, 2), 2, 1e-15);
}

// The largest of |f''|/(1 + f'^2)^(3/2) on a grid of [-1, 1] that holds the ends, and crests to 1e-7 of the curvature.
TEST(CurvatureSine, IsTheLargestWithinTheDomain) {
  for (const double k : {.05, .1, .2, .25, .7, 3.}) {
    const double a = .8, w = 2 * pi * k;
    double most = 0;
    for (int i = 0; i <= 100000; ++i) {
      const double x = i / 50000. - 1, slope = a * w * std::cos(w * x);
      most = std::max(most, std::abs(a * w * w * std::sin(w * x)) / std::pow(1 + slope * slope, 1.5));
    }
    EXPECT_NEAR(curvature_sine(a, k), most, 1e-6 * most) << k;
  }
}

// Central differences of the curve with step 1e-4: second derivatives to 1e-8 times a fourth derivative of order 10,
// and rounding 1e-16/1e-8.
TEST(CurvatureArchimedean, IsThatOfTheCurve) {
  const double c = 0.4, a = 2.3, h = 1e-4;
  const auto x = [&](double t) { return c * t * std::cos(t); };
  const auto y = [&](double t) { return c * t * std::sin(t); };
  const double dx = (x(a + h) - x(a - h)) / (2 * h), dy = (y(a + h) - y(a - h)) / (2 * h);
  const double ddx = (x(a + h) - 2 * x(a) + x(a - h)) / (h * h), ddy = (y(a + h) - 2 * y(a) + y(a - h)) / (h * h);
  EXPECT_NEAR(curvature_archimedean(c, a), std::abs(dx * ddy - dy * ddx) / std::pow(std::hypot(dx, dy), 3), 1e-6);
}

// Training and test labels flipped at rate rho; the memoriser repeats the training label. 4 standard errors.
TEST(Memoriser, ScoresWhatASimulationSays) {
  const double rho = 0.3;
  const Index n = 40000;
  Stream stream(7, Purpose::label_noise);
  Index clean = 0, noisy = 0;
  for (Index i = 0; i < n; ++i) {
    const bool train_wrong = stream.uniform() < rho, test_wrong = stream.uniform() < rho;
    clean += !train_wrong;
    noisy += train_wrong == test_wrong;
  }
  const double on_clean = memoriser_clean(rho), on_noisy = memoriser_noisy(rho);
  EXPECT_NEAR(static_cast<double>(clean) / static_cast<double>(n), on_clean, 4 * standard_error(on_clean, n));
  EXPECT_NEAR(static_cast<double>(noisy) / static_cast<double>(n), on_noisy, 4 * standard_error(on_noisy, n));
}

// At the least value the derivative of the mean cross-entropy in the predicted probability p vanishes at p = rho.
TEST(NoisyCrossEntropy, IsTheLeastMeanCrossEntropy) {
  const double rho = 0.2;
  const auto mean = [&](double p) { return -rho * std::log(p) - (1 - rho) * std::log(1 - p); };
  EXPECT_DOUBLE_EQ(noisy_cross_entropy(rho), mean(rho));
  EXPECT_LT(noisy_cross_entropy(rho), std::min(mean(rho - 1e-3), mean(rho + 1e-3)));
  EXPECT_EQ(noisy_cross_entropy(0), 0);
}

TEST(Oracles, NamesWhatIsKnownOfEachKind) {
  const std::map<std::string, std::vector<std::string>> known{{"spirals", {"largest_curvature", "arm_gap"}},
                                                              {"lang-witbrock", {"largest_curvature", "arm_gap"}},
                                                              {"sine", {"largest_curvature", "boundary_length"}},
                                                              {"rings", {"largest_curvature", "boundary_length"}},
                                                              {"islands", {"parity_error"}},
                                                              {"gaussians", {"bayes_error"}},
                                                              {"moons", {}},
                                                              {"circles", {}}};
  for (auto [kind, expected] : known) {
    DataSpec spec;
    spec.kind = kind;
    expected.insert(expected.end(), {"memoriser_clean", "memoriser_noisy", "noisy_cross_entropy"});
    std::vector<std::string> found;
    for (const auto& [name, value] : oracles(spec)) found.push_back(name);
    EXPECT_EQ(found, expected) << kind;
  }
}

// pi times 1/pi rounds to 1 or its neighbour.
TEST(Oracles, SayThatTheClassicalArmsAreOneApart) {
  DataSpec spec;
  spec.kind = "lang-witbrock";
  EXPECT_DOUBLE_EQ(oracles(spec)[1].second, 1);
}

}  // namespace
}  // namespace thalweg
