#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <map>

#include "solve.hpp"

namespace thalweg {
namespace {

/// In place of the normal vectors: a unit vector at one call of colour() and zero at all others.
struct Impulse {
  std::int64_t call = -1;
  Index direction = 0;
  std::int64_t calls = 0;
};

/// dy = -A y dt + B dW with a symmetric A. With an impulse a run is the response of its state to one entry of the
/// noise.
class OrnsteinUhlenbeck final : public Flow {
 public:
  OrnsteinUhlenbeck(Matrix a, Matrix b, Impulse* impulse = nullptr)
      : a_(std::move(a)), b_(std::move(b)), impulse_(impulse) {}
  Index size() const override { return a_.rows(); }
  void velocity(Part part, const Instant&, In y, Out v) const override {
    if (part == Part::slow || part == Part::all)
      v = -a_ * y;
    else
      v.setZero();
  }
  void jvp(Part part, const Instant& at, In, In w, Out vw) const override { velocity(part, at, w, vw); }
  bool noisy() const override { return true; }
  void colour(Out xi) const override {
    if (impulse_) {
      const bool now = impulse_->calls++ == impulse_->call;
      xi = now ? Vector(Vector::Unit(xi.size(), impulse_->direction)) : Vector(Vector::Zero(xi.size()));
    }
    xi = b_ * xi;
  }

  /// The covariance at t of a start that is known: dS/dt = -A S - S A + B B'.
  Matrix covariance(double t) const {
    const Eigen::SelfAdjointEigenSolver<Matrix> modes(a_);
    Matrix s = modes.eigenvectors().transpose() * b_ * b_.transpose() * modes.eigenvectors();
    for (Index i = 0; i < s.rows(); ++i)
      for (Index j = 0; j < s.cols(); ++j) {
        const double rate = modes.eigenvalues()[i] + modes.eigenvalues()[j];
        s(i, j) *= -std::expm1(-rate * t) / rate;
      }
    return modes.eigenvectors() * s * modes.eigenvectors().transpose();
  }
  Vector mean(double t, const Vector& y0) const {
    const Eigen::SelfAdjointEigenSolver<Matrix> modes(a_);
    const Vector decay = (-t * modes.eigenvalues()).array().exp();
    return modes.eigenvectors() * decay.cwiseProduct(modes.eigenvectors().transpose() * y0);
  }

