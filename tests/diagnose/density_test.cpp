#include "thalweg/diagnose/density.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include <Eigen/Eigenvalues>

#include "../network.hpp"

namespace thalweg {
namespace {

SymmetricMap map_of(const Matrix& a) {
  return {a.rows(), [a](const Matrix& x, Matrix& ax) { ax.noalias() = a * x; }};
}

/// The Gaussian sum over the eigenvalues themselves.
Vector exact_density(const Vector& eigenvalues, const SpectralDensity& like) {
  return Vector::NullaryExpr(like.at.size(), [&](Index i) {
    const auto z = (like.at[i] - eigenvalues.array()) / like.bandwidth;
    return (z.square() / -2).exp().mean() / (like.bandwidth * std::sqrt(2 * std::numbers::pi));
  });
}

double mass(const SpectralDensity& density) { return density.value.sum() * (density.at[1] - density.at[0]); }

// X'X/n with d/n = 1/4: Marchenko-Pastur has its edges at (1 -+ 1/2)^2 = 0.25 and 2.25; for d = 400 the outermost
// eigenvalues scatter about them by d^(-2/3) = 0.018.
struct Wishart {
  Matrix a;
  Wishart() {
    const Vector entries = test::normals(400 * 1600, 9);
    const Matrix x = Eigen::Map<const Matrix>(entries.data(), 1600, 400);
    a = x.transpose() * x / 1600;
  }
};

double marchenko_pastur(double x) {
  return x > .25 && x < 2.25 ? std::sqrt((2.25 - x) * (x - .25)) / (2 * std::numbers::pi * .25 * x) : 0;
}

TEST(SpectralDensity, OfAWishartMatrixIsMarchenkoPasturs) {
  const Wishart wishart;
  const auto rules = lanczos_quadratures(map_of(wishart.a), 10, 80, 0);
  const SpectralDensity density = smoothed(rules, .04, 1001);
  EXPECT_NEAR(mass(density), 1, 1e-6);
  double outside = 0;
  for (Index i = 0; i < density.at.size(); ++i) {
    const double x = density.at[i];
    if (x < .25 - .14 || x > 2.25 + .14) outside += density.value[i] * (density.at[1] - density.at[0]);
    // Inside, away from the edges that the Gaussian rounds off, and whose curvature it sees: 4 deviations of the
    // probes.
    if (x < .4 || x > 2.1) continue;
    EXPECT_NEAR(density.value[i], marchenko_pastur(x), 4 * density.error[i] + .02) << x;
  }
  EXPECT_LT(outside, 2e-3);
  double low = 9, high = -9;
  for (const Quadrature& rule : rules) {
    low = std::min(low, rule.nodes.minCoeff());
    high = std::max(high, rule.nodes.maxCoeff());
  }
  EXPECT_NEAR(low, .25, .04);
  EXPECT_NEAR(high, 2.25, .06);
}

// With as many steps as there are parameters and enough probes only the probes' scatter is left.
TEST(SpectralDensity, OfANetworkIsThatOfItsDenseHessian) {
  const test::Network net({.hidden = {16, 16}}, 2, 60);
  const Vector theta = net.model.start(3);
  Matrix dense;
  net.risk.hvps(theta, {}, Matrix::Identity(theta.size(), theta.size()), dense);
  const Vector exact = Eigen::SelfAdjointEigenSolver<Matrix>(dense).eigenvalues();
  const auto rules = lanczos_quadratures(hessian(net.risk, theta), 40, 80, 1);
  const SpectralDensity density = smoothed(rules, std::nullopt, 401);
  const Vector expected = exact_density(exact, density);
  EXPECT_NEAR(density.bandwidth, (exact[336] - exact[0]) / 100, 1e-8);
  int within = 0;
  for (Index i = 0; i < 401; ++i)
    within += std::abs(density.value[i] - expected[i]) <= 3 * density.error[i] + 1e-9 * expected.maxCoeff();
  EXPECT_GE(within, 390);
}

TEST(Quadratures, IntegrateMomentsExactly) {
  const Matrix a = test::definite(60, 3);
  for (const Quadrature& rule : lanczos_quadratures(map_of(a), 2, 5, 7)) {
    EXPECT_NEAR(rule.weights.sum(), 1, 1e-13);
    ASSERT_EQ(rule.nodes.size(), 5);
  }
  // Five nodes integrate polynomials up to degree nine; over many probes the moment is tr A^3 / n.
  double moment = 0;
  for (const Quadrature& rule : lanczos_quadratures(map_of(a), 4000, 2, 7))
    moment += rule.weights.dot(rule.nodes.array().cube().matrix()) / 4000;
  EXPECT_NEAR(moment, (a * a * a).trace() / 60, .02 * moment);
}

TEST(Quadratures, EndWhereTheKrylovSpaceDoes) {
  const auto zero = lanczos_quadratures(map_of(Matrix::Zero(20, 20)), 1, 10, 0);
  ASSERT_EQ(zero[0].nodes.size(), 1);
  EXPECT_EQ(zero[0].nodes[0], 0);
  const auto twice = lanczos_quadratures(map_of(3 * Matrix::Identity(20, 20)), 1, 10, 0);
  ASSERT_EQ(twice[0].nodes.size(), 1);
  EXPECT_NEAR(twice[0].nodes[0], 3, 1e-14);
  const SpectralDensity density = smoothed(zero, std::nullopt, 101);
  EXPECT_NEAR(mass(density), 1, 1e-3);  // the grid ends four bandwidths out
}

}  // namespace
}  // namespace thalweg
