#include "thalweg/flow/heavy_ball.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include <Eigen/LU>

#include "../integrate/solve.hpp"

namespace thalweg {
namespace {

constexpr double gamma_ = .7;

/// A heavy ball on a network with both slots filled, and a point of its phase space.
struct Ball {
  test::Network net{{{5}, "tanh", "logistic", "standard", 0, 0}, 2, 20};
  GradientFlow descent{net.risk, net.lattice.get(), {.01, .1, 2}};
  HeavyBall flow{descent, gamma_};
  Index n = net.model.size();
  Vector y = test::normals(2 * n, 5), w = test::normals(2 * n, 6);

  Vector velocity(Part part, In at) const {
    Vector v(2 * n);
    flow.velocity(part, {}, at, v);
    return v;
  }
  Vector product(Part part) const {
    Vector v(2 * n);
    flow.jvp(part, {}, y, w, v);
    return v;
  }
};

TEST(HeavyBall, MovesByItsMomentumAndIsPulledByTheDescentLessFriction) {
  const Ball ball;
  Vector pull(ball.n);
  ball.descent.velocity(Part::all, {}, ball.y.head(ball.n), pull);
  const Vector v = ball.velocity(Part::all, ball.y);
  EXPECT_EQ(v.head(ball.n), ball.y.tail(ball.n));
  EXPECT_LT(test::distance(v.tail(ball.n), pull - gamma_ * ball.y.tail(ball.n)), 1e-15);
}

TEST(HeavyBall, IsTheSumOfItsParts) {
  const Ball ball;
  EXPECT_LT(test::distance(ball.velocity(Part::slow, ball.y) + ball.velocity(Part::stiff, ball.y),
                           ball.velocity(Part::all, ball.y)),
            1e-14);
  EXPECT_LT(test::distance(ball.product(Part::slow) + ball.product(Part::stiff), ball.product(Part::all)), 1e-14);
  EXPECT_TRUE(ball.velocity(Part::none, ball.y).isZero(0));
}

// Central differences of step 1e-5: their error is 1e-10 and the rounding of a velocity of size 1 over the step.
TEST(HeavyBall, HasTheJacobianOfItsVelocity) {
  const Ball ball;
  constexpr double h = 1e-5;
  for (const Part part : {Part::slow, Part::stiff, Part::all}) {
    const Vector difference =
        (ball.velocity(part, ball.y + h * ball.w) - ball.velocity(part, ball.y - h * ball.w)) / (2 * h);
    EXPECT_LT(test::distance(ball.product(part), difference), 1e-8);
  }
}

TEST(HeavyBall, SolvesItsStiffPart) {
  const Ball ball;
  for (const double h : {.0025, .3, 10.}) {
    Vector x = ball.w, back(2 * ball.n);
    ball.flow.solve_stiff(h, x);
    ball.flow.jvp(Part::stiff, {}, ball.y, x, back);
    EXPECT_LT(test::distance(x - h * back, ball.w), 1e-11) << h;
  }
}

// dH/dt = grad H . v by differences along the velocity: -gamma u'Mu.
TEST(HeavyBall, LosesItsEnergyByFrictionAlone) {
  const Ball ball;
  constexpr double h = 1e-5;
  const Vector v = ball.velocity(Part::all, ball.y), u = ball.y.tail(ball.n);
  Vector momentum = u;
  ball.descent.lower(momentum);
  const double rate = (*ball.flow.energy(ball.y + h * v) - *ball.flow.energy(ball.y - h * v)) / (2 * h);
  EXPECT_NEAR(rate, -gamma_ * u.dot(momentum), 1e-6 * u.dot(momentum));
}

TEST(HeavyBall, HasHalfOfItsStateAsParameters) {
  const Ball ball;
  EXPECT_EQ(ball.flow.parameters(), ball.n);
  EXPECT_EQ(ball.descent.parameters(), ball.n);
  EXPECT_EQ(&ball.flow.second_order()->force, &ball.descent);
  EXPECT_EQ(ball.flow.second_order()->friction, gamma_);
  EXPECT_NE(test::complaint([&] { HeavyBall(ball.descent, -1); }).find("flow.gamma: -1"), std::string::npos);
}

class HeavyBallByEveryScheme : public testing::TestWithParam<SchemeRow> {};

// theta'' + gamma theta' = -k theta from rest at 1, underdamped: e^(-gamma t/2) (cos w t + gamma/(2 w) sin w t). A
// scheme of order p is off by rates^(p+1) h^p/2 at most after a unit of time, twice that for the two that mix.
TEST_P(HeavyBallByEveryScheme, Swings) {
  const SchemeRow& row = GetParam();
  if (row.order == 0) GTEST_SKIP() << row.name << " is no discretisation of the flow";
  constexpr double k = 9, h = 1. / 64;
  const test::Decay spring(k);
  const HeavyBall ball(spring.flow, gamma_);
  const double w = std::sqrt(k - gamma_ * gamma_ / 4);
  const double exact = std::exp(-gamma_ / 2) * (std::cos(w) + gamma_ / (2 * w) * std::sin(w));
  const int order = row.second_order ? std::min(row.order, 2) : row.order;
  Stop stop;
  stop.time = 1;
  try {
    const Outcome outcome = integrate(ball, test::fixed_step(row.name, h), Vector{{1, 0}}, stop);
    EXPECT_EQ(outcome.status, Status::time) << outcome.message;
    EXPECT_NEAR(outcome.y[0], exact, std::pow(std::sqrt(k), order + 1) * std::pow(h, order) + 1e-6);
  } catch (const std::invalid_argument& error) {
    GTEST_SKIP() << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Table, HeavyBallByEveryScheme, testing::ValuesIn(schemes().begin(), schemes().end()),
                         test::scheme_title);

class SymplecticScheme : public testing::TestWithParam<SchemeRow> {
 protected:
  const test::Network net{{{5}, "tanh", "logistic", "standard", 0, 0}, 2, 20};
  const GradientFlow descent{net.risk, net.lattice.get(), {.01, 0, 1}};

  /// The largest deviation from the first energy over ten units of time without friction.
  double drift(double step) const {
    struct Energies final : Observer {
      explicit Energies(const Flow& f) : flow(f) {}
      void see(const Frame& frame) override {
        const double e = *flow.energy(frame.state);
        if (frame.at.step == 0) first = e;
        largest = std::max(largest, std::abs(e - first));
      }
      const Flow& flow;
      double first = 0, largest = 0;
    };
    const HeavyBall ball(descent, 0);
    Energies energies(ball);
    const Watch watch[] = {{{{}, 1}, energies}};
    Vector start = Vector::Zero(ball.size());
    start.head(net.model.size()) = net.model.start(1);
    test::solve(ball, GetParam().name, step, start, 10, watch);
    return energies.largest;
  }
};

TEST_P(SymplecticScheme, KeepsTheUndampedEnergyToItsOrder) {
  EXPECT_NEAR(std::log2(drift(.2) / drift(.1)), GetParam().order, .3);
}

INSTANTIATE_TEST_SUITE_P(Table, SymplecticScheme, testing::ValuesIn(test::schemes_where([](const SchemeRow& row) {
                           return row.family == "symplectic";
                         })),
                         test::scheme_title);

TEST(SecondOrderScheme, RefusesAFlowOfFirstOrder) {
  for (const SchemeRow& row : schemes()) {
    if (!row.second_order) continue;
    const auto said = test::complaint([&] { test::solve(test::Decay(1).flow, row.name, .1, Vector::Ones(1)); });
    EXPECT_NE(said.find("flow.gamma"), std::string::npos) << row.name;
  }
}

TEST(HeavyBallRun, ShowsItsObserversTheParameters) {
  const test::Decay spring(1);
  const HeavyBall ball(spring.flow, 1);
  Trajectory path;
  const Watch watch[] = {{{{.05, .1}, 0}, path}};
  test::solve(ball, "velocity-verlet", .1, Vector{{1, 0}}, 1, watch);
  ASSERT_EQ(path.states.size(), 4u);
  for (const Vector& state : path.states) EXPECT_EQ(state.size(), 1);
}

}  // namespace
}  // namespace thalweg
