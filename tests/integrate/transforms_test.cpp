#include "thalweg/integrate/transforms.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solve.hpp"
#include "thalweg/integrate/descent.hpp"

namespace thalweg {
namespace {

constexpr double eta = .05;

SchemeSettings settings(double step = eta, const BatchPlan& batch = {}) {
  SchemeSettings s;
  s.step = step;
  s.batch = batch;
  return s;
}

/// States after each step, the start first.
std::vector<Vector> path(const Flow& flow, std::string_view scheme, const SchemeSettings& s, const Vector& y0,
                         std::int64_t steps) {
  Trajectory states;
  const Watch watch[] = {{{{}, 1}, states}};
  Stop stop;
  stop.steps = steps;
  EXPECT_EQ(integrate(flow, make_scheme(scheme, s), y0, stop, watch).status, Status::steps);
  return states.states;
}

/// g.y: the same gradient everywhere.
class Slope final : public Functional {
 public:
  explicit Slope(Vector g) : g_(std::move(g)) {}
  Index size() const override { return g_.size(); }
  double value(In y, Batch) const override { return g_.dot(y); }
  double gradient(In y, Batch, Out g) const override {
    g = g_;
    return g_.dot(y);
  }
  void hvp(In, Batch, In, Out hw) const override { hw.setZero(); }

