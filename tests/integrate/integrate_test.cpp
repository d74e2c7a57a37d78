#include "thalweg/integrate/integrate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

using test::Decay;
using test::fixed_step;
using test::solve;

/// y' = -y by the scheme until `stop`.
Outcome decay_until(const Stop& stop, std::string_view scheme = "forward-euler", double step = .1,
                    std::span<const Watch> watches = {}) {
  const Decay decay(1);
  return integrate(decay.flow, fixed_step(scheme, step), Vector::Ones(1), stop, watches);
}

// Three steps of 0.3 and one of 0.1; PETSc shares a rest below two steps evenly, 0.3 twice and 0.2 twice.
TEST(Integrate, ShortensTheLastStepOrTwo) {
  EXPECT_NEAR(solve(Decay(1).flow, "sgd", .3, Vector::Ones(1)).y[0], .7 * .7 * .7 * .9, 1e-15);
  EXPECT_NEAR(solve(Decay(1).flow, "forward-euler", .3, Vector::Ones(1)).y[0], .7 * .7 * .8 * .8, 1e-15);
}

TEST(Integrate, OverNoTimeIsTheIdentity) {
  for (const SchemeRow& row : test::first_order_schemes()) {
    const Outcome outcome = solve(Decay(1).flow, row.name, .1, Vector::Ones(1), 0);
    EXPECT_EQ(outcome.y[0], 1) << row.name;
    EXPECT_EQ(outcome.end.step, 0) << row.name;
  }
}

TEST(Stop, AfterSteps) {
  for (const SchemeRow& row : test::first_order_schemes()) {
    Stop stop;
    stop.steps = 7;
    const Outcome outcome = decay_until(stop, row.name);
    EXPECT_EQ(outcome.status, Status::steps) << row.name;
    EXPECT_EQ(outcome.end.step, 7) << row.name;
    EXPECT_NEAR(outcome.end.time, .7, 1e-15) << row.name;
  }
}

// Energy y^2/2 = 0.9^(2k)/2 falls below 0.1 first at k = 8.
TEST(Stop, AtTheFirstStateOfLowEnough) {
  Stop stop;
  stop.time = 100;
  stop.loss = .1;
  const Outcome outcome = decay_until(stop);
  EXPECT_EQ(outcome.status, Status::loss);
  EXPECT_EQ(outcome.end.step, 8);
}

// |v| = 0.9^k falls below 0.1 first at k = 22.
TEST(Stop, AtTheFirstStateOfSmallEnoughVelocity) {
  Stop stop;
  stop.time = 100;
  stop.grad_norm = .1;
  const Outcome outcome = decay_until(stop);
  EXPECT_EQ(outcome.status, Status::grad_norm);
  EXPECT_EQ(outcome.end.step, 22);
}

TEST(Stop, BeforeTheFirstStepWhereTheStartIsGoodEnough) {
  Stop loss, grad_norm;
  loss.loss = .5;
  grad_norm.grad_norm = 1;
  EXPECT_EQ(decay_until(loss).end.step, 0);
  EXPECT_EQ(decay_until(grad_norm).end.step, 0);
}

/// Remembers the step it saw last.
struct Last final : Observer {
  std::int64_t step = -1;
  void see(const Frame& frame) override { step = frame.at.step; }
};

TEST(Stop, AfterTheStepAtWhichItIsInterrupted) {
  Last last;
  const Watch watch[] = {{{{}, 1}, last}};
  Stop stop;
  stop.time = 100;
  stop.interrupted = [&] { return last.step == 3; };
  const Outcome outcome = decay_until(stop, "rk4", .1, watch);
  EXPECT_EQ(outcome.status, Status::interrupted);
  EXPECT_EQ(outcome.end.step, 3);
}

TEST(Stop, WhenTheClockHasRunOut) {
  Stop stop;
  stop.wall = 0;
  EXPECT_EQ(decay_until(stop).status, Status::wall);
}

TEST(Stop, AtTheFirstOfSeveral) {
  Stop stop;
  stop.steps = 7;
  stop.time = .25;
  EXPECT_EQ(decay_until(stop).status, Status::time);
  stop.time = 2;
  EXPECT_EQ(decay_until(stop).status, Status::steps);
}

// |R(z)| grows like a power of z = 1000, and the state passes 1e150 within 150 / 3 steps of the slowest.
TEST(Integrate, ReportsAnUnstableStepAsDivergence) {
  const Decay decay(1000);
  Stop stop;
  stop.time = 1e4;
  for (const SchemeRow& row : test::first_order_schemes()) {
    // Adam's steps are about eta whatever the gradient: it cannot run away, and does not arrive either.
    if (row.implicit != Part::none || row.name == "adam") continue;
    const Outcome outcome = integrate(decay.flow, fixed_step(row.name, 1), Vector::Ones(1), stop);
    EXPECT_EQ(outcome.status, Status::diverged) << row.name;
    EXPECT_LE(outcome.end.step, 60) << row.name;
    EXPECT_NE(outcome.message.find("after step " + std::to_string(outcome.end.step)), std::string::npos) << row.name;
    const auto* advice =
        row.limit ? "step x sharpness = 1000 exceeds the stability limit" : "smaller scheme.step than 1";
    EXPECT_NE(outcome.message.find(advice), std::string::npos) << row.name;
  }
}

