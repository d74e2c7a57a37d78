#include "thalweg/flow/gradient_flow.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "../network.hpp"

namespace thalweg {
namespace {

using test::dense;

/// Three pairs of draws that stay the same.
const auto heat = heat_smoothing(.01, {3, 1, false});

/// Every way to fill the slots; noise leaves the drift alone.
const Slots all_slots[] = {{0, 0, 1},
                           {.3, 0, 1},
                           {0, .2, 1},
                           {0, .2, 2},
                           {.3, .2, 1},
                           {.3, .2, 2},
                           {50, 1e-3, 2},
                           {0, 0, 1, .1},
                           {.3, .2, 2, .1},
                           {0, 0, 1, 0, heat.get()},
                           {.3, .2, 1, .1, heat.get()}};

class GradientFlowOfEverySlot : public testing::TestWithParam<Slots> {
 protected:
  static constexpr double scale = 3;
  const test::Network net{{{5, 3}, "tanh", "softmax", "standard", .1, 0}, 3, 20};
  const GradientFlow flow{net.risk, net.lattice.get(), GetParam(), scale};
  const Vector y = net.model.start(1), w = test::normals(net.model.size(), 2);
  const Matrix k = dense(*net.lattice), one = Matrix::Identity(k.rows(), k.cols());
  /// The metric M = (I + sigma K)^m.
  const Matrix metric = GetParam().power == 2 ? Matrix((one + GetParam().sigma * k) * (one + GetParam().sigma * k))
                                              : Matrix(one + GetParam().sigma * k);