 private:
  Vector g_;
};

// Powers of the iteration matrix of (y, u) on a parabola of curvature a, z = eta a.
TEST(Momentum, OnAParabolaIsTheTwoByTwoIterationMatrix) {
  constexpr double a = 3, z = .3 * a;
  for (const double beta : {.2, .9}) {
    // u' = beta u - z y; then y' = y + u', or y' = y + beta u' - z y.
    const Matrix heavy_ball{{1 - z, beta}, {-z, beta}};
    const Matrix nesterov{{1 - z - beta * z, beta * beta}, {-z, beta}};
    for (const auto& [scheme, matrix] : {std::pair{"momentum", heavy_ball}, {"nesterov", nesterov}}) {
      SchemeSettings s = settings(.3);
      s.momentum = beta;
      const auto states = path(test::Decay(a).flow, scheme, s, Vector::Ones(1), 30);
      Vector exact{{1, 0}};
      for (std::size_t k = 0; k < states.size(); ++k) {
        EXPECT_NEAR(states[k][0], exact[0], 1e-14) << scheme << " step " << k;
        exact = matrix * exact;
      }
    }
  }
}

// After k steps of gradient g the memory is eta (1 - beta^k)/(1 - beta) g.
TEST(Momentum, AlongASlopeReachesItsGain) {
  const Slope slope(Vector{{2}});
  const GradientFlow flow(slope, nullptr, {});
  for (const auto* scheme : {"momentum", "nesterov"}) {
    const auto states = path(flow, scheme, settings(), Vector::Zero(1), 400);
    EXPECT_NEAR(states[399][0] - states[400][0], eta * 2 / (1 - .9), 1e-13) << scheme;
  }
}

// Freed of their start, the means of a constant are the constant: each step is eta g/(|g| + epsilon).
TEST(Adam, AlongASlopeTakesEqualSteps) {
  const Vector g{{3, -1e-3, 1e-9, 0}};
  const Slope slope(g);
  const GradientFlow flow(slope, nullptr, {});
  const auto states = path(flow, "adam", settings(), Vector::Zero(4), 50);
  for (std::size_t k = 0; k <= 50; ++k) {
    const Vector exact = -eta * static_cast<double>(k) * (g.array() / (g.array().abs() + 1e-8)).matrix();
    EXPECT_LT((states[k] - exact).cwiseAbs().maxCoeff(), 1e-13) << "step " << k;
  }
}

TEST(Sam, OnAQuadraticTakesTheGradientUphill) {
  constexpr double rho = .3;
  const Matrix a = test::definite(5, 1);
  const test::Quadratic energy(a);
  const GradientFlow flow(energy, nullptr, {});
  SchemeSettings s = settings(.3);
  s.rho = rho;
  const auto states = path(flow, "sam", s, test::normals(5, 2), 20);
  for (std::size_t k = 0; k + 1 < states.size(); ++k) {
    const Vector g = a * states[k], exact = states[k] - .3 * a * (states[k] + rho * g / g.norm());
    EXPECT_LT((states[k + 1] - exact).cwiseAbs().maxCoeff(), 1e-14) << "step " << k;
  }
}

TEST(Sam, WithoutRadiusIsPlain) {
  SchemeSettings s = settings();
  s.rho = 0;
  EXPECT_EQ(path(test::Decay(1).flow, "sam", s, Vector::Ones(1), 5),
            path(test::Decay(1).flow, "sgd", s, Vector::Ones(1), 5));
}

TEST(Clip, CutsLongDirectionsToItsNormAndLeavesShortOnes) {
  const Vector g{{3, 4, 12}};
  const Slope slope(g);
  const GradientFlow flow(slope, nullptr, {});
  SchemeSettings s = settings();
  s.clip = 6.5;
  EXPECT_LT((path(flow, "sgd", s, Vector::Zero(3), 1)[1] + eta / 2 * g).norm(), 1e-15);
  for (const double longer : {13., 14.}) {
    s.clip = longer;
    EXPECT_EQ(path(flow, "sgd", s, Vector::Zero(3), 3), path(flow, "sgd", settings(), Vector::Zero(3), 3));
  }
}

// (1 - eta lambda) theta - eta g = theta - eta (g + lambda theta): for plain descent both kinds of decay are one.
TEST(Decay, OfPlainDescentIsThatOfTheObjective) {
  const test::Network plain({.hidden = {6}}, 2, 20), decayed({.hidden = {6}, .weight_decay = .3}, 2, 20);
  const GradientFlow flow(plain.risk, nullptr, {}), decayed_flow(decayed.risk, nullptr, {});
  SchemeSettings s = settings(eta, {6, "shuffle", 9});
  const auto coupled = path(decayed_flow, "sgd", s, plain.model.start(1), 30);
  s.decay = .3;
  const auto decoupled = path(flow, "sgd", s, plain.model.start(1), 30);
  for (std::size_t k = 0; k < coupled.size(); ++k) EXPECT_LT((coupled[k] - decoupled[k]).norm(), 1e-14) << k;
}

/// Every descent with all options at once, by its formula and plain sums over the gradients so far.
class Formula : public testing::TestWithParam<SchemeRow> {
 protected:
  static constexpr double beta = .8, beta1 = .7, beta2 = .95, epsilon = 1e-3, rho = .1, norm = .05, rate = .4;
  static constexpr std::int64_t period = 6, warmup = 3;
  const test::Network net{{{6, 4}, "tanh", "logistic", "standard", 0, 0}, 2, 20};
  const Slots slots = test::slots_for(GetParam(), .02);
  const GradientFlow flow{net.risk, net.lattice.get(), slots};
  const BatchPlan plan{6, "shuffle", 9};