 private:
  Matrix a_, b_;
  Impulse* impulse_;
};

struct Moments {
  Vector mean;
  Matrix covariance;
};

/// The exact moments of a scheme's state at `end`. Its step is affine in the state and in the normal vectors, which are
/// independent: the covariance is the sum of the squared responses to their entries, and nothing is sampled.
Moments moments(const Matrix& a, const Matrix& b, std::string_view scheme, double step, const Vector& y0, double end) {
  Impulse impulse;
  const OrnsteinUhlenbeck flow(a, b, &impulse);
  Moments result{test::solve(flow, scheme, step, y0, end).y, Matrix::Zero(a.rows(), a.rows())};
  const std::int64_t calls = impulse.calls;
  for (std::int64_t call = 0; call < calls; ++call)
    for (Index direction = 0; direction < a.rows(); ++direction) {
      impulse = {call, direction};
      const Vector response = test::solve(flow, scheme, step, Vector::Zero(a.rows()), end).y;
      result.covariance += response * response.transpose();
    }
  return result;
}

class WeakOrder : public testing::TestWithParam<SchemeRow> {};

// Mean and covariance at t = 1 against the exact ones; the next term of the expansions is 10 % at these steps.
TEST_P(WeakOrder, ShowsInTheMomentsOfAnOrnsteinUhlenbeckProcess) {
  const Matrix a{{1.5, .5}, {.5, .7}}, b{{1, .3}, {0, .8}};
  const Vector y0{{1., -2.}};
  const OrnsteinUhlenbeck exact(a, b);
  double means[2], covariances[2];
  for (int k = 0; k < 2; ++k) {
    const Moments found = moments(a, b, GetParam().name, 1. / (32 << k), y0, 1);
    means[k] = (found.mean - exact.mean(1, y0)).norm();
    covariances[k] = (found.covariance - exact.covariance(1)).norm();
  }
  EXPECT_NEAR(std::log2(means[0] / means[1]), GetParam().order, .1) << means[0];
  EXPECT_NEAR(std::log2(covariances[0] / covariances[1]), GetParam().order, .1) << covariances[0];
}

// The process relaxes to tau/a, the scheme to its own variance; after 400 steps at a h = 0.1 the start is forgotten.
TEST_P(WeakOrder, HasTheStationaryVarianceOfItsRecursion) {
  constexpr double a = 2, tau = .3, h = .05, z = a * h;
  const Matrix rate = Matrix::Constant(1, 1, a), noise = Matrix::Constant(1, 1, std::sqrt(2 * tau));
  const double found = moments(rate, noise, GetParam().name, h, Vector::Zero(1), 400 * h).covariance(0, 0);
  const double heun = 1 - z + z * z / 2;
  const std::map<std::string_view, double> exact{
      {"euler-maruyama", tau / a / (1 - z / 2)},
      {"langevin", tau / a / (1 - z / 2)},
      {"stochastic-heun", 2 * tau * h * (1 - z / 2) * (1 - z / 2) / (1 - heun * heun)},
      {"leimkuhler-matthews", tau / a}};
  ASSERT_TRUE(exact.contains(GetParam().name)) << "a new row needs its variance here";
  EXPECT_NEAR(found, exact.at(GetParam().name), 1e-13);
  EXPECT_NEAR(found, tau / a, std::pow(z, GetParam().order) * tau / a);
}

// Leimkuhler and Matthews' last step has seen half of a normal vector only: (1 - z) of the variance it forgets.
TEST_P(WeakOrder, AddsTheNoiseOfItsSeedToEachStep) {
  const Matrix none = Matrix::Zero(3, 3), one = Matrix::Identity(3, 3);
  const OrnsteinUhlenbeck flow(none, one);
  const auto at = [&](std::uint64_t seed, std::int64_t steps) {
    Stop stop;
    stop.steps = steps;
    return integrate(flow, test::fixed_step(GetParam().name, .25, {0, "shuffle", seed}), Vector::Zero(3), stop).y;
  };
  EXPECT_EQ(at(1, 4), at(1, 4));
  EXPECT_NE(at(1, 4), at(2, 4));
  EXPECT_NE(at(1, 1), Vector::Zero(3));
  if (GetParam().name == "leimkuhler-matthews") return;
  Vector sum = Vector::Zero(3);
  for (std::uint64_t step = 0; step < 4; ++step) {
    Stream draw(1, Purpose::noise, step);
    for (Index i = 0; i < 3; ++i) sum[i] += .5 * draw.normal();
  }
  EXPECT_LT((at(1, 4) - sum).norm(), 1e-15 * 10);
}

INSTANTIATE_TEST_SUITE_P(Table, WeakOrder,
                         testing::ValuesIn(test::schemes_where([](const SchemeRow& row) { return row.noisy; })),
                         test::scheme_title);

TEST(Integrate, RefusesNoiseUnderADeterministicScheme) {
  const OrnsteinUhlenbeck flow(Matrix::Identity(2, 2), Matrix::Identity(2, 2));
  for (const SchemeRow& row : schemes()) {
    if (row.noisy) continue;
    const std::string said = test::complaint([&] { test::solve(flow, row.name, .1, Vector::Ones(2)); });
    EXPECT_EQ(said.find("scheme.name: " + std::string(row.name)), 0u) << said;
    EXPECT_NE(said.find("euler-maruyama"), std::string::npos);
  }
}

}  // namespace
}  // namespace thalweg
