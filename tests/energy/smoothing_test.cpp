#include "thalweg/energy/smoothing.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "../network.hpp"

namespace thalweg {
namespace {

/// A functional diffused with the draws of step 0.
class Diffused final : public Functional {
 public:
  Diffused(const Functional& f, const Smoothing& smoothing) : f_(f), smoothing_(smoothing) {}
  Index size() const override { return f_.size(); }
  double value(In y, Batch batch) const override { return smoothing_.value(f_, y, batch, 0).value(); }
  double gradient(In y, Batch batch, Out g) const override {
    smoothing_.gradient(f_, y, batch, 0, g);
    return value(y, batch);
  }
  void hvp(In y, Batch batch, In w, Out hw) const override { smoothing_.hvp(f_, y, batch, 0, w, hw); }

 private:
  const Functional& f_;
  const Smoothing& smoothing_;
};

/// (x^2 - 1)^2/4, which counts its gradients.
class DoubleWell final : public Functional {
 public:
  mutable std::int64_t gradients = 0;
  Index size() const override { return 1; }
  double value(In y, Batch) const override { return std::pow(y[0] * y[0] - 1, 2) / 4; }
  double gradient(In y, Batch, Out g) const override {
    ++gradients;
    g[0] = y[0] * (y[0] * y[0] - 1);
    return value(y, {});
  }
  void hvp(In y, Batch, In w, Out hw) const override { hw[0] = (3 * y[0] * y[0] - 1) * w[0]; }
};

Vector gradient_of(const Smoothing& smoothing, const Functional& f, In y, std::int64_t step = 0) {
  Vector g = Vector::Constant(y.size(), NAN);
  smoothing.gradient(f, y, {}, step, g);
  return g;
}

Vector product_of(const Smoothing& smoothing, const Functional& f, In y, In w, std::int64_t step = 0) {
  Vector hw = Vector::Constant(y.size(), NAN);
  smoothing.hvp(f, y, {}, step, w, hw);
  return hw;
}

/// The mean of independent numbers and its standard error.
struct Mean {
  double value = 0, error = 0;