  Vector velocity(Part part, In at, Batch batch = {}) const {
    Vector v = Vector::Constant(at.size(), NAN);
    flow.velocity(part, {0, 0, batch}, at, v);
    return v;
  }
  Vector jvp(Part part, In along) const {
    Vector vw = Vector::Constant(along.size(), NAN);
    flow.jvp(part, {}, y, along, vw);
    return vw;
  }
  Vector energy_gradient() const {
    Vector g(y.size());
    if (const Smoothing* smoothing = GetParam().smoothing)
      smoothing->gradient(net.risk, y, {}, 0, g);
    else
      net.risk.gradient(y, {}, g);
    return scale * g + GetParam().nu * k * y;
  }
};

// M and K of norm up to 200 each are solved and applied to 1e-12.
TEST_P(GradientFlowOfEverySlot, DescendsItsEnergyInItsMetric) {
  EXPECT_LT(test::distance(metric * velocity(Part::all, y), -energy_gradient()), 1e-11);
}

TEST_P(GradientFlowOfEverySlot, IsTheSumOfItsParts) {
  const std::int32_t batch[] = {3, 1, 1};
  const Vector all = velocity(Part::all, y, batch);
  EXPECT_LT(test::distance(velocity(Part::slow, y, batch) + velocity(Part::stiff, y, batch), all), 1e-13);
  EXPECT_LT(test::distance(jvp(Part::slow, w) + jvp(Part::stiff, w), jvp(Part::all, w)), 1e-13);
  EXPECT_TRUE(velocity(Part::none, y).isZero(0));
  EXPECT_TRUE(jvp(Part::none, w).isZero(0));
  EXPECT_EQ(velocity(Part::stiff, y).isZero(0), !flow.stiff());
}

// Fourth-order central differences over a distance of 1e-3: truncation 1e-12 and rounding 1e-13, both times |w| = 8.
TEST_P(GradientFlowOfEverySlot, HasTheJacobianOfItsVelocity) {
  const double h = 1e-3 / w.norm();
  for (const Part part : {Part::slow, Part::stiff, Part::all}) {
    const auto at = [&](double shift) { return velocity(part, y + shift * w); };
    const Vector difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    EXPECT_LT((jvp(part, w) - difference).cwiseAbs().maxCoeff(), 1e-10 * (1 + difference.cwiseAbs().maxCoeff()));
  }
}

TEST_P(GradientFlowOfEverySlot, SolvesWithTheJacobianOfItsStiffPart) {
  for (const double h : {1e-4, 1., 10.}) {
    Vector x = w - h * jvp(Part::stiff, w);
    // The right side is rounded at the size of its largest entry; the smallest eigenvalue is 1.
    const double condition = x.cwiseAbs().maxCoeff() / w.cwiseAbs().maxCoeff();
    flow.solve_stiff(h, x);
    EXPECT_LT(test::distance(x, w), 1e-14 * (10 + condition)) << "h " << h;
  }
}

/// sum_j (h J)^j w/(j + k)! for the Jacobian J of the stiff part.
Vector phi_by_series(const Flow& flow, int k, double h, const Vector& w) {
  Vector term = w / std::tgamma(k + 1), sum = term, next(w.size());
  for (int j = 1; j < 80; ++j) {
    flow.jvp(Part::stiff, {}, w, term, next);
    term = h / (j + k) * next;
    sum += term;
  }
  return sum;
}

// K has norm 4 (5^2 + 3^2): |h J| = 4, and the series' largest term is 11 times the sum's largest.
TEST_P(GradientFlowOfEverySlot, ExponentiatesItsStiffPart) {
  const double h = 4 / (136 * std::max(GetParam().nu, .1));
  for (int order = 0; order <= 3; ++order) {
    Vector x = w;
    flow.phi_stiff(order, h, x);
    EXPECT_LT(test::distance(x, phi_by_series(flow, order, h, w)), 1e-13) << "phi_" << order;
  }
}

TEST_P(GradientFlowOfEverySlot, LowersWhatItRaises) {
  Vector x = w;
  flow.raise(x);
  EXPECT_LT(test::distance(metric * x, w), 1e-12);
  flow.lower(x);
  EXPECT_LT(test::distance(x, w), 1e-12);
}

TEST_P(GradientFlowOfEverySlot, IsSelfAdjointInItsMetric) {
  const Vector u = test::normals(w.size(), 3);
  const double here = (metric * u).dot(jvp(Part::all, w)), there = (metric * w).dot(jvp(Part::all, u));
  EXPECT_LT(std::abs(here - there), 1e-12 * (metric * u).norm() * jvp(Part::all, w).norm());
  EXPECT_TRUE(flow.self_adjoint());
}

TEST_P(GradientFlowOfEverySlot, IsSymmetricWhereItSaysSo) {
  const Vector u = test::normals(w.size(), 3);
  const double asymmetry = std::abs(u.dot(jvp(Part::all, w)) - w.dot(jvp(Part::all, u)));
  const double size = u.norm() * jvp(Part::all, w).norm();
  if (flow.symmetric())
    EXPECT_LT(asymmetry, 1e-13 * size);
  else
    EXPECT_GT(asymmetry, 1e-6 * size);
}

// The energy law dE/dt = <grad E, v> = -<M v, v> <= 0, the left side by differences of the energy along the velocity
// (truncation h^4, rounding 1e-16/h).
TEST_P(GradientFlowOfEverySlot, DissipatesEnergyAtTheRateOfItsMetric) {
  const Vector v = velocity(Part::all, y);
  const double h = 1e-3 / v.norm();
  const auto energy = [&](double shift) { return flow.energy(y + shift * v).value(); };
  const double rate = (8 * (energy(h) - energy(-h)) - (energy(2 * h) - energy(-2 * h))) / (12 * h);
  EXPECT_LT(rate, 0);
  EXPECT_NEAR(rate, -v.dot(metric * v), 1e-9 * std::abs(rate));
  EXPECT_NEAR(rate, energy_gradient().dot(v), 1e-9 * std::abs(rate));
}

TEST_P(GradientFlowOfEverySlot, RaisesByTheInverseMetric) {
  Vector x = metric * w;
  flow.raise(x);
  EXPECT_LT(test::distance(x, w), 1e-14 * metric.cwiseAbs().rowwise().sum().maxCoeff());
}

std::string title(const testing::TestParamInfo<Slots>& slots) {
  return "case_" + std::to_string(slots.index) + "_power_" + std::to_string(slots.param.power);
}

INSTANTIATE_TEST_SUITE_P(Table, GradientFlowOfEverySlot, testing::ValuesIn(all_slots), title);

// Two copies of each neuron are the same mean-field network; in time scaled by the width they keep moving together,
// and their last biases n times as far as in a frame where the bias is one parameter of a mean over n.
TEST(GradientFlow, MovesNeuronsAtASpeedThatDoesNotDependOnTheWidth) {
  const test::Network one({{3}, "tanh", "logistic", "mean-field", 0, 0}, 2, 10);
  const test::Network two({{6}, "tanh", "logistic", "mean-field", 0, 0}, 2, 10);
  const GradientFlow slim(one.risk, nullptr, {}, one.model.time_scale());
  const GradientFlow wide(two.risk, nullptr, {}, two.model.time_scale());
  const Vector theta = test::normals(one.model.size(), 1);
  Vector doubled(two.model.size()), v(theta.size()), doubled_v(doubled.size());
  // Columns of W_1, b_1 and W_2, three neurons each, then the output's bias.
  const auto copy_twice = [](const Vector& from, Vector& to) {
    for (Index block = 0; block < 4; ++block)
      for (Index copy = 0; copy < 2; ++copy) to.segment(6 * block + 3 * copy, 3) = from.segment(3 * block, 3);
  };
  copy_twice(theta, doubled);
  doubled[24] = theta[12];
  slim.velocity(Part::all, {}, theta, v);
  wide.velocity(Part::all, {}, doubled, doubled_v);
  Vector expected = doubled_v;
  copy_twice(v, expected);
  EXPECT_LT(test::distance(doubled_v, expected), 1e-14);
  EXPECT_NEAR(doubled_v[24], 2 * v[12], 1e-14);
}

TEST(GradientFlow, SeesTheBatchItIsGiven) {
  const test::Network net({{4}, "tanh", "logistic", "standard", 0, 0}, 2, 10);
  const GradientFlow flow(net.risk, nullptr, {});
  const Vector y = net.model.start(1);
  const std::int32_t batch[] = {2, 7};
  Vector v(y.size()), g(y.size());
  flow.velocity(Part::all, {0, 0, batch}, y, v);
  net.risk.gradient(y, batch, g);
  EXPECT_EQ(v, -g);
  EXPECT_EQ(flow.samples(), 10);
}

// B B' = 2 tau M^-1 on two-axis arrays as well.
TEST_P(GradientFlowOfEverySlot, ColoursNoiseByItsMetric) {
  EXPECT_EQ(flow.noisy(), GetParam().tau > 0);
  Matrix b(y.size(), y.size());
  for (Index j = 0; j < y.size(); ++j) {
    Vector column = Vector::Unit(y.size(), j);
    flow.colour(column);
    b.col(j) = column;
  }
  // The metric's norm of 200 squared times the rounding of a solve.
  EXPECT_LT((metric * b * b.transpose() - 2 * GetParam().tau * one).cwiseAbs().maxCoeff(), 1e-11);
}

// Its gradient alone is known: minus the velocity, M times.
TEST(GradientFlow, OfLocalEntropyHasNoEnergyToShow) {
  const test::Network net({{4}, "tanh", "logistic", "standard", 0, 0}, 2, 10);
  const auto entropy = local_entropy({.5, 1e-3, 5, .1, .75}, {2, 1, true});
  const GradientFlow flow(net.risk, net.lattice.get(), {.sigma = .2, .smoothing = entropy.get()});
  const Vector y = net.model.start(1), w = test::normals(y.size(), 2);
  Vector v(y.size()), g(y.size()), vw(y.size()), hw(y.size());
  const std::int32_t batch[] = {2, 7};
  flow.velocity(Part::all, {0, 3, batch}, y, v);
  entropy->gradient(net.risk, y, batch, 3, g);
  flow.raise(g);
  EXPECT_EQ(v, -g);
  flow.jvp(Part::all, {0, 3, batch}, y, w, vw);
  entropy->hvp(net.risk, y, batch, 3, w, hw);
  flow.raise(hw);
  EXPECT_EQ(vw, -hw);
  EXPECT_FALSE(flow.energy(y).has_value());
  EXPECT_FALSE(flow.symmetric());
  EXPECT_FALSE(flow.self_adjoint());
  EXPECT_EQ(flow.evaluations(), 20);
}

TEST(GradientFlow, RefusesSlotsThatMeanNothing) {
  const test::Quadratic energy(test::definite(4, 1));
  const auto chain = test::flat_lattice("chain", 4), short_chain = test::flat_lattice("chain", 3);
  EXPECT_THROW(GradientFlow(energy, chain.get(), {-1, 0, 1}), std::invalid_argument);
  EXPECT_THROW(GradientFlow(energy, chain.get(), {0, -1, 1}), std::invalid_argument);
  EXPECT_THROW(GradientFlow(energy, chain.get(), {0, 1, 3}), std::invalid_argument);
  EXPECT_THROW(GradientFlow(energy, nullptr, {1, 0, 1}), std::invalid_argument);
  EXPECT_THROW(GradientFlow(energy, nullptr, {0, 1, 1}), std::invalid_argument);
  EXPECT_THROW(GradientFlow(energy, nullptr, {.tau = -1}), std::invalid_argument);
  EXPECT_THROW(GradientFlow(energy, short_chain.get(), {1, 0, 1}), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
