#include <gtest/gtest.h>

#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

using test::Decay;
using test::fixed_step;

Outcome steps(const Flow& flow, const Scheme& scheme, In y0, std::int64_t count) {
  Stop stop;
  stop.steps = count;
  return integrate(flow, scheme, y0, stop);
}

/// Rows that state a limit for what they treat explicitly.
class VerdictOfEveryLimit : public testing::TestWithParam<SchemeRow> {
 protected:
  void SetUp() override {
    if (!std::isfinite(step_at(1))) GTEST_SKIP() << GetParam().name << " is stable at every step";
  }
  double step_at(double share) const {
    SchemeSettings settings;
    settings.step = 1;
    return share * GetParam().limit(settings);
  }
};

// The amplitude grows by |R| > 1 a step: of some rows past the bound, of others not nearly.
TEST_P(VerdictOfEveryLimit, CatchesAStepBeyondIt) {
  const Outcome outcome = steps(Decay(1).flow, fixed_step(GetParam().name, step_at(1.1)), Vector::Ones(1), 40);
  EXPECT_EQ(outcome.status, Status::diverged);
  EXPECT_NE(outcome.message.find("exceeds the stability limit"), std::string::npos) << outcome.message;
  EXPECT_NE(outcome.message.find(" of " + std::string(GetParam().name) + "; try a step below"), std::string::npos)
      << outcome.message;
}

TEST_P(VerdictOfEveryLimit, LeavesAStepWithinItAlone) {
  const Outcome outcome = steps(Decay(1).flow, fixed_step(GetParam().name, step_at(.9)), Vector::Ones(1), 40);
  EXPECT_EQ(outcome.status, Status::steps);
  EXPECT_TRUE(outcome.message.empty()) << outcome.message;
}

INSTANTIATE_TEST_SUITE_P(Table, VerdictOfEveryLimit, testing::ValuesIn(test::schemes_where([](const SchemeRow& row) {
                           return row.limit && row.implicit != Part::all;
                         })),
                         test::scheme_title);

// 1 x 1000 against 2: steps below 0.002 are stable.
TEST(Verdict, SaysByHowMuchAndWhatToTry) {
  const Outcome outcome = steps(Decay(1000).flow, fixed_step("sgd", 1), Vector::Ones(1), 10);
  EXPECT_EQ(outcome.status, Status::diverged);
  EXPECT_NE(outcome.message.find("step x sharpness = 1000 exceeds the stability limit 2 of sgd; try a step below "
                                 "0.002, or an implicit scheme"),
            std::string::npos)
      << outcome.message;
}

// 0.45 x 5 = 2.25: after two steps the energy is 1.25^4 times 2.5.
TEST(Verdict, SaysHowFarTheEnergyRose) {
  const Outcome outcome = steps(Decay(5).flow, fixed_step("sgd", .45), Vector::Ones(1), 2);
  EXPECT_EQ(outcome.message,
            "the energy rose from 2.5 to 6.1: step x sharpness = 2.25 exceeds the stability limit 2 of sgd; try a step "
            "below 0.4, or an implicit scheme");
}

// |1 - 3/4 x 5|/(1 + 5/4) = 1.2: implicit for a quarter, and stable up to 2/(1 - 2/4) = 4.
TEST(Verdict, KnowsTheLimitOfAThetaMethod) {
  SchemeSettings settings;
  settings.step = 5;
  settings.theta = .25;
  const Outcome outcome = steps(Decay(1).flow, make_scheme("theta", settings), Vector::Ones(1), 10);
  EXPECT_EQ(outcome.status, Status::diverged);
  EXPECT_NE(outcome.message.find("step x sharpness = 5 exceeds the stability limit 4 of theta; try a step below 4"),
            std::string::npos)
      << outcome.message;
}

/// A tanh network whose loss saturates: a step of 50 throws it about and leaves every number finite.
struct Saturating {
  const test::Network net{{.hidden = {16}}, 2, 40};
  const GradientFlow flow{net.risk, nullptr, {}};
  const Vector y0 = net.model.start(1);

  Outcome run(std::string_view scheme, double step, const BatchPlan& batch = {}) const {
    return steps(flow, fixed_step(scheme, step, batch), y0, 200);
  }
};

