#include "thalweg/energy/landscapes.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "../network.hpp"

namespace thalweg {
namespace {

/// The Hessian, a product a column.
Matrix hessian(const Functional& f, In y) {
  Matrix h(f.size(), f.size());
  for (Index j = 0; j < f.size(); ++j) f.hvp(y, {}, Vector::Unit(f.size(), j), h.col(j));
  return h;
}

Vector gradient(const Functional& f, In y) {
  Vector g(f.size());
  f.gradient(y, {}, g);
  return g;
}

class EveryLandscape : public testing::TestWithParam<Landscape> {
 protected:
  LandscapeSpec spec() const { return {.dimension = std::min<Index>(GetParam().most, 5), .rotated = true}; }
};

TEST_P(EveryLandscape, HasExactDerivatives) {
  const auto f = GetParam().make(spec());
  // Fourth-order differences over 1e-3 of functions with derivatives up to 1e5 of their own size.
  for (const Vector& y : {GetParam().start(spec()), Vector(GetParam().start(spec()) * .4)}) {
    const DerivativeGap gap = derivative_gap(*f, y, test::normals(f->size(), 1));
    EXPECT_LT(gap.gradient, 1e-7);
    EXPECT_LT(gap.product, 1e-7);
  }
}

TEST_P(EveryLandscape, GivesItsGradientTheValueToTheBit) {
  const auto f = GetParam().make(spec());
  const Vector y = GetParam().start(spec());
  Vector g(f->size());
  EXPECT_EQ(f->gradient(y, {}, g), f->value(y, {}));
}

TEST_P(EveryLandscape, StartsWhereItIsSteep) {
  const auto f = GetParam().make(spec());
  const Vector g = gradient(*f, GetParam().start(spec()));
  for (Index i = 0; i < g.size(); ++i) EXPECT_GT(std::abs(g[i]), 1e-2) << i;
}

// u_s = Laplacian u, the left side by fourth-order differences over 1e-4 of functions that change over .01 and more.
TEST_P(EveryLandscape, ObeysTheHeatEquation) {
  const Vector y = GetParam().start(spec()) * .8;
  const auto at = [&](double heat) {
    LandscapeSpec warm = spec();
    warm.heat = heat;
    return GetParam().make(warm);
  };
  for (const double s : {2e-4, .02}) {
    const double h = 1e-4;
    const auto value = [&](double shift) { return at(s + shift)->value(y, {}); };
    const double rate = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
    const Matrix bend = hessian(*at(s), y);
    EXPECT_NEAR(bend.trace(), rate, 1e-6 * bend.cwiseAbs().maxCoeff()) << s;
    const DerivativeGap gap = derivative_gap(*at(s), y, test::normals(y.size(), 1));
    EXPECT_LT(gap.gradient, 1e-7);
    EXPECT_LT(gap.product, 1e-7);
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryLandscape, testing::ValuesIn(landscapes().begin(), landscapes().end()),
                         [](const auto& row) { return test::identifier(row.param.name); });

TEST(Landscapes, HaveTheirKnownMinima) {
  const auto of = [](const char* name, Index n = 2) { return landscape_for(name, {.dimension = n}).make({n}); };
  const auto rosenbrock = of("rosenbrock", 4);
  EXPECT_EQ(rosenbrock->value(Vector::Ones(4), {}), 0);
  EXPECT_EQ(gradient(*rosenbrock, Vector::Ones(4)).norm(), 0);
  EXPECT_EQ(of("rastrigin")->value(Vector::Zero(2), {}), 0);
  EXPECT_EQ(of("double-well")->value(Vector{{1, -1}}, {}), 0);
  EXPECT_EQ(of("factorisation")->value(Vector{{4, .25}}, {}), 0);
  // Mueller, Brown 1979: the minimum to the six digits in which it is printed, hence flat to their curvature times
  // 1e-6, about 1e-3.
  const auto surface = of("mueller-brown");
  const Vector deepest{{-.558224, 1.441726}};
  EXPECT_NEAR(surface->value(deepest, {}), -146.6995, 1e-4);
  EXPECT_LT(gradient(*surface, deepest).norm(), 2e-3);
}

// At the standard deviation sigma, heat time sigma^2/2: minima +-sqrt(1 - 3 sigma^2), barrier (1 - 3 sigma^2)^2/4.
TEST(Landscapes, UnderHeatTheDoubleWellBecomesShallow) {
  for (const double sigma : {0., .1, .3, .5}) {
    const auto f = landscape_for("double-well", {}).make({.dimension = 1, .heat = sigma * sigma / 2});
    const double width = 1 - 3 * sigma * sigma;
    const Vector minimum{{std::sqrt(width)}}, top = Vector::Zero(1);
    EXPECT_NEAR(gradient(*f, minimum)[0], 0, 1e-15);
    EXPECT_NEAR(hessian(*f, minimum)(0, 0), 2 * width, 1e-15);
    EXPECT_NEAR(f->value(top, {}) - f->value(minimum, {}), width * width / 4, 1e-15);
  }
}

TEST(Landscapes, FactorisationKeepsTheDifferenceOfSquares) {
  const auto f = landscape_for("factorisation", {}).make({});
  const Vector y{{.7, -1.3}}, g = gradient(*f, y);
  EXPECT_NEAR(y[0] * g[0] - y[1] * g[1], 0, 1e-15);
}

/// A rotation keeps trace, Frobenius norm and symmetry of diag(1, ..., condition).
TEST(Landscapes, QuadraticHasItsEigenvaluesInAnyRotation) {
  const LandscapeSpec spec{.dimension = 6, .condition = 1e3, .rotated = true, .seed = 3};
  const Matrix a = hessian(*landscape_for("quadratic", spec).make(spec), Vector::Zero(6));
  double trace = 0, squares = 0;
  for (int k = 0; k < 6; ++k) {
    trace += std::pow(1e3, k / 5.);
    squares += std::pow(1e3, 2 * k / 5.);
  }
  EXPECT_NEAR(a.trace(), trace, 1e-12 * trace);
  EXPECT_NEAR(a.squaredNorm(), squares, 1e-12 * squares);
  EXPECT_LT((a - a.transpose()).norm(), 1e-12 * trace);
  EXPECT_GT(a.cwiseAbs().minCoeff(), 1e-3) << "hardly rotated";
  // Starting with one along every eigenvector: E is half the trace.
  const auto& row = landscape_for("quadratic", spec);
  EXPECT_NEAR(row.make(spec)->value(row.start(spec), {}), trace / 2, 1e-12 * trace);
}

TEST(Landscapes, RefuseWhatTheyCannotHave) {
  const auto message = [](const char* name, const LandscapeSpec& spec) -> std::string {
    try {
      landscape_for(name, spec);
    } catch (const std::invalid_argument& misuse) {
      return misuse.what();
    }
    return {};
  };
  EXPECT_EQ(message("rosenbrock", {.dimension = 1}), "model.dimension: 1, but rosenbrock has at least 2 parameters");
  EXPECT_EQ(message("factorisation", {.dimension = 3}), "model.dimension: 3, but factorisation has 2 parameters");
  EXPECT_EQ(message("quadratic", {.condition = .5}), "model.condition: 0.5 is below 1");
  EXPECT_EQ(message("double-well", {.heat = -1}), "flow.heat: -1 is negative");
  EXPECT_EQ(message("mueller-brown", {.heat = .3}), "flow.heat: 0.3, but the heat flow of mueller-brown ends at 0.25");
  EXPECT_NE(message("rosenbrok", {}).find("rosenbrock"), std::string::npos);
}

}  // namespace
}  // namespace thalweg
