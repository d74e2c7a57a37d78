#include "thalweg/energy/dirichlet.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <numeric>

#include "../model/naive.hpp"
#include "../model/triple.hpp"
#include "../network.hpp"
#include "thalweg/energy/penalised.hpp"

namespace thalweg {
namespace {

using test::Network;
using test::Triple;

/// D with its gradient and its Hessian times w by the definition: e1 along an input, e2 along a parameter, e3 along w.
test::Derivatives naive_dirichlet(const ModelSpec& spec, const Matrix& points, Index outputs, In theta, In w) {
  test::Derivatives result{0, Vector::Zero(theta.size()), Vector::Zero(theta.size())};
  std::vector<Triple> y(static_cast<std::size_t>(theta.size()));
  for (Index k = 0; k < theta.size(); ++k) {
    for (Index m = 0; m < theta.size(); ++m)
      y[static_cast<std::size_t>(m)] = {theta[m], {0, m == k ? 1.L : 0, 0, w[m]}};
    Triple sum;
    for (Index i = 0; i < points.rows(); ++i)
      for (Index j = 0; j < points.cols(); ++j) {
        std::vector<Triple> x;
        for (Index m = 0; m < points.cols(); ++m) x.push_back({points(i, m), {m == j ? 1.L : 0}});
        for (const Triple& f : test::naive_logits(spec, x, static_cast<std::size_t>(outputs), y)) {
          const Triple slope{f.at(1), {0, f.at(3), 0, f.at(5), 0, f.at(7)}};
          sum = sum + slope * slope;
        }
      }
    const auto count = static_cast<long double>(points.rows());
    result.value = static_cast<double>(sum.value / count);
    result.gradient[k] = static_cast<double>(sum.at(2) / count);
    result.product[k] = static_cast<double>(sum.at(6) / count);
  }
  return result;
}

// As for the risk: some hundred roundings of 1e-16, of which the largest entry keeps at most ten times its share.
constexpr double rounding = 1e-13;

void expect_derivatives(const ModelSpec& spec, Index inputs, Index outputs, Index count) {
  const Mlp model(spec, inputs, outputs);
  const Matrix points = Network::points(count, 2, inputs).x;
  const Dirichlet energy(model, points, true);
  const Vector theta = .7 * test::normals(model.size(), 3), w = test::normals(model.size(), 4);
  const auto exact = naive_dirichlet(spec, points, outputs, theta, w);
  Vector g = Vector::Constant(theta.size(), NAN), hw = g;
  EXPECT_NEAR(energy.value(theta, {}), exact.value, rounding * exact.value);
  EXPECT_NEAR(energy.gradient(theta, {}, g), exact.value, rounding * exact.value);
  energy.hvp(theta, {}, w, hw);
  EXPECT_LT(test::distance(g, exact.gradient), rounding);
  EXPECT_LT(test::distance(hw, exact.product), rounding);
}

using Case = std::tuple<std::string, std::string>;

class DirichletOfEveryKind : public testing::TestWithParam<Case> {};

TEST_P(DirichletOfEveryKind, HasTheDerivativesOfItsDefinition) {
  const auto& [activation, scaling] = GetParam();
  for (const auto& hidden : std::vector<std::vector<Index>>{{}, {5}, {4, 3}, {3, 1, 4}}) {
    if (scaling == "mean-field" && hidden.size() != 1) continue;
    SCOPED_TRACE("hidden layers: " + std::to_string(hidden.size()));
    const ModelSpec spec{hidden, activation, "auto", scaling, 0, 0};
    expect_derivatives(spec, 2, 1, 5);
    expect_derivatives(spec, 3, 2, 3);
  }
}

// Five points: no pre-activation of a relu changes its sign over a distance of 2e-3.
TEST_P(DirichletOfEveryKind, ClosesTheDerivativeGap) {
  const auto& [activation, scaling] = GetParam();
  for (const auto& hidden : std::vector<std::vector<Index>>{{}, {6}, {6, 5}, {6, 5, 4}}) {
    if (scaling == "mean-field" && hidden.size() != 1) continue;
    const Network net({hidden, activation, "auto", scaling, 0, 0}, 2, 5);
    const Dirichlet energy(net.model, net.samples.x, true);
    const Vector theta = .7 * test::normals(net.model.size(), 1), w = test::normals(net.model.size(), 2);
    const DerivativeGap gap = derivative_gap(energy, theta, w);
    EXPECT_LT(gap.gradient, 1e-9) << hidden.size();
    EXPECT_LT(gap.product, 1e-9) << hidden.size();
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, DirichletOfEveryKind,
                         testing::Combine(testing::ValuesIn(names(activations())),
                                          testing::ValuesIn(names(scalings()))),
                         [](const auto& kind) {
                           return test::identifier(std::get<0>(kind.param) + "_" + std::get<1>(kind.param));
                         });

// Fewer points than a vector, a block, one more, and several.
TEST(Dirichlet, IsTheMeanOverAnyNumberOfPoints) {
  const ModelSpec spec{{9, 5}, "tanh", "auto", "standard", 0, 0};
  for (const Index count : {1, 8, 24, 25, 65, 97}) expect_derivatives(spec, 2, 1, count);
}

TEST(Dirichlet, TakesLayersWiderThanAVectorAndManyInputs) {
  expect_derivatives({{17, 11}, "gelu", "auto", "standard", 0, 0}, 7, 3, 4);
}

// Sums of a hundred terms in another order.
TEST(Dirichlet, OfABatchIsThatOfItsPoints) {
  const Network net({{8, 8}, "tanh", "auto", "standard", 0, 0}, 2, 30);
  const Dirichlet all(net.model, net.samples.x, true);
  const Vector theta = net.model.start(1), w = test::normals(theta.size(), 2);
  Vector g(theta.size()), own_g = g, hw = g, own_hw = g;
  const std::int32_t batch[] = {3, 3, 17, 0, 29};
  Matrix points(5, 2);
  for (Index i = 0; i < 5; ++i) points.row(i) = net.samples.x.row(batch[i]);
  const Dirichlet own(net.model, points, true);
  EXPECT_EQ(all.gradient(theta, batch, g), own.gradient(theta, {}, own_g));
  all.hvp(theta, batch, w, hw);
  own.hvp(theta, {}, w, own_hw);
  EXPECT_EQ(g, own_g);
  EXPECT_EQ(hw, own_hw);
  EXPECT_EQ(all.samples(), 30);
}

TEST(Dirichlet, OnCollocationPointsIgnoresTheBatch) {
  const Network net({{8}, "tanh", "auto", "standard", 0, 0}, 2, 30);
  const Dirichlet energy(net.model, net.samples.x, false);
  const Vector theta = net.model.start(1);
  const std::int32_t batch[] = {3, 17};
  EXPECT_EQ(energy.value(theta, batch), energy.value(theta, {}));
  EXPECT_EQ(energy.samples(), 0);
}

TEST(UniformPoints, FillTheDomainAsAFunctionOfTheSeed) {
  DataSpec spec;
  spec.kind = "sine";
  const Dataset data = make_dataset(spec);
  const Matrix points = uniform_points(data, 4000, 3);
  EXPECT_EQ(points, uniform_points(data, 4000, 3));
  EXPECT_NE(points, uniform_points(data, 4000, 4));
  EXPECT_EQ(points.topRows(10), uniform_points(data, 10, 3));
  for (Index j = 0; j < points.cols(); ++j) {
    const double low = data.low[j], length = data.high[j] - low;
    EXPECT_GE(points.col(j).minCoeff(), low);
    EXPECT_LT(points.col(j).maxCoeff(), low + length);
    // Mean and variance within four standard errors: of a uniform variable 1/sqrt(12 N) and sqrt(1/180 N).
    const Vector u = (points.col(j).array() - low) / length;
    EXPECT_NEAR(u.mean(), .5, 4 / std::sqrt(12 * 4000.));
    EXPECT_NEAR((u.array() - .5).square().mean(), 1. / 12, 4 / std::sqrt(180 * 4000.));
  }
}

// A flat function has no Dirichlet energy, a linear one that of its slope everywhere.
TEST(Dirichlet, OfAnAffineFunctionIsItsSquaredSlope) {
  const Network net({{}, "tanh", "auto", "standard", 0, 0}, 2, 10);
  const Dirichlet energy(net.model, net.samples.x, true);
  EXPECT_NEAR(energy.value(Vector{{3, 4, 7}}, {}), 25, 1e-14);
  EXPECT_EQ(energy.value(Vector{{0, 0, 7}}, {}), 0);
}

/// Features of the last hidden layer and their derivatives along the inputs, by hyper-dual numbers.
struct Features {
  Matrix phi, gram;  // N x k with a column of ones for the bias; mean of grad phi grad phi'

  Features(const ModelSpec& spec, const Matrix& x, In theta) {
    const Index width = spec.hidden.back(), n = x.rows();
    ModelSpec below = spec;
    below.hidden.pop_back();
    std::vector<test::HyperDual> parameters;
    for (const double t : theta) parameters.push_back({t});
    phi.setOnes(n, width + 1);
    gram.setZero(width + 1, width + 1);
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < x.cols(); ++j) {
        auto point = test::naive_point(x, i);
        point[static_cast<std::size_t>(j)].first = 1;
        const auto z = test::naive_logits(below, point, static_cast<std::size_t>(width), parameters);
        Vector slope = Vector::Zero(width + 1);
        for (Index k = 0; k < width; ++k) {
          const auto a = test::naive_activation(spec.activation, z[static_cast<std::size_t>(k)]);
          phi(i, k) = static_cast<double>(a.value);
          slope[k] = static_cast<double>(a.first);
        }
        gram += slope * slope.transpose() / static_cast<double>(n);
      }
  }
};

// A network whose first layers stay as they are is linear in its features: with half squared error the last layer that
// minimises L + (mu/2) D solves (Phi'Phi/N + mu G) theta = Phi'y/N. A condition number of 1e4 leaves 12 digits.
TEST(Dirichlet, OfLinearFeaturesIsMinimisedByANormalEquation) {
  constexpr double mu = .3;
  const ModelSpec spec{{4, 6}, "tanh", "mse", "standard", 0, 0};
  const Network net(spec, 2, 40);
  const Dirichlet dirichlet(net.model, net.samples.x, true);
  const Penalised energy(net.risk, mu / 2, dirichlet);
  Vector theta = test::normals(net.model.size(), 5);
  const Features features(spec, net.samples.x, theta);
  const double n = 40;
  const Vector y = Eigen::VectorXi::Map(net.samples.label.data(), 40).cast<double>();
  const Matrix normal = features.phi.transpose() * features.phi / n + mu * features.gram;
  theta.tail(7) = normal.partialPivLu().solve(features.phi.transpose() * y / n);
  Vector g(theta.size());
  energy.gradient(theta, {}, g);
  EXPECT_LT(g.tail(7).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_GT(g.head(g.size() - 7).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Penalised, AddsAWeightedPenalty) {
  const Network net({{5}, "tanh", "logistic", "standard", .1, 0}, 2, 6);
  const Dirichlet dirichlet(net.model, net.samples.x, true);
  const Penalised energy(net.risk, .7, dirichlet);
  const Vector theta = test::normals(net.model.size(), 1), w = test::normals(net.model.size(), 2);
  Vector g(theta.size()), a = g, b = g;
  const std::int32_t listed[] = {2, 5};
  for (const Batch batch : {Batch{}, Batch{listed}}) {
    const double sum = net.risk.gradient(theta, batch, a) + .7 * dirichlet.gradient(theta, batch, b);
    EXPECT_EQ(energy.gradient(theta, batch, g), sum);
    EXPECT_EQ(energy.value(theta, batch), net.risk.value(theta, batch) + .7 * dirichlet.value(theta, batch));
    EXPECT_LT(test::distance(g, a + .7 * b), 1e-15);
  }
  const DerivativeGap gap = derivative_gap(energy, theta, w);
  EXPECT_LT(gap.gradient, 1e-10);
  EXPECT_LT(gap.product, 1e-10);
  EXPECT_EQ(energy.samples(), 6);
}

TEST(Penalised, RefusesAPenaltyOfAnotherSize) {
  const test::Quadratic four(test::definite(4, 1)), three(test::definite(3, 1));
  EXPECT_THROW(Penalised(four, 1, three), std::invalid_argument);
}

TEST(Dirichlet, NamesWhatDoesNotFit) {
  const Network net({{5}, "tanh", "logistic", "standard", 0, 0}, 2, 6);
  const Matrix none(0, 2), other(4, 3);
  EXPECT_THROW(Dirichlet(net.model, none, true), std::invalid_argument);
  EXPECT_THROW(Dirichlet(net.model, other, true), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