/// y' = f(y) in one dimension.
class Scalar final : public Flow {
 public:
  explicit Scalar(double (*f)(double)) : f_(f) {}
  Index size() const override { return 1; }
  void velocity(Part, const Instant&, In y, Out v) const override { v[0] = f_(y[0]); }
  void jvp(Part, const Instant&, In, In, Out vw) const override { vw.setZero(); }

 private:
  double (*f_)(double);
};

// y' = y^2 from 1 leaves every bound at t = 1: no step size carries a scheme past it.
TEST(Integrate, EndsAtABlowUpInFiniteTime) {
  const Scalar flow([](double y) { return y * y; });
  Stop stop;
  stop.time = 2;
  SchemeSettings settings;
  settings.rtol = 1e-6;
  const Outcome adaptive = integrate(flow, make_scheme("rk5dp", settings), Vector::Ones(1), stop);
  EXPECT_GE(adaptive.status, Status::diverged);
  EXPECT_NEAR(adaptive.end.time, 1, 1e-4);
  EXPECT_FALSE(adaptive.message.empty());
  EXPECT_EQ(integrate(flow, fixed_step("rk4", .1), Vector::Ones(1), stop).status, Status::diverged);
}

TEST(Integrate, ReportsAVelocityThatIsNotANumberAsDivergence) {
  const Scalar flow([](double y) { return y > .8 ? -1. : NAN; });
  Stop stop;
  stop.time = 2;
  for (const auto* scheme : {"forward-euler", "rk4", "rk5dp", "sgd", "momentum"}) {
    const Outcome outcome = integrate(flow, fixed_step(scheme, .05), Vector::Ones(1), stop);
    EXPECT_EQ(outcome.status, Status::diverged) << scheme;
    EXPECT_LE(outcome.end.time, .3) << scheme;
  }
}

// Fixed steps of PETSc check nothing; where Newton's method meets the value, steps are shortened until it gives up.
TEST(Integrate, SaysNoSuccessWhereTheVelocityIsNotANumber) {
  const Scalar flow([](double y) { return y > .8 ? -1. : NAN; });
  Stop stop;
  stop.time = 2;
  for (const SchemeRow& row : test::first_order_schemes()) {
    const Outcome outcome = integrate(flow, fixed_step(row.name, .05), Vector::Ones(1), stop);
    EXPECT_GE(outcome.status, Status::diverged) << row.name;
    EXPECT_LE(outcome.end.time, .3) << row.name;
    EXPECT_FALSE(outcome.message.empty()) << row.name;
  }
}

// A Jacobian of zero where y' = -1e13 y: Newton's method grows at any step down to h/4^10.
TEST(Integrate, SaysWhichOfPetscsSolversGaveUpAndWhy) {
  const Scalar flow([](double y) { return -1e13 * y; });
  Stop stop;
  stop.time = 2;
  const Outcome outcome = integrate(flow, fixed_step("backward-euler", .05), Vector::Ones(1), stop);
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_EQ(outcome.y[0], 1);
  EXPECT_NE(outcome.message.find("DIVERGED_STEP_REJECTED, Newton's method: DIVERGED_"), std::string::npos)
      << outcome.message;
  EXPECT_NE(outcome.message.find("try a smaller scheme.step"), std::string::npos) << outcome.message;
}

TEST(Integrate, DoesNotLeaveAStartThatIsNotFinite) {
  Stop stop;
  stop.time = 1;
  for (const double start : {static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    const Outcome outcome = integrate(Decay(1).flow, make_scheme("sgd", {}), Vector::Constant(1, start), stop);
    EXPECT_EQ(outcome.status, Status::diverged);
    EXPECT_EQ(outcome.end.step, 0);
  }
}

TEST(Integrate, RefusesWhatHasNoMeaning) {
  const Decay decay(1);
  const Scheme scheme = make_scheme("sgd", {});
  Stop stop;
  EXPECT_NE(test::complaint([&] { integrate(decay.flow, scheme, Vector::Ones(1), stop); }).find("nothing would end"),
            std::string::npos);
  stop.steps = 1;
  EXPECT_NE(test::complaint([&] { integrate(decay.flow, scheme, Vector::Ones(2), stop); }).find("2 entries"),
            std::string::npos);
}

TEST(Status, HasANameOfItsOwnForEveryValue) {
  EXPECT_EQ(name(Status::time), "time");
  EXPECT_EQ(name(Status::grad_norm), "grad_norm");
  EXPECT_EQ(name(Status::failed), "failed");
}

}  // namespace
}  // namespace thalweg
