#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

using test::dense;

/// One step y+ = F y + G xi of a scheme on a quadratic, found by probing: F from steps whose noise is the same, G from
/// as many seeds as there are entries.
struct StepMap {
  Matrix f, g;

  StepMap(const Flow& flow, std::string_view scheme, double eta) : f(flow.size(), flow.size()), g(f) {
    const Index n = flow.size();
    Matrix xi(n, n);
    const Vector origin = step(flow, scheme, eta, Vector::Zero(n), 0);
    for (Index j = 0; j < n; ++j) {
      const auto seed = static_cast<std::uint64_t>(j);
      f.col(j) = step(flow, scheme, eta, Vector::Unit(n, j), 0) - origin;
      g.col(j) = step(flow, scheme, eta, Vector::Zero(n), seed);
      Stream draw(seed, Purpose::noise, 0);
      for (double& x : xi.col(j)) x = draw.normal();
    }
    g = g * xi.inverse();
  }

  static Vector step(const Flow& flow, std::string_view scheme, double eta, In y, std::uint64_t seed) {
    Stop stop;
    stop.steps = 1;
    return integrate(flow, test::fixed_step(scheme, eta, {0, "shuffle", seed}), y, stop).y;
  }

  /// C = F C F' + G G', by doubling: after k rounds the sum of 2^k terms.
  Matrix stationary() const {
    Matrix power = f, covariance = g * g.transpose();
    for (int k = 0; k < 60 && power.norm() > 1e-30; ++k) {
      covariance += Matrix(power * covariance * power.transpose());
      power = Matrix(power * power);
    }
    return covariance;
  }
};

/// (I + sigma K)^power.
Matrix metric(const Matrix& k, const Slots& slots) {
  const Matrix one = Matrix::Identity(k.rows(), k.cols()), smoother = one + slots.sigma * k;
  return slots.power == 2 ? Matrix(smoother * smoother) : smoother;
}

struct Case {
  std::string lattice;
  Slots slots;
};

class LangevinOnEveryLattice : public testing::TestWithParam<Case> {
 protected:
  static constexpr Index n = 6;
  static constexpr double eta = .2;
  const Slots slots = GetParam().slots;
  const Matrix a = test::definite(n, 1);
  const test::Quadratic energy{a};
  const std::unique_ptr<Lattice> lattice = test::flat_lattice(GetParam().lattice, n);
  const GradientFlow flow{energy, lattice.get(), slots};
  const Matrix k = dense(*lattice), m = metric(k, slots), hessian = a + slots.nu * k;
};

// B B' = 2 tau M^-1. Condition numbers below a hundred.
TEST_P(LangevinOnEveryLattice, HasNoiseThatFitsItsMetric) {
  Matrix b(n, n);
  for (Index j = 0; j < n; ++j) {
    Vector column = Vector::Unit(n, j);
    flow.colour(column);
    b.col(j) = column;
  }
  EXPECT_LT((m * b * b.transpose() - 2 * slots.tau * Matrix::Identity(n, n)).cwiseAbs().maxCoeff(), 1e-13);
}

// The law exp(-E/tau) is kept: with J = -M^-1 A and C = tau A^-1 the stationary equation J C + C J' + B B' = 0.
TEST_P(LangevinOnEveryLattice, KeepsTheGibbsLaw) {
  Matrix j(n, n), b(n, n);
  for (Index i = 0; i < n; ++i) {
    Vector column = Vector::Unit(n, i), velocity(n);
    flow.velocity(Part::all, {}, Vector::Unit(n, i), velocity);
    flow.colour(column);
    j.col(i) = velocity;
    b.col(i) = column;
  }
  const Matrix c = slots.tau * hessian.inverse(), drift = j * c;
  EXPECT_LT((drift + drift.transpose() + b * b.transpose()).cwiseAbs().maxCoeff(), 1e-13);
}