  SchemeSettings options() const {
    SchemeSettings s = settings(eta, plan);
    s.momentum = beta;
    s.beta1 = beta1;
    s.beta2 = beta2;
    s.epsilon = epsilon;
    s.rho = rho;
    s.clip = norm;
    s.decay = rate;
    s.schedule = {"inverse-time", period, .1, warmup};
    return s;
  }
  static double size(std::int64_t k) {
    return k < warmup ? eta * static_cast<double>(k + 1) / warmup
                      : eta / (1 + static_cast<double>(k - warmup) / period);
  }
  /// Minus the batch gradient of what the row treats explicitly, clipped.
  Vector direction(const Vector& y, std::int64_t k) const {
    const bool implicit = GetParam().implicit == Part::stiff;
    Batches batches(plan, 20);
    const Instant at{0, k, batches.at(k)};
    Vector v(y.size());
    flow.velocity(implicit ? Part::slow : Part::all, at, y, v);
    if (GetParam().name == "sam") flow.velocity(Part::all, at, y - rho * v / v.norm(), v);
    return v * std::min(1., norm / v.norm());
  }
  /// The displacement of step k, given the directions v_0, ..., v_k.
  Vector displacement(const std::vector<Vector>& v) const {
    const auto k = static_cast<std::int64_t>(v.size()) - 1;
    Vector u = Vector::Zero(v[0].size()), mean = u, square = u;
    for (std::int64_t i = 0; i <= k; ++i) {
      const Vector& vi = v[static_cast<std::size_t>(i)];
      const auto age = static_cast<double>(k - i);
      u += std::pow(beta, age) * size(i) * vi;
      mean += std::pow(beta1, age) * vi;
      square += std::pow(beta2, age) * vi.cwiseAbs2();
    }
    if (GetParam().name == "momentum") return u;
    if (GetParam().name == "nesterov") return beta * u + size(k) * v.back();
    if (GetParam().name != "adam") return size(k) * v.back();
    // Weighted means: the weights add up to (1 - beta^(k + 1))/(1 - beta).
    const auto weight = [&](double b) { return (1 - std::pow(b, static_cast<double>(k + 1))) / (1 - b); };
    return size(k) * (mean.array() / weight(beta1) / ((square.array() / weight(beta2)).sqrt() + epsilon)).matrix();
  }
};

// Entries and directions of size 1 and below, five roundings an entry a step, and at most 1/(1 - beta2) terms a sum.
TEST_P(Formula, HoldsWithAllOptionsAtOnce) {
  const auto states = path(flow, GetParam().name, options(), net.model.start(1), 15);
  std::vector<Vector> directions;
  for (std::size_t i = 0; i + 1 < states.size(); ++i) {
    const auto k = static_cast<std::int64_t>(i);
    directions.push_back(direction(states[i], k));
    Vector next = (1 - size(k) * rate) * states[i] + displacement(directions);
    if (GetParam().implicit == Part::stiff) flow.solve_stiff(size(k), next);
    EXPECT_LT((states[i + 1] - next).cwiseAbs().maxCoeff(), 1e-13) << "step " << i;
  }
}

/// Remembers the batch of every velocity.
class Spy final : public Flow {
 public:
  using Batches = std::vector<std::vector<std::int32_t>>;
  Spy(const Flow& flow, Batches& seen) : flow_(flow), seen_(seen) {}
  Index size() const override { return flow_.size(); }
  Index samples() const override { return flow_.samples(); }
  void velocity(Part part, const Instant& at, In y, Out v) const override {
    const std::vector<std::int32_t> batch(at.batch.begin(), at.batch.end());
    if (seen_.empty() || seen_.back() != batch) seen_.push_back(batch);
    flow_.velocity(part, at, y, v);
  }
  void jvp(Part part, const Instant& at, In y, In w, Out vw) const override { flow_.jvp(part, at, y, w, vw); }
  void solve_stiff(double h, Out x) const override { flow_.solve_stiff(h, x); }