  explicit Mean(const Vector& x) : value(x.mean()) {
    const auto n = static_cast<double>(x.size());
    error = std::sqrt((x.array() - value).square().sum() / (n - 1) / n);
  }
};

// A pair's gradients A (y + d) and A (y - d) have the mean A y: a sum of 20 numbers of size ten.
TEST(HeatSmoothing, LeavesTheGradientOfAQuadraticAlone) {
  const Matrix a = test::definite(6, 1);
  const test::Quadratic f(a);
  const Vector y = test::normals(6, 2), w = test::normals(6, 3);
  const auto smoothing = heat_smoothing(.3, {10, 1, true});
  EXPECT_LT((gradient_of(*smoothing, f, y) - a * y).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LT((product_of(*smoothing, f, y, w) - a * w).cwiseAbs().maxCoeff(), 1e-14);
}

// E (y + sqrt(2 s) xi)'A(y + sqrt(2 s) xi)/2 = y'A y/2 + s tr A; of a pair xi'A xi has the variance 2 tr A^2.
TEST(HeatSmoothing, LiftsAQuadraticByItsTrace) {
  constexpr double heat = .3;
  constexpr Index pairs = 2000;
  const Matrix a = test::definite(6, 1);
  const test::Quadratic f(a);
  const Vector y = test::normals(6, 2);
  const double lifted = heat_smoothing(heat, {pairs, 1, false})->value(f, y, {}, 0).value() - f.value(y, {});
  EXPECT_NEAR(lifted, heat * a.trace(), 4 * heat * std::sqrt(2 * (a * a).trace() / pairs));
}

// G_s * f' = x^3 + 6 s x - x, and f'' gains 6 s: means over 4000 independent steps of one pair.
TEST(HeatSmoothing, OfTheDoubleWellIsItsClosedFormInTheMean) {
  constexpr double heat = .05;
  const DoubleWell f;
  const auto smoothing = heat_smoothing(heat, {1, 3, true});
  for (const double x : {0., .4, 1.}) {
    const Vector y = Vector::Constant(1, x), w = Vector::Ones(1);
    Vector slopes(4000), bends(4000);
    for (Index step = 0; step < slopes.size(); ++step) {
      slopes[step] = gradient_of(*smoothing, f, y, step)[0];
      bends[step] = product_of(*smoothing, f, y, w, step)[0];
    }
    const Mean slope(slopes), bend(bends);
    EXPECT_NEAR(slope.value, x * x * x + 6 * heat * x - x, 4 * slope.error + 1e-15) << x;
    EXPECT_NEAR(bend.value, 3 * x * x + 6 * heat - 1, 4 * bend.error) << x;
  }
}

TEST(HeatSmoothing, HasTheDerivativesOfItsOwnValue) {
  for (const std::string& activation : names(activations())) {
    const test::Network net({{6}, activation, "logistic", "standard", .1, 0}, 2, 5);
    const auto smoothing = heat_smoothing(.01, {3, 1, false});
    const Vector theta = test::normals(net.model.size(), 1), w = test::normals(net.model.size(), 2);
    const DerivativeGap gap = derivative_gap(Diffused(net.risk, *smoothing), theta, w);
    EXPECT_LT(gap.gradient, 1e-10) << activation;
    EXPECT_LT(gap.product, 1e-10) << activation;
  }
}

// Gradients with draws of their own at every step are those of no function.
TEST(HeatSmoothing, HasAValueForLastingDrawsAlone) {
  const DoubleWell f;
  EXPECT_TRUE(heat_smoothing(.1, {1, 1, false})->value(f, Vector::Ones(1), {}, 0).has_value());
  EXPECT_FALSE(heat_smoothing(.1, {1, 1, true})->value(f, Vector::Ones(1), {}, 0).has_value());
}

TEST(HeatSmoothing, ForNoTimeIsTheFunctional) {
  const test::Network net({{6}, "tanh", "logistic", "standard", .1, 0}, 2, 20);
  const Vector theta = test::normals(net.model.size(), 1);
  Vector g(theta.size());
  net.risk.gradient(theta, {}, g);
  EXPECT_EQ(gradient_of(*heat_smoothing(0, {2, 1, true}), net.risk, theta), g);
}

TEST(HeatSmoothing, SeesTheBatchItIsGiven) {
  const test::Network net({{6}, "tanh", "logistic", "standard", .1, 0}, 2, 20);
  const Vector theta = test::normals(net.model.size(), 1);
  const std::int32_t batch[] = {2, 7, 7};
  Vector g(theta.size()), exact(theta.size());
  net.risk.gradient(theta, batch, exact);
  heat_smoothing(0, {1, 1, true})->gradient(net.risk, theta, batch, 0, g);
  EXPECT_EQ(g, exact);
}

/// Both ways of smoothing with these draws.
std::vector<std::unique_ptr<Smoothing>> both(const Draws& draws) {
  std::vector<std::unique_ptr<Smoothing>> all;
  all.push_back(heat_smoothing(.1, draws));
  all.push_back(local_entropy({.5, .2, 5, .1, .75}, draws));
  return all;
}

TEST(Smoothing, DrawsAsAFunctionOfSeedAndStep) {
  const DoubleWell f;
  const Vector y = Vector::Constant(1, .7);
  const auto fresh = both({2, 1, true}), other = both({2, 2, true}), fixed = both({2, 1, false});
  for (std::size_t k = 0; k < fresh.size(); ++k) {
    const auto at = [&](const Smoothing& s, std::int64_t step) { return gradient_of(s, f, y, step)[0]; };
    EXPECT_EQ(at(*fresh[k], 5), at(*fresh[k], 5));
    EXPECT_NE(at(*fresh[k], 5), at(*fresh[k], 6));
    EXPECT_NE(at(*fresh[k], 5), at(*other[k], 5));
    EXPECT_EQ(at(*fixed[k], 5), at(*fixed[k], 6));
    EXPECT_EQ(at(*fixed[k], 5), at(*fresh[k], 0));
  }
}

TEST(Smoothing, SaysWhatItCosts) {
  const Vector y = Vector::Constant(1, .7);
  auto all = both({3, 1, true});
  all.push_back(local_entropy({.5, 0, 7, .1, .75}, {3, 1, true}));
  for (const auto& smoothing : all) {
    const DoubleWell f;
    gradient_of(*smoothing, f, y);
    EXPECT_EQ(smoothing->gradients(), f.gradients);
  }
  EXPECT_EQ(all[0]->gradients(), 6);
  EXPECT_EQ(all[1]->gradients(), 30);
  EXPECT_EQ(all[2]->gradients(), 7);
}

// On a quadratic the two chains of a pair have the mean of the chain without noise: m_k+1 = m_k - h (A m_k + (m_k -
// x)/gamma), and the estimate is a function of that. Fifty steps of rounding at size one, divided by gamma.
TEST(LocalEntropy, OfAQuadraticIsALinearRecursion) {
  const LocalEntropy spec{.4, .3, 50, .2, .75};
  const Matrix a = test::definite(6, 1);
  const test::Quadratic f(a);
  const Vector x = test::normals(6, 2);
  Vector y = x, mean = x;
  for (int k = 0; k < spec.steps; ++k) {
    y -= spec.step * (a * y + (y - x) / spec.scope);
    mean = spec.average * mean + (1 - spec.average) * y;
  }
  EXPECT_LT((gradient_of(*local_entropy(spec, {4, 1, true}), f, x) - (x - mean) / spec.scope).cwiseAbs().maxCoeff(),
            1e-13);
}

// u = x'A(I + t A)^-1 x/2 + const solves the viscous Hamilton-Jacobi equation from x'A x/2: its gradient is what a long
// chain tends to, by a factor 1 - .2 (.1 + 1/.4) = .48 a step.
TEST(LocalEntropy, OfAQuadraticTendsToTheHamiltonJacobiSolution) {
  const LocalEntropy spec{.4, .3, 200, .2, .75};
  const Matrix a = test::definite(6, 1), one = Matrix::Identity(6, 6);
  const test::Quadratic f(a);
  const Vector x = test::normals(6, 2), w = test::normals(6, 3);
  const Matrix bend = a * (one + spec.scope * a).inverse();
  const auto entropy = local_entropy(spec, {2, 1, true});
  EXPECT_LT((gradient_of(*entropy, f, x) - bend * x).cwiseAbs().maxCoeff(), 1e-13);
  EXPECT_LT((product_of(*entropy, f, x, w) - bend * w).cwiseAbs().maxCoeff(), 1e-13);
}

/// -tau d/dx ln integral exp(-((y^2 - 1)^2/4 + (y - x)^2/(2 gamma))/tau) dy by the trapezoidal rule, which converges
/// faster than any power on a smooth peak.
double slope_by_quadrature(double x, double scope, double tau) {
  double mass = 0, mean = 0;
  for (double y = -4; y <= 4; y += .01) {
    const double weight = std::exp(-(std::pow(y * y - 1, 2) / 4 + (y - x) * (y - x) / (2 * scope)) / tau);
    mass += weight;
    mean += weight * y;
  }
  return (x - mean / mass) / scope;
}

// Forty independent chains; Euler-Maruyama's law is off by O(h): some h |slope|.
TEST(LocalEntropy, OfTheDoubleWellIsItsGibbsMean) {
  const LocalEntropy spec{.5, .2, 4000, .01, .999};
  const DoubleWell f;
  const auto entropy = local_entropy(spec, {1, 3, true});
  for (const double x : {.3, 1.2}) {
    Vector slopes(40);
    for (Index step = 0; step < slopes.size(); ++step)
      slopes[step] = gradient_of(*entropy, f, Vector::Constant(1, x), step)[0];
    const Mean slope(slopes);
    EXPECT_LT(slope.error, .05);
    EXPECT_NEAR(slope.value, slope_by_quadrature(x, spec.scope, spec.tau), 4 * slope.error + .01) << x;
  }
}

// Without temperature: the lowest point of f(y) + |y - x|^2/(2 gamma), at which x - y = gamma f'(y).
TEST(LocalEntropy, AtZeroTemperatureIsTheMoreauEnvelope) {
  const LocalEntropy spec{.5, 0, 400, .2, .5};
  const DoubleWell f;
  const double x = 1.4, slope = gradient_of(*local_entropy(spec, {}), f, Vector::Constant(1, x))[0];
  const double y = x - spec.scope * slope;
  EXPECT_NEAR(slope, y * (y * y - 1), 1e-14);
}

// Fourth-order central differences over a distance of 1e-3: truncation 1e-12 and rounding 1e-13, both times |w| = 6,
// and 1/gamma times as much.
TEST(LocalEntropy, HasTheDerivativeOfItsGradient) {
  const test::Network net({{6}, "tanh", "logistic", "standard", .1, 0}, 2, 5);
  const auto entropy = local_entropy({.5, 1e-3, 6, .1, .75}, {2, 1, false});
  const Vector theta = test::normals(net.model.size(), 1), w = test::normals(net.model.size(), 2);
  const double h = 1e-3 / w.norm();
  const auto at = [&](double shift) { return gradient_of(*entropy, net.risk, theta + shift * w); };
  const Vector difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
  EXPECT_LT(test::distance(product_of(*entropy, net.risk, theta, w), difference), 1e-9);
}

TEST(Smoothing, NamesTheOptionThatIsWrong) {
  EXPECT_THROW(heat_smoothing(-1, {}), std::invalid_argument);
  EXPECT_THROW(heat_smoothing(1, {0, 0, true}), std::invalid_argument);
  EXPECT_THROW(local_entropy({}, {0, 0, true}), std::invalid_argument);
  EXPECT_THROW(local_entropy({.scope = 0}, {}), std::invalid_argument);
  EXPECT_THROW(local_entropy({.tau = -1}, {}), std::invalid_argument);
  EXPECT_THROW(local_entropy({.steps = 0}, {}), std::invalid_argument);
  EXPECT_THROW(local_entropy({.step = 0}, {}), std::invalid_argument);
  EXPECT_THROW(local_entropy({.average = 1}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
