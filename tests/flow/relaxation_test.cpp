#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <numbers>

#include "../integrate/solve.hpp"

namespace thalweg {
namespace {

using std::numbers::pi;

/// M y' = -B y with B and M symmetric and M definite: y(t) = V exp(-t Lambda) V'M y_0 for B V = M V Lambda, V'M V = I.
struct Relaxation {
  Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> modes;
  Matrix metric;

  Relaxation(const Matrix& b, const Matrix& m) : modes(b, m), metric(m) {}
  Vector operator()(double t, const Vector& y0) const {
    const Vector decay = (-t * modes.eigenvalues()).array().exp();
    return modes.eigenvectors() * decay.cwiseProduct(modes.eigenvectors().transpose() * (metric * y0));
  }
  double fastest() const { return modes.eigenvalues().maxCoeff(); }
};

class FlowOfEveryScheme : public testing::TestWithParam<SchemeRow> {};

// A scheme of order p has |R(z) - exp(-z)| <= z^(p+1)/2 a step, so that after a unit of time no mode is off by more
// than rate^(p+1) h^p/2; the modes are at most 1.2 times |y_0| in the metric. Newton and rounding end at 1e-8.
TEST_P(FlowOfEveryScheme, RelaxesAQuadraticBowlAsTheMatrixExponential) {
  const SchemeRow& row = GetParam();
  constexpr Index n = 6;
  constexpr double h = 1. / 64;
  const Slots slots = test::slots_for(row, .1);
  const Matrix a = test::definite(n, 1), one = Matrix::Identity(n, n);
  const Vector y0 = test::normals(n, 2);
  for (const std::string& name : names(lattices())) {
    if (name == "neurons") continue;  // a flat vector has no neurons
    const auto lattice = test::flat_lattice(name, n);
    const test::Quadratic energy(a);
    const GradientFlow flow(energy, lattice.get(), slots);
    const Matrix k = test::dense(*lattice);
    const Relaxation exact(a + slots.nu * k, one + slots.sigma * k);
    const double bound = 1.2 * y0.norm() * std::pow(exact.fastest(), row.order + 1) * std::pow(h, row.order) / 2;
    EXPECT_LT((test::solve(flow, row.name, h, y0).y - exact(1, y0)).norm(), bound + 1e-8) << name;
  }
}

// Steps resolve the fastest mode: the energy of a scheme's states falls as that of the flow does, down to the rounding
// of an energy of size one.
TEST_P(FlowOfEveryScheme, NeverRaisesTheEnergyAlongAResolvedRun) {
  const SchemeRow& row = GetParam();
  const test::Network net({{8, 8}, "tanh", "logistic", "standard", 0, 0}, 2, 30);
  const GradientFlow flow(net.risk, net.lattice.get(), test::slots_for(row, .005));
  Trajectory path;
  const Watch watch[] = {{{{}, 1}, path}};
  test::solve(flow, row.name, 1. / 16, net.model.start(1), 4, watch);
  ASSERT_GE(path.states.size(), 64u);
  for (std::size_t i = 1; i < path.states.size(); ++i)
    EXPECT_LE(flow.energy(path.states[i]).value(), flow.energy(path.states[i - 1]).value() + 1e-15) << "step " << i;
}

INSTANTIATE_TEST_SUITE_P(Table, FlowOfEveryScheme, testing::ValuesIn(test::schemes_where([](const SchemeRow& row) {
                           return row.order > 0 && !row.second_order;
                         })),
                         test::scheme_title);

double wave(Index j, Index i, Index n) {
  return std::cos(pi * static_cast<double>(j) * (static_cast<double>(i) + .5) / static_cast<double>(n));
}

/// The rate of the mode cos(pi j s) on the grid s_i = (i + 1/2)/n.
double rate(Index j, Index n) {
  const auto m = static_cast<double>(n);
  return 4 * m * m * std::pow(std::sin(pi * static_cast<double>(j) / (2 * m)), 2);
}

// theta' = -nu K theta on a network of 2 inputs, 8 and 5 hidden units and one output: W_1 and b_1 are fields over 8
// units, W_2 one over 5 x 8, b_2 and W_3 over 5, the output's bias none. Dormand-Prince at z = h nu rate <= 0.05 is off
// by 3e-4 z^6 a step, a hundred of them.
TEST(HeatFlow, DecaysCosinesOverTheNeuronsAtTheRatesOfTheGrid) {
  constexpr Index n = 8, m = 5, i1 = 3, j1 = 2;
  constexpr double nu = .01, end = 1;
  const test::Network net({{n, m}, "tanh", "logistic", "standard", 0, 0}, 2, 3);
  const test::Quadratic nothing(Matrix::Zero(net.model.size(), net.model.size()));
  const GradientFlow flow(nothing, net.lattice.get(), {nu, 0, 1});
  const auto layers = net.model.layers();
  Vector start(net.model.size()), exact(net.model.size());
  const auto set = [&](Index place, double value, double speed) {
    start[place] = value;
    exact[place] = value * std::exp(-nu * speed * end);
  };
  for (Index i = 0; i < n; ++i) {
    for (Index input = 0; input < 2; ++input)
      set(layers[0].weights + input * n + i, wave(input + 1, i, n), rate(input + 1, n));
    set(layers[0].biases + i, wave(n - 1, i, n), rate(n - 1, n));
    for (Index j = 0; j < m; ++j)
      set(layers[1].weights + i * m + j, wave(i1, i, n) * wave(j1, j, m), rate(i1, n) + rate(j1, m));
  }
  for (Index j = 0; j < m; ++j) {
    set(layers[1].biases + j, wave(m - 1, j, m), rate(m - 1, m));
    set(layers[2].weights + j, wave(1, j, m), rate(1, m));
  }
  set(layers[2].biases, 1, 0);
  EXPECT_LT((test::solve(flow, "rk5dp", .01, start, end).y - exact).cwiseAbs().maxCoeff(), 1e-10);
}

// (2 n sin(pi j/(2 n)))^2 = (pi j)^2 (1 - (pi j/n)^2/12 + ...): the grid's heat flow is the rod's up to O(h^2).
TEST(HeatFlow, HasTheRatesOfAnInsulatedRodAsTheWidthGrows) {
  const double error = std::abs(rate(3, 50) - 9 * pi * pi), finer = std::abs(rate(3, 100) - 9 * pi * pi);
  EXPECT_NEAR(std::log2(error / finer), 2, .01);
  for (const Index n : {50, 100}) {
    const test::Network net({{n}, "tanh", "logistic", "standard", 0, 0}, 2, 3);
    Vector y = Vector::Zero(net.model.size()), ky = y;
    for (Index i = 0; i < n; ++i) y[i] = wave(3, i, n);
    net.lattice->apply(y, ky);
    // The cosine's argument, up to 3 pi, is rounded at 1e-15; second differences magnify that 4 n^2 = 4e4 fold.
    EXPECT_LT((ky - rate(3, n) * y).cwiseAbs().maxCoeff(), 5e-11);
  }
}

}  // namespace
}  // namespace thalweg
