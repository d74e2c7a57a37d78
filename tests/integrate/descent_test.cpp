#include "thalweg/integrate/descent.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

using test::Decay;
using test::dense;
using test::fixed_step;

Scheme heavy_ball(double eta, double beta) {
  SchemeSettings settings;
  settings.step = eta;
  settings.momentum = beta;
  return make_scheme("momentum", settings);
}

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
  const auto states = path(Decay(a).flow, fixed_step("sgd", eta), Vector::Ones(1), 20);
  for (std::size_t k = 0; k <= 20; ++k)
    EXPECT_NEAR(states[k][0], std::pow(1 - eta * a, static_cast<double>(k)), 60 * 1e-16 * states[k][0]);
}

/// max_k |theta_k - theta(k eta)| of descent on a parabola against the flow exp(-rate t).
double gap(double eta, double a, double rate) {
  const auto steps = std::lround(1 / eta);
  const auto states = path(Decay(a).flow, fixed_step("sgd", eta), Vector::Ones(1), steps);
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
  const auto states = path(flow, heavy_ball(eta, beta), test::normals(5, 2), 40);
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
  EXPECT_EQ(path(decay.flow, heavy_ball(.1, 0), Vector::Ones(1), 10),
            path(decay.flow, fixed_step("sgd", .1), Vector::Ones(1), 10));
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
  const Matrix k = dense(*net.lattice);

  /// (I + sigma K)^m.
  Matrix metric(double sigma) const {
    const Matrix smoother = Matrix::Identity(k.rows(), k.cols()) + sigma * k;
    return GetParam().power == 2 ? Matrix(smoother * smoother) : smoother;
  }
  Vector gradient(const Vector& y, std::int64_t step) const {
    Batches batches({6, "shuffle", 9}, 20);
    Vector g(y.size());
    net.risk.gradient(y, batches.at(step), g);
    return g;
  }
  std::vector<Vector> states(std::string_view scheme, const Slots& slots) const {
    const GradientFlow flow(net.risk, net.lattice.get(), slots);
    return path(flow, fixed_step(scheme, eta, {6, "shuffle", 9}), net.model.start(1), 12);
  }
};

// (M + eta nu K) theta+ = M theta - eta g, in the plain metric and in Sobolev's. A dense solve is right to the
// condition number, at most (1 + sigma |K|)^2 = 500 with |K| = 4 (6^2 + 4^2), times 1e-16 and the dimension.
TEST_P(DiscreteTwin, OfDiffusingWeightsSolvesOneLinearSystemAStep) {
  constexpr double nu = 2;
  for (const double sigma : {0., .1}) {
    const Matrix metric = this->metric(sigma);
    const Eigen::PartialPivLU<Matrix> solver(metric + eta * nu * k);
    const auto states = this->states("diffusion-sgd", {nu, sigma, GetParam().power});
    for (std::size_t i = 0; i + 1 < states.size(); ++i) {
      const Vector next = solver.solve(metric * states[i] - eta * gradient(states[i], static_cast<std::int64_t>(i)));
      EXPECT_LT((states[i + 1] - next).cwiseAbs().maxCoeff(), 1e-12) << "step " << i;
    }
  }
}

// Likewise; the smoother only damps the rounding of the gradient.
TEST_P(DiscreteTwin, OfASobolevMetricSmoothsTheGradient) {
  constexpr double sigma = .3;
  const Eigen::PartialPivLU<Matrix> solver(metric(sigma));
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

}  // namespace
}  // namespace thalweg
