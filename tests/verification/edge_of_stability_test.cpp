#include <gtest/gtest.h>

#include <cmath>

#include "../network.hpp"
#include "thalweg/integrate/integrate.hpp"
#include "thalweg/integrate/sharpness.hpp"

namespace thalweg {
namespace {

/// (1/(2 N)) sum_i (f(x_i) - T(x_i))^2, T the Chebyshev polynomial of degree 4, on 20 even points of [-1, 1]: the toy
/// problem of Cohen et al. (2021).
class Regression final : public Functional {
 public:
  explicit Regression(const Mlp& model) : model_(model) {}
  Index size() const override { return model_.size(); }
  double value(In theta, Batch) const override {
    Tape tape;
    return residual(theta, tape, 0).squaredNorm() / (2 * points);
  }
  double gradient(In theta, Batch, Out g) const override {
    Tape& tape = thread_tape();
    const Vector r = residual(theta, tape, 1);
    model_.cotangent(tape).col(0) = r / points;
    g.setZero();
    model_.backward(theta, tape, 1, g);
    return r.squaredNorm() / (2 * points);
  }
  void hvp(In theta, Batch, In w, Out hw) const override {
    Tape& tape = thread_tape();
    const Vector r = residual(theta, tape, 2);
    model_.cotangent(tape).col(0) = r / points;
    model_.prepare_tangents(theta, tape);
    const Vector tangent = model_.forward_tangent(theta, w, tape).col(0);
    model_.cotangent_tangent(tape).col(0) = tangent / points;
    hw.setZero();
    model_.backward_tangent(theta, w, tape, 1, hw);
  }

 private:
  static constexpr int points = 20;

  static Tape& thread_tape() {
    thread_local Tape tape;
    return tape;
  }
  Vector residual(In theta, Tape& tape, int derivatives) const {
    const Eigen::ArrayXd x = Eigen::ArrayXd::LinSpaced(points, -1, 1);
    model_.input(tape, points, derivatives == 2).col(0) = x;
    return model_.forward(theta, tape, derivatives).col(0).array() - (8 * x.pow(4) - 8 * x.square() + 1);
  }

  const Mlp& model_;
};

/// Records sharpness and loss.
class Gauge final : public Observer {
 public:
  explicit Gauge(const Flow& flow) : flow_(flow) {}
  void see(const Frame& frame) override {
    sharpness.push_back(thalweg::sharpness(flow_, Part::all, {}, frame.y, 1e-3).value);
    loss.push_back(*flow_.energy(frame.y));
  }
  std::vector<double> sharpness, loss;

 private:
  const Flow& flow_;
};

struct Method {
  std::string scheme;
  double limit;  // where |R(-z)| = 1 for the stability polynomial R
};

class EdgeOfStability : public testing::TestWithParam<Method> {
 protected:
  const Mlp model{{.hidden = {20, 20}}, 1, 1};
  const Regression risk{model};
  const GradientFlow flow{risk, nullptr, {}};
  const Vector y0 = model.start(0);
};

TEST(Regression, HasExactDerivatives) {
  const Mlp model({.hidden = {20, 20}}, 1, 1);
  const Regression risk(model);
  const DerivativeGap gap = derivative_gap(risk, model.start(0), test::normals(model.size(), 3));
  EXPECT_LT(gap.gradient, 1e-9);
  EXPECT_LT(gap.product, 1e-9);
}

// The flow itself sharpens from 10 to beyond 30; a step of limit/16 stops that at 16, whatever the scheme, while the
// loss goes on falling (Cohen et al. 2021). Sharpness hovers: the mean of the last third is within the 2 to 3 % that
// are observed. That is no instability, and the run is none that diverged.
TEST_P(EdgeOfStability, HoldsTheSharpnessAtTheLimitOverTheStep) {
  constexpr double edge = 16, end = 300;
  SchemeSettings settings;
  settings.step = GetParam().limit / edge;
  Stop stop;
  stop.time = end;
  Gauge gauge(flow);
  const Watch watch[] = {{{even_times(end, 60), 0}, gauge}};
  const Scheme scheme = make_scheme(GetParam().scheme, settings);
  const Outcome outcome = integrate(flow, scheme, y0, stop, watch);
  EXPECT_EQ(outcome.status, Status::time) << outcome.message;
  EXPECT_NEAR(scheme.row.limit(settings), GetParam().limit, 1e-6);
  double late = 0;
  for (std::size_t i = 41; i <= 60; ++i) late += gauge.sharpness[i] / 20;
  EXPECT_NEAR(late * settings.step / GetParam().limit, 1, .03);
  EXPECT_LT(gauge.sharpness[0], .8 * edge);
  EXPECT_LT(gauge.loss[60], .5 * gauge.loss[40]);
}

// Below every edge it passes 16 on its way.
TEST_P(EdgeOfStability, IsNotReachedByShortSteps) {
  SchemeSettings settings;
  settings.step = GetParam().limit / 80;
  Stop stop;
  stop.time = 300;
  const Outcome outcome = integrate(flow, make_scheme(GetParam().scheme, settings), y0, stop);
  EXPECT_EQ(outcome.status, Status::time);
  EXPECT_GT(sharpness(flow, Part::all, {}, outcome.y).value, 1.5 * 16);
}

INSTANTIATE_TEST_SUITE_P(RungeKutta, EdgeOfStability,
                         testing::Values(Method{"sgd", 2}, Method{"forward-euler", 2}, Method{"rk2a", 2},
                                         Method{"rk3", 2.5127453}, Method{"rk4", 2.7852936}),
                         [](const auto& method) { return test::identifier(method.param.scheme); });

}  // namespace
}  // namespace thalweg
