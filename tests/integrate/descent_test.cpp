#include "thalweg/integrate/descent.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

using test::Decay;
using test::dense;
using test::solve;

/// States after each step of a scheme, the start first.
std::vector<Vector> path(const Flow& flow, const Scheme& scheme, const Vector& y0, std::int64_t steps) {
  Trajectory states;
  const Watch watch[] = {{{{}, 1}, states}};
  Stop stop;
  stop.steps = steps;
  EXPECT_EQ(integrate(flow, scheme, y0, stop, watch).status, Status::steps);
  return states.states;
}

// Each of twenty multiplications rounds once, as do the factor's two operations.
TEST(Descent, OnAParabolaMultipliesByOneMinusEtaA) {
  constexpr double eta = .1, a = 3;
  const auto states = path(Decay(a).flow, make_scheme("sgd", {.step = eta}), Vector::Ones(1), 20);
  for (std::size_t k = 0; k <= 20; ++k)
    EXPECT_NEAR(states[k][0], std::pow(1 - eta * a, static_cast<double>(k)), 60 * 1e-16 * states[k][0]);
}

/// max_k |theta_k - theta(k eta)| of descent on a parabola against the flow exp(-rate t).
double gap(double eta, double a, double rate) {
  const auto steps = std::lround(1 / eta);
  const auto states = path(Decay(a).flow, make_scheme("sgd", {.step = eta}), Vector::Ones(1), steps);
  double largest = 0;
  for (std::size_t k = 0; k < states.size(); ++k)
    largest = std::max(largest, std::abs(states[k][0] - std::exp(-rate * eta * static_cast<double>(k))));
  return largest;
}

// The next term of either expansion is eta a smaller: 2 % at the smaller step.
TEST(Descent, FollowsTheGradientFlowToFirstOrder) {
  constexpr double a = 2, eta = 1. / 128;
  EXPECT_NEAR(std::log2(gap(eta, a, a) / gap(eta / 2, a, a)), 1, .02);
}

// The flow of L + (eta/4)|grad L|^2 decays at a + eta a^2/2 (Barrett and Dherin 2021).
TEST(Descent, FollowsTheModifiedFlowToSecondOrder) {
  constexpr double a = 2, eta = 1. / 128;
  const auto modified = [&](double h) { return gap(h, a, a + h * a * a / 2); };
  EXPECT_NEAR(std::log2(modified(eta) / modified(eta / 2)), 2, .02);
}

TEST(Descent, WithHeavyBallIsAThreeTermRecursion) {
  constexpr double eta = .3, beta = .7;
  const Matrix a = test::definite(5, 1);
  const test::Quadratic energy(a);
  const GradientFlow flow(energy, nullptr, {});
  const auto states = path(flow, make_scheme("momentum", {.step = eta, .momentum = beta}), test::normals(5, 2), 40);
  Vector before = states[0], now = states[0];
  for (std::size_t k = 1; k < states.size(); ++k) {
    const Vector next = now + beta * (now - before) - eta * a * now;
    // Errors of size 1e-16 accumulate at most linearly with the sum 1/(1 - beta) of the powers of beta.
    EXPECT_LT((states[k] - next).cwiseAbs().maxCoeff(), 3e-16 * static_cast<double>(k) / (1 - beta)) << "step " << k;
    before = std::exchange(now, next);
  }
}

TEST(Descent, WithoutMomentumIsPlain) {
  const Decay decay(1);
  EXPECT_EQ(path(decay.flow, make_scheme("momentum", {.step = .1, .momentum = 0}), Vector::Ones(1), 10),
            path(decay.flow, make_scheme("sgd", {.step = .1}), Vector::Ones(1), 10));
}

struct Twin {
  std::string lattice;
  int power;
};

/// A small network, a scheme with batches of 6 out of 20, and one step after the other by dense matrices.
class DiscreteTwin : public testing::TestWithParam<Twin> {
 protected:
  static constexpr double eta = .05;
  const test::Network net{{{6, 4}, "tanh", "logistic", "standard", 0, 0}, 2, 20, GetParam().lattice};
  const Matrix k = dense(*net.lattice), one = Matrix::Identity(k.rows(), k.cols());

  Vector gradient(const Vector& y, std::int64_t step) const {
    Batches batches({6, "shuffle", 9}, 20);
    Vector g(y.size());
    net.risk.gradient(y, batches.at(step), g);
    return g;
  }
  std::vector<Vector> states(std::string_view scheme, const Slots& slots) const {
    const GradientFlow flow(net.risk, net.lattice.get(), slots);
    const SchemeSettings settings{.step = eta, .batch = {6, "shuffle", 9}};
    return path(flow, make_scheme(scheme, settings), net.model.start(1), 12);
  }
};

// A dense solve is right to the condition number, eta nu 4 (6^2 + 4^2) = 20 at most, times 1e-16 and the dimension.
TEST_P(DiscreteTwin, OfDiffusingWeightsSolvesOneLinearSystemAStep) {
  if (GetParam().power != 1) GTEST_SKIP() << "the power belongs to the metric";
  constexpr double nu = 2;
  const Eigen::PartialPivLU<Matrix> solver(one + eta * nu * k);
  const auto states = this->states("diffusion-sgd", {nu, 0, 1});
  for (std::size_t i = 0; i + 1 < states.size(); ++i) {
    const Vector next = solver.solve(states[i] - eta * gradient(states[i], static_cast<std::int64_t>(i)));
    EXPECT_LT((states[i + 1] - next).cwiseAbs().maxCoeff(), 1e-13) << "step " << i;
  }
}

// Likewise with sigma 4 (6^2 + 4^2) = 60, twice.
TEST_P(DiscreteTwin, OfASobolevMetricSmoothsTheGradient) {
  constexpr double sigma = .3;
  const Matrix smoother = one + sigma * k;
  const Eigen::PartialPivLU<Matrix> solver(GetParam().power == 2 ? Matrix(smoother * smoother) : smoother);
  const auto states = this->states("laplacian-sgd", {0, sigma, GetParam().power});
  for (std::size_t i = 0; i + 1 < states.size(); ++i) {
    const Vector next = states[i] - eta * solver.solve(gradient(states[i], static_cast<std::int64_t>(i)));
    EXPECT_LT((states[i + 1] - next).cwiseAbs().maxCoeff(), 1e-13) << "step " << i;
  }
}

std::vector<Twin> twins() {
  std::vector<Twin> all;
  for (const std::string& lattice : names(lattices()))
    for (const int power : {1, 2}) all.push_back({lattice, power});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Lattices, DiscreteTwin, testing::ValuesIn(twins()),
                         [](const auto& twin) { return twin.param.lattice + std::to_string(twin.param.power); });

TEST(Descent, RefusesAMomentumOutsideZeroToOne) {
  const Decay decay(1);
  Stop stop;
  stop.steps = 1;
  for (const double beta : {-.1, 1., 2.}) {
    const Scheme scheme = make_scheme("momentum", {.step = .1, .momentum = beta});
    EXPECT_NE(test::complaint([&] { integrate(decay.flow, scheme, Vector::Ones(1), stop); }).find("scheme.momentum"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace thalweg