 private:
  const Flow& flow_;
  Batches& seen_;
};

// Whatever the chain and its options: one batch a step, both gradients of sam included, and the plan's.
TEST_P(Formula, SeesTheBatchesOfItsPlan) {
  Spy::Batches seen, planned;
  path(Spy(flow, seen), GetParam().name, options(), net.model.start(1), 15);
  Batches batches(plan, 20);
  for (std::int64_t k = 0; k < 15; ++k) {
    const Batch batch = batches.at(k);
    planned.emplace_back(batch.begin(), batch.end());
  }
  EXPECT_EQ(seen, planned);
}

// The state of y' = -lambda y that starts at 1 stays below 1 or leaves every bound.
TEST_P(Formula, IsStableUpToItsLimit) {
  if (!GetParam().limit) GTEST_SKIP() << GetParam().name << " states no limit";
  for (const double memory : {0., .5, .9})
    for (const double decay : {0., 3.}) {
      SchemeSettings s = settings(.1);
      s.momentum = memory;
      s.decay = decay;
      const double limit = GetParam().limit(s);
      const auto size_after = [&](double z) {
        const auto states = path(test::Decay(z / s.step).flow, GetParam().name, s, Vector::Ones(1), 3000);
        return std::abs(states.back()[0]);
      };
      EXPECT_LT(size_after(.99 * limit), 1e-3) << memory << " " << decay;
      Stop stop;
      stop.steps = 30000;
      const test::Decay unstable(1.01 * limit / s.step);
      EXPECT_EQ(integrate(unstable.flow, make_scheme(GetParam().name, s), Vector::Ones(1), stop).status,
                Status::diverged)
          << memory << " " << decay;
    }
}

INSTANTIATE_TEST_SUITE_P(Descents, Formula, testing::ValuesIn(descents().begin(), descents().end()),
                         test::scheme_title);

// Steps of any size span their own size of training time: the flow at t is followed to first order all the same.
TEST(Descent, FollowsTheFlowAtTheTimeThatItsScheduleSpans) {
  for (const ScheduleKind& kind : schedules()) {
    double gaps[2];
    for (const int fine : {1, 2}) {
      SchemeSettings s = settings(1. / (256 * fine));
      s.schedule = {std::string(kind.name), 200 * fine, .9, 50 * fine};
      Stop stop;
      stop.time = .9;
      const Outcome outcome = integrate(test::Decay(2).flow, make_scheme("sgd", s), Vector::Ones(1), stop);
      EXPECT_EQ(outcome.end.time, .9) << kind.name;
      gaps[fine - 1] = std::abs(outcome.y[0] - std::exp(-1.8));
    }
    EXPECT_NEAR(std::log2(gaps[0] / gaps[1]), 1, .05) << kind.name;
  }
}

TEST(Descent, RefusesAnEndThatItsScheduleNeverReaches) {
  SchemeSettings s = settings(.1);
  s.schedule = {"step", 10, .5};
  Stop stop;
  stop.time = 2;
  const Scheme scheme = make_scheme("sgd", s);
  EXPECT_NE(test::complaint([&] {
              integrate(test::Decay(1).flow, scheme, Vector::Ones(1), stop);
            }).find("stop.time: 2 is never reached"),
            std::string::npos);
  stop.time = 1.99;
  EXPECT_EQ(integrate(test::Decay(1).flow, scheme, Vector::Ones(1), stop).status, Status::time);
}

TEST(DescentOptions, NameTheKeyThatIsWrong) {
  const auto said = [](std::string_view scheme, auto change) {
    SchemeSettings s;
    change(s);
    return test::complaint([&] { make_scheme(scheme, s); });
  };
  EXPECT_EQ(said("momentum", [](auto& s) { s.momentum = 1; }).find("scheme.momentum: 1"), 0u);
  EXPECT_EQ(said("adam", [](auto& s) { s.beta1 = -.1; }).find("scheme.beta1: -0.1"), 0u);
  EXPECT_EQ(said("adam", [](auto& s) { s.beta2 = 1; }).find("scheme.beta2: 1"), 0u);
  EXPECT_EQ(said("adam", [](auto& s) { s.epsilon = 0; }).find("scheme.epsilon: 0"), 0u);
  EXPECT_EQ(said("sam", [](auto& s) { s.rho = -1; }).find("scheme.rho: -1"), 0u);
  EXPECT_EQ(said("sgd", [](auto& s) { s.clip = 0; }).find("scheme.clip: 0"), 0u);
  EXPECT_EQ(said("sgd", [](auto& s) { s.decay = -1; }).find("scheme.decay: -1"), 0u);
  EXPECT_EQ(said("sgd", [](auto& s) { s.decay = 10; }).find("scheme.decay: times scheme.step 0.1 it is 1"), 0u);
  EXPECT_EQ(said("rk4", [](auto& s) { s.decay = 1; }).find("scheme.decay: rk4 is no descent"), 0u);
  EXPECT_EQ(said("rk4", [](auto& s) { s.clip = 1; }).find("scheme.clip: rk4"), 0u);
  EXPECT_EQ(said("rk4", [](auto& s) { s.schedule.warmup = 1; }).find("scheme.warmup: rk4"), 0u);
  EXPECT_EQ(said("rk4", [](auto& s) { s.schedule.kind = "cosine"; }).find("scheme.schedule: rk4"), 0u);
}

}  // namespace
}  // namespace thalweg