// In z = M^(1/2) y a step is (I - eta H) z + sqrt(2 tau eta) xi with H = M^(-1/2) A M^(-1/2), whose stationary
// covariance is tau (H - eta H^2/2)^-1: in y it is tau (A - (eta/2) A M^-1 A)^-1, and tau A^-1 as eta -> 0. The probed
// map keeps 12 digits, the sum over its powers 11.
TEST_P(LangevinOnEveryLattice, HasTheStationaryCovarianceOfItsClosedForm) {
  const StepMap map(flow, "langevin", eta);
  const Matrix exact = slots.tau * (hessian - eta / 2 * hessian * m.inverse() * hessian).inverse();
  EXPECT_LT((map.f - (Matrix::Identity(n, n) - eta * m.inverse() * hessian)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((map.stationary() - exact).cwiseAbs().maxCoeff(), 1e-10 * exact.cwiseAbs().maxCoeff());
}

// The next term of the expansion in eta is of relative size eta |M^-1 A|/2.
TEST_P(LangevinOnEveryLattice, TendsToTheGibbsLawInFirstOrder) {
  const Matrix gibbs = slots.tau * hessian.inverse();
  const auto error = [&](double step) { return (StepMap(flow, "langevin", step).stationary() - gibbs).norm(); };
  EXPECT_NEAR(std::log2(error(.02) / error(.01)), 1, .05);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::string lattice : {"chain", "ring", "permuted"})
    for (const auto& [nu, sigma, power] : {std::tuple{0., 0., 1}, {.3, 0., 1}, {0., .5, 1}, {0., .5, 2}, {.3, .5, 2}})
      all.push_back({lattice, {nu, sigma, power, .7}});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Table, LangevinOnEveryLattice, testing::ValuesIn(cases()),
                         [](const auto& c) { return c.param.lattice + "_" + std::to_string(c.index); });

// tau/a in the limit; tau/(a (1 - eta a/2)) at the step eta.
TEST(Langevin, OnAParabolaHasTheVarianceOfItsStep) {
  constexpr double a = 2, tau = .3, eta = .1;
  const test::Quadratic energy(Matrix::Constant(1, 1, a));
  const GradientFlow flow(energy, nullptr, {.tau = tau});
  EXPECT_NEAR(StepMap(flow, "langevin", eta).stationary()(0, 0), tau / (a * (1 - eta * a / 2)), 1e-14);
}

/// Independent normal gradient noise of std `deviation`, one vector a sample, on top of (a/2)|y|^2: a batch of one
/// sample is a draw of it.
class Noisy final : public Functional {
 public:
  Noisy(double a, Matrix noise) : a_(a), noise_(std::move(noise)) {}
  Index size() const override { return noise_.rows(); }
  Index samples() const override { return noise_.cols(); }
  double value(In y, Batch) const override { return a_ / 2 * y.squaredNorm(); }
  double gradient(In y, Batch batch, Out g) const override {
    g = a_ * y;
    if (!batch.empty()) g += noise_.col(batch[0]);
    return value(y, batch);
  }
  void hvp(In, Batch, In w, Out hw) const override { hw = a_ * w; }

 private:
  double a_;
  Matrix noise_;
};

/// The step map y+ = F y + G xi of a descent whose gradient carries the noise xi, from one sample a direction.
struct GradientNoiseMap {
  Matrix f, g;

  GradientNoiseMap(double a, const Lattice* lattice, const Slots& slots, std::string_view scheme, double eta, Index n) {
    const Noisy energy(a, Matrix::Identity(n, n)), calm(a, Matrix::Zero(n, n));
    f = Matrix(n, n);
    g = Matrix(n, n);
    for (Index j = 0; j < n; ++j) {
      f.col(j) = step(calm, lattice, slots, scheme, eta, Vector::Unit(n, j), 0).first;
      // Replacement draws some sample at step 0 of every seed; the seed that draws j tells its column.
      for (std::uint64_t seed = 0;; ++seed) {
        const auto [y, sample] = step(energy, lattice, slots, scheme, eta, Vector::Zero(n), seed);
        if (sample != j) continue;
        g.col(j) = y;
        break;
      }
    }
  }

  static std::pair<Vector, Index> step(const Functional& energy, const Lattice* lattice, const Slots& slots,
                                       std::string_view scheme, double eta, In y, std::uint64_t seed) {
    const GradientFlow flow(energy, lattice, slots);
    const BatchPlan plan{1, "replacement", seed};
    Stop stop;
    stop.steps = 1;
    return {integrate(flow, test::fixed_step(scheme, eta, plan), y, stop).y, Batches(plan, energy.samples()).at(0)[0]};
  }

  /// The stationary variance of each entry, gradient noise having the variance s^2.
  double variance(double s) const {
    Matrix power = f, covariance = s * s * g * g.transpose();
    for (int k = 0; k < 60 && power.norm() > 1e-30; ++k) {
      covariance += Matrix(power * covariance * power.transpose());
      power = Matrix(power * power);
    }
    return covariance.diagonal().mean();
  }
  /// The variance that one step adds.
  double added() const { return (g * g.transpose()).diagonal().mean(); }
};

// eta s^2/(a (2 - eta a)).
TEST(GradientNoise, GivesPlainDescentAVarianceOfItsStep) {
  constexpr double a = 2, s = .3, eta = .1;
  const GradientNoiseMap map(a, nullptr, {}, "sgd", eta, 3);
  EXPECT_NEAR(map.variance(s), eta * s * s / (a * (2 - eta * a)), 1e-15);
}

// On a ring of m points the factors are means over the m-th roots of unity of rational functions with poles at r < .5:
// they differ from the integrals over the circle, which are the closed forms, by m r^m.
TEST(GradientNoise, IsSmoothedOnARingByItsClosedForm) {
  constexpr Index m = 64;
  constexpr double a = 2, sigma = 1, eta = 1e-4;
  const auto ring = test::flat_lattice("ring", m);
  const GradientNoiseMap plain(a, nullptr, {}, "sgd", eta, m);
  const GradientNoiseMap smooth(a, ring.get(), {0, sigma, 1}, "laplacian-sgd", eta, m);
  // A step: (1 + 2 sigma)/(1 + 4 sigma)^(3/2).
  EXPECT_NEAR(smooth.added() / plain.added(), .268328, 5e-7);
  // The stationary law at a small step: 1/sqrt(1 + 4 sigma), up to eta a/2.
  EXPECT_NEAR(smooth.variance(1) / plain.variance(1), .447214, .447214 * eta * a);
  // All rows of the step's map add up alike: the mean is kept.
  EXPECT_LT((smooth.g.colwise().sum().array() + eta).abs().maxCoeff(), 1e-17);
}

// Mode k of (I + eta nu K) y+ = (1 - eta a) y - eta xi: f = (1 - eta a)/(1 + eta nu lambda_k), and the stationary
// variance (eta/(1 + eta nu lambda_k))^2/(1 - f^2); the mean over the entries is that over the modes.
TEST(GradientNoise, IsDampedModeByModeWhereTheWeightsDiffuse) {
  constexpr Index n = 12;
  constexpr double a = 2, nu = .7, eta = .1;
  for (const std::string name : {"chain", "ring", "permuted"}) {
    const auto lattice = test::flat_lattice(name, n);
    const Eigen::ArrayXd denominator = 1 + eta * nu * lattice->eigenvalues().array(), f = (1 - eta * a) / denominator;
    const double exact = ((eta / denominator).square() / (1 - f.square())).mean();
    EXPECT_NEAR(GradientNoiseMap(a, lattice.get(), {nu, 0, 1}, "diffusion-sgd", eta, n).variance(1), exact, 1e-13)
        << name;
  }
}

// Adding the Dirichlet energy or smoothing a quadratic leaves plain descent on a quadratic: the same closed form.
TEST(GradientNoise, PassesThroughASmoothedQuadratic) {
  constexpr double a = 2, s = .3, eta = .1;
  const auto smoothing = heat_smoothing(.1, {2, 5, true});
  const GradientNoiseMap map(a, nullptr, {.smoothing = smoothing.get()}, "smoothed-sgd", eta, 3);
  EXPECT_NEAR(map.variance(s), eta * s * s / (a * (2 - eta * a)), 1e-14);
}

// Local entropy turns a into a/(1 + gamma a); noise of the batch enters the whole inner chain alike, so that it is
// damped by the same factor: 1 - m/x of the chain.
TEST(GradientNoise, IsDampedByLocalEntropy) {
  constexpr double a = 2, s = .3, eta = .1, gamma = .5;
  const LocalEntropy spec{gamma, .2, 200, .2, .5};
  const auto smoothing = local_entropy(spec, {2, 5, true});
  const GradientNoiseMap map(a, nullptr, {.smoothing = smoothing.get()}, "entropy-sgd", eta, 3);
  const double damped = 1 / (1 + gamma * a), rate = a * damped;
  EXPECT_NEAR(map.variance(s), eta * std::pow(s * damped, 2) / (rate * (2 - eta * rate)), 1e-14);
}

class SchemeOfEveryNoise : public testing::TestWithParam<SchemeRow> {};

TEST_P(SchemeOfEveryNoise, TakesNoiseOrRefusesIt) {
  const test::Quadratic energy(test::definite(4, 1));
  const GradientFlow flow(energy, nullptr, {.tau = .1});
  const auto run = [&](std::uint64_t seed) {
    Stop stop;
    stop.steps = 2;
    return integrate(flow, test::fixed_step(GetParam().name, .1, {0, "shuffle", seed}), Vector::Ones(4), stop).y;
  };
  if (GetParam().noisy) {
    EXPECT_EQ(run(1), run(1));
    EXPECT_NE(run(1), run(2));
  } else {
    EXPECT_NE(test::complaint([&] { run(1); }).find("adds no noise"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, SchemeOfEveryNoise, testing::ValuesIn(schemes().begin(), schemes().end()),
                         test::scheme_title);

// A velocity that takes six gradients is paid for six times.
TEST(Work, IsCountedInGradientsOfTheObjective) {
  const test::Quadratic energy(test::definite(4, 1));
  const auto smoothing = heat_smoothing(.1, {3, 1, true});
  const GradientFlow flow(energy, nullptr, {.smoothing = smoothing.get()});
  EXPECT_EQ(test::solve(flow, "smoothed-sgd", .1, Vector::Ones(4)).work.gradients, 60);
}

}  // namespace
}  // namespace thalweg
