#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

/// A linear diffusion without an objective, in the plain and in the Sobolev metric.
struct Heat {
  static constexpr Index n = 20;
  test::Quadratic nothing{Matrix::Zero(n, n)};
  std::unique_ptr<Lattice> lattice;
  GradientFlow flow;

  Heat(const std::string& name, const Slots& slots)
      : lattice(test::flat_lattice(name, n)), flow(nothing, lattice.get(), slots) {}
};

// exp(h J) by one transform, whatever the step: here h J reaches from 0 to -4000.
TEST(SplitExponential, IsExactOnTheStiffPartAlone) {
  const Vector y0 = test::normals(Heat::n, 1);
  for (const std::string lattice : {"chain", "ring", "permuted"})
    for (const Slots& slots : {Slots{1000, 0, 1}, Slots{1000, .5, 1}, Slots{1000, .5, 2}}) {
      const Heat heat(lattice, slots);
      Vector exact = y0;
      heat.flow.phi_stiff(0, 1, exact);
      for (const std::string scheme : {"exponential-euler", "etdrk4"})
        for (const double step : {1., .25})
          EXPECT_LT((test::solve(heat.flow, scheme, step, y0).y - exact).cwiseAbs().maxCoeff(), 1e-13) << scheme;
    }
}

/// The minimum of a quadratic with diffusion, shifted away from zero.
class Shifted final : public Functional {
 public:
  Shifted(Matrix a, Vector b) : a_(std::move(a)), b_(std::move(b)) {}
  Index size() const override { return b_.size(); }
  double value(In y, Batch) const override { return y.dot(a_ * y) / 2 - b_.dot(y); }
  double gradient(In y, Batch batch, Out g) const override {
    g = a_ * y - b_;
    return value(y, batch);
  }
  void hvp(In, Batch, In w, Out hw) const override { hw = a_ * w; }

 private:
  Matrix a_;
  Vector b_;
};

// Lawson's method, exp(h J) (y + h N(y)), would not: the force there balances the diffusion.
TEST(SplitExponential, RestsWhereTheFlowDoes) {
  constexpr Index n = 12;
  const auto lattice = test::flat_lattice("chain", n);
  const Matrix a = test::definite(n, 1), k = test::dense(*lattice);
  const Vector b = test::normals(n, 2), rest = (a + 50 * k).llt().solve(b);
  const Shifted energy(a, b);
  const GradientFlow flow(energy, lattice.get(), {50, 0, 1});
  for (const std::string scheme : {"exponential-euler", "etdrk4"})
    EXPECT_LT((test::solve(flow, scheme, .5, rest, 10).y - rest).norm(), 1e-12) << scheme;
}

// A step of any size is exact on a quadratic, to the Krylov space's eight digits of the move; here h J reaches to -100.
TEST(ExponentialRosenbrock, IsExactOnAQuadraticInAnyMetric) {
  constexpr Index n = 15;
  const auto lattice = test::flat_lattice("chain", n);
  const Matrix a = test::definite(n, 1), one = Matrix::Identity(n, n), k = test::dense(*lattice);
  const Vector y0 = test::normals(n, 2);
  const test::Quadratic energy(a);
  for (const Slots& slots : {Slots{25, 0, 1}, Slots{25, .3, 1}, Slots{25, .3, 2}}) {
    const GradientFlow flow(energy, lattice.get(), slots);
    Matrix metric = one;
    for (int p = 0; p < (slots.sigma > 0 ? slots.power : 0); ++p) metric *= one + slots.sigma * k;
    const Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> modes(a + slots.nu * k, metric);
    const Vector decay = (-modes.eigenvalues()).array().exp();
    const Vector exact = modes.eigenvectors() * decay.cwiseProduct(modes.eigenvectors().transpose() * (metric * y0));
    for (const std::string scheme : {"exponential-rosenbrock-euler", "exprb32"}) {
      const Outcome outcome = test::solve(flow, scheme, 1, y0);
      EXPECT_LT((outcome.y - exact).norm(), 1e-7 * y0.norm()) << scheme;
      EXPECT_EQ(outcome.work.products, outcome.work.linear_iterations + (scheme == "exprb32" ? 1 : 0)) << scheme;
    }
  }
}

// Where the velocity is not linear; the flow expands errors by less than three over this time.
TEST(ExponentialRosenbrock, AdaptsItsStepToItsTolerance) {
  const test::Network net({{8}, "tanh", "logistic", "standard", 0, 0}, 2, 30);
  const GradientFlow flow(net.risk, net.lattice.get(), {.05, 0, 1}, 5);
  const Vector y0 = net.model.start(1), exact = test::solve(flow, "rk8vr", 1. / 256, y0, 4).y;
  std::int64_t steps = 0;
  for (const double atol : {1e-3, 1e-5, 1e-7}) {
    SchemeSettings settings;
    settings.step = 4;
    settings.atol = atol;
    Stop stop;
    stop.time = 4;
    const Outcome outcome = integrate(flow, make_scheme("exprb32", settings), y0, stop);
    EXPECT_EQ(outcome.status, Status::time);
    EXPECT_GT(outcome.work.steps, steps);
    steps = outcome.work.steps;
    EXPECT_LT((outcome.y - exact).cwiseAbs().maxCoeff(), 3 * atol * static_cast<double>(steps)) << atol;
  }
}

/// y' = J y with J not self-adjoint.
class Turning final : public Flow {
 public:
  Index size() const override { return 2; }
  void velocity(Part, const Instant&, In y, Out v) const override { v << -y[1], y[0]; }
  void jvp(Part part, const Instant& at, In, In w, Out vw) const override { velocity(part, at, w, vw); }
  bool stiff() const override { return true; }
};

TEST(Exponential, SchemesRefuseFlowsThatTheyCannotTake) {
  const auto said = [](std::string_view scheme) {
    return test::complaint([&] { test::solve(Turning(), scheme, .1, Vector::Ones(2)); });
  };
  for (const auto* scheme : {"exponential-rosenbrock-euler", "exprb32"})
    EXPECT_NE(said(scheme).find("not self-adjoint"), std::string::npos) << scheme;
  for (const auto* scheme : {"exponential-euler", "etdrk4"})
    EXPECT_NE(said(scheme).find("no exponential"), std::string::npos) << scheme;
  EXPECT_NE(said("rkc1").find("scheme.stages"), std::string::npos);
}

}  // namespace
}  // namespace thalweg
