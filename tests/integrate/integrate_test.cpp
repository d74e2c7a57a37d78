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
  for (const SchemeRow& row : test::schemes_where([](const SchemeRow& r) { return r.fixed && !r.second_order; })) {
    Stop stop;
    stop.steps = 7;
    const Outcome outcome = decay_until(stop, row.name);
    EXPECT_EQ(outcome.status, Status::steps) << row.name;
    EXPECT_EQ(outcome.end.step, 7) << row.name;
    EXPECT_NEAR(outcome.end.time, .7, 1e-15) << row.name;
  }
}

// Energy y^2/2 = 0.9^(2k)/2 falls below 0.1 first at k = 8, and |v| = 0.9^k at k = 22. Between two descent steps there
// is nothing.
TEST(Stop, AtTheFirstStateOfADiscreteSchemeThatIsGoodEnough) {
  Stop loss, grad_norm;
  loss.loss = grad_norm.grad_norm = .1;
  const Outcome low = decay_until(loss, "sgd"), small = decay_until(grad_norm, "sgd");
  EXPECT_EQ(low.status, Status::loss);
  EXPECT_EQ(low.end.step, 8);
  EXPECT_EQ(small.status, Status::grad_norm);
  EXPECT_EQ(small.end.step, 22);
}

/// The schemes of order 4 and more without adaptivity at these steps: their own error stays below the interpolation's.
class LocatedStop : public testing::TestWithParam<SchemeRow> {};

// y = exp(-t) reaches y^2/2 = 0.1 at t = -ln(0.2)/2 and |v| = 0.1 at -ln(0.1). The cubic is off by h^4/384, a scheme of
// order p by less than h^p; both divided by the slopes 0.2 and 0.1 of the measures.
TEST_P(LocatedStop, LiesWithinTheStep) {
  constexpr double h = .05;
  const double error = std::pow(h, 4) / 384 + std::pow(h, GetParam().order);
  Stop loss, grad_norm;
  loss.loss = grad_norm.grad_norm = .1;
  const Outcome low = decay_until(loss, GetParam().name, h), small = decay_until(grad_norm, GetParam().name, h);
  EXPECT_EQ(low.status, Status::loss);
  EXPECT_NEAR(low.end.time, -std::log(.2) / 2, error / .2);
  EXPECT_LE(low.y[0] * low.y[0] / 2, .1);
  // The bracket is 1e-9 of a step wide.
  EXPECT_NEAR(low.y[0] * low.y[0] / 2, .1, .2 * 1e-9 * h);
  EXPECT_EQ(low.end.step, std::floor(low.end.time / h));
  EXPECT_EQ(low.work.steps, low.end.step + 1);
  EXPECT_EQ(small.status, Status::grad_norm);
  EXPECT_NEAR(small.end.time, -std::log(.1), error / .1);
  EXPECT_NEAR(small.y[0], .1, .1 * 1e-9 * h);
}

INSTANTIATE_TEST_SUITE_P(Table, LocatedStop, testing::ValuesIn(test::schemes_where([](const SchemeRow& row) {
                           return row.continuous && row.order >= 4 && !row.second_order;
                         })),
                         test::scheme_title);

TEST(Stop, OfTwoGoalsInOneStepTakesTheFirst) {
  Stop stop;
  stop.loss = .1;        // at t = 0.805
  stop.grad_norm = .46;  // at t = 0.777
  EXPECT_EQ(decay_until(stop, "rk4", .8).status, Status::grad_norm);
  stop.grad_norm = .44;  // at t = 0.821
  EXPECT_EQ(decay_until(stop, "rk4", .85).status, Status::loss);
  stop.time = .83;
  EXPECT_EQ(decay_until(stop, "rk4", .83).status, Status::loss);
}

// The located state ends the recording; what lies behind it is not shown.
TEST(Stop, WithinAStepEndsTheRecordingThere) {
  Trajectory path;
  const Watch watch[] = {{{even_times(1.6, 16), 0}, path}};
  Stop stop;
  stop.loss = .1;
  const Outcome outcome = decay_until(stop, "rk4", .8, watch);
  ASSERT_EQ(path.times.size(), 10u);
  EXPECT_EQ(path.times[8], even_times(1.6, 16)[8]);
  EXPECT_EQ(path.times[9], outcome.end.time);
  EXPECT_EQ(path.states[9], outcome.y);
}

TEST(Stop, AfterSoManyGradients) {
  Stop stop;
  stop.gradients = 10;
  const Outcome outcome = decay_until(stop, "rk4");
  EXPECT_EQ(outcome.status, Status::gradients);
  EXPECT_EQ(outcome.work.gradients, 12);
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
    if (row.implicit != Part::none || !row.fixed || row.name == "adam") continue;
    if (row.limit && std::isinf(row.limit({}))) continue;
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
// Only PETSc's: integrators with a step control of their own may go on shortening for ever.
TEST(Integrate, SaysNoSuccessWhereTheVelocityIsNotANumber) {
  const Scalar flow([](double y) { return y > .8 ? -1. : NAN; });
  Stop stop;
  stop.time = 2;
  for (const SchemeRow& row : petsc_schemes()) {
    const Outcome outcome = integrate(flow, fixed_step(row.name, .05), Vector::Ones(1), stop);
    EXPECT_GE(outcome.status, Status::diverged) << row.name;
    EXPECT_LE(outcome.end.time, .35) << row.name;
    EXPECT_FALSE(outcome.message.empty()) << row.name;
  }
}

// y' = 1e13 below 1 and -1e13 from there on: no step down to h/4^10 has a solution.
TEST(Integrate, SaysWhichOfPetscsSolversGaveUpAndWhy) {
  const Scalar flow([](double y) { return y < 1 ? 1e13 : -1e13; });
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
  EXPECT_EQ(name(Status::gradients), "gradients");
  EXPECT_EQ(name(Status::failed), "failed");
}

}  // namespace
}  // namespace thalweg