TEST(Verdict, CatchesAStepThatIsTooLongForALossThatStaysFinite) {
  const Saturating saturating;
  for (const auto* scheme : {"forward-euler", "sgd", "rk4"}) {
    const Outcome outcome = saturating.run(scheme, 50);
    EXPECT_EQ(outcome.status, Status::diverged) << scheme;
    EXPECT_TRUE(outcome.y.allFinite()) << scheme;
    EXPECT_NE(outcome.message.find("exceeds the stability limit"), std::string::npos) << outcome.message;
    EXPECT_EQ(saturating.run(scheme, .05).status, Status::steps) << scheme;
  }
}

// A Rosenbrock method takes the flow for linear over its whole step.
TEST(Verdict, CatchesImplicitStepsThatLeaveTheFlow) {
  const Saturating saturating;
  const Outcome outcome = saturating.run("rosw2m", 1000);
  EXPECT_EQ(outcome.status, Status::diverged);
  EXPECT_NE(outcome.message.find("steps this long do not follow the flow; try a smaller scheme.step than 1000"),
            std::string::npos)
      << outcome.message;
  EXPECT_EQ(saturating.run("rosw2m", .5).status, Status::steps);
}

// No full-set judgement of runs that never saw the full set at once, of those whose error is controlled or whose stiff
// directions are solved for, and of steps that are no discretisation and know no limit.
TEST(Verdict, LeavesOtherRunsAlone) {
  const Saturating saturating;
  EXPECT_EQ(saturating.run("sgd", 50, {10, "shuffle", 1}).status, Status::steps);
  EXPECT_EQ(saturating.run("adam", 1).status, Status::steps);
  EXPECT_EQ(steps(Decay(1000).flow, fixed_step("backward-euler", 1), Vector::Ones(1), 5).status, Status::steps);
  SchemeSettings adaptive;
  adaptive.rtol = 1e-3;
  EXPECT_EQ(steps(Decay(1000).flow, make_scheme("rk5dp", adaptive), Vector::Ones(1), 20).status, Status::steps);
}

/// The same flow with noise that is zero: what counts is that it may be there.
class Noisy final : public Flow {
 public:
  explicit Noisy(const Flow& flow) : flow_(flow) {}
  Index size() const override { return flow_.size(); }
  void velocity(Part part, const Instant& at, In y, Out v) const override { flow_.velocity(part, at, y, v); }
  void jvp(Part part, const Instant& at, In y, In w, Out vw) const override { flow_.jvp(part, at, y, w, vw); }
  bool symmetric() const override { return true; }
  bool noisy() const override { return true; }
  std::optional<double> energy(In y) const override { return flow_.energy(y); }

 private:
  const Flow& flow_;
};

TEST(Verdict, LeavesNoiseToRaiseTheEnergy) {
  const Decay decay(5);
  EXPECT_EQ(steps(Noisy(decay.flow), fixed_step("langevin", .45), Vector::Ones(1), 2).status, Status::steps);
}

// Mini-batches judge by what the whole set has: eight of ten samples are flat, two are steep.
TEST(Verdict, OfBatchesThatDivergedTellsTheSharpnessOfTheWholeSet) {
  const test::Network net({.hidden = {}, .activation = "identity", .loss = "mse"}, 2, 40);
  const GradientFlow flow(net.risk, nullptr, {});
  const Vector y0 = net.model.start(1);
  const Outcome far = steps(flow, fixed_step("sgd", 20, {10, "shuffle", 1}), y0, 1000);
  EXPECT_EQ(far.status, Status::diverged);
  EXPECT_NE(far.message.find("exceeds the stability limit 2 of sgd"), std::string::npos) << far.message;
}

TEST(Verdict, OfASchemeWithoutALimitTellsWhatIsKnown) {
  const Outcome outcome = steps(Decay(1000).flow, fixed_step("sam", 1), Vector::Ones(1), 100);
  EXPECT_EQ(outcome.status, Status::diverged);
  EXPECT_NE(outcome.message.find("step x sharpness = 1000, and no stability limit of sam is known"), std::string::npos)
      << outcome.message;
}

}  // namespace
}  // namespace thalweg
