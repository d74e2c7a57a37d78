#include "thalweg/diagnose/trace.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../network.hpp"
#include "thalweg/diagnose/overlap.hpp"

namespace thalweg {
namespace {

struct Small {
  test::Network net{{.hidden = {16, 16}}, 2, 60};
  Vector theta = net.model.start(3);
  Matrix dense;
  Small() { net.risk.hvps(theta, {}, Matrix::Identity(theta.size(), theta.size()), dense); }
  SymmetricMap map() const {
    return {dense.rows(), [this](const Matrix& x, Matrix& ax) { ax.noalias() = dense * x; }};
  }
};

using Method = TraceEstimate (*)(const SymmetricMap&, int, std::uint64_t);

/// In how many of a hundred seeds the exact trace lies within two stated errors.
int covered(Method method, const Small& small, int probes) {
  int hits = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const TraceEstimate estimate = method(small.map(), probes, seed);
    hits += std::abs(estimate.value - small.dense.trace()) <= 2 * estimate.error;
  }
  return hits;
}

// 95.4 of 100 are expected; 93 is asked of the default number of probes. With three probes Student's t is wide and the
// error of the error large, so that fewer than 90 (2.6 binomial deviations) would be a wrong formula.
TEST(Trace, LiesWithinTwoStatedErrorsAsOftenAsStated) {
  const Small small;
  for (const Method method : {hutchinson, hutch_plus_plus}) {
    EXPECT_GE(covered(method, small, 30), 93);
    EXPECT_GE(covered(method, small, 9), 90);
  }
}

TEST(Trace, ErrorsAreNoLargerThanTheyMustBe) {
  const Small small;
  // The variance of z'Az over random signs is twice the sum of the squares off the diagonal.
  const Matrix off = small.dense - Matrix(small.dense.diagonal().asDiagonal());
  const double expected = std::sqrt(2 * off.squaredNorm() / 100);
  double mean = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) mean += hutchinson(small.map(), 100, seed).error / 20;
  EXPECT_NEAR(mean, expected, .15 * expected);
  // The network's Hessian has a few large eigenvalues, which Hutch++ takes exactly.
  EXPECT_LT(hutch_plus_plus(small.map(), 100, 0).error, expected / 3);
}

TEST(Trace, OfADiagonalMatrixIsExactWithAnySigns) {
  const Matrix d = Vector::LinSpaced(50, -1, 3).asDiagonal();
  const TraceEstimate estimate = hutchinson({50, [&](const Matrix& x, Matrix& ax) { ax.noalias() = d * x; }}, 12, 4);
  EXPECT_NEAR(estimate.value, 50, 1e-12);
  EXPECT_NEAR(estimate.error, 0, 1e-12);
  EXPECT_EQ(estimate.products, 12);
}

TEST(Trace, OfAMatrixOfLowRankIsExactWithHutchPlusPlus) {
  const Vector entries = test::normals(80 * 3, 1);
  const Matrix b = Eigen::Map<const Matrix>(entries.data(), 80, 3), a = b * b.transpose();
  const TraceEstimate estimate =
      hutch_plus_plus({80, [&](const Matrix& x, Matrix& ax) { ax.noalias() = a * x; }}, 12, 4);
  EXPECT_NEAR(estimate.value, a.trace(), 1e-10 * a.trace());
  EXPECT_EQ(estimate.products, 12);
}

TEST(Trace, OfZeroIsZero) {
  const SymmetricMap zero{40, [](const Matrix& x, Matrix& ax) { ax.setZero(x.rows(), x.cols()); }};
  EXPECT_EQ(hutch_plus_plus(zero, 30, 0).value, 0);
  EXPECT_EQ(hutchinson(zero, 30, 0).error, 0);
}

TEST(Trace, NeedsProbesForItsError) {
  const Small small;
  EXPECT_THROW(hutchinson(small.map(), 1, 0), std::invalid_argument);
  EXPECT_THROW(hutch_plus_plus(small.map(), 5, 0), std::invalid_argument);
}

TEST(GradientNoise, IsTheCovarianceOfTheSamplesGradients) {
  const Small small;
  const Index n = small.theta.size();
  Matrix each(n, 60);
  for (std::int32_t i = 0; i < 60; ++i) small.net.risk.gradient(small.theta, {&i, 1}, each.col(i));
  const Matrix centred = each.colwise() - each.rowwise().mean().eval();
  const Matrix covariance = centred * centred.transpose() / 60;
  const Matrix directions = Matrix::Identity(n, 3);
  const GradientNoise noise = gradient_noise(small.net.risk, small.theta, directions);
  EXPECT_NEAR(noise.trace, covariance.trace(), 1e-12 * covariance.trace());
  for (Index k = 0; k < 3; ++k) EXPECT_NEAR(noise.along[k], covariance(k, k), 1e-12 * covariance.trace());
}

TEST(GradientShares, AddUpToOneOverABasis) {
  const Vector g = test::normals(7, 1);
  EXPECT_NEAR(gradient_shares(g, Matrix::Identity(7, 7)).sum(), 1, 1e-14);
  EXPECT_EQ(gradient_shares(Vector::Zero(7), Matrix::Identity(7, 2)), Vector::Zero(2));
}

}  // namespace
}  // namespace thalweg
