#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "solve.hpp"

namespace thalweg {
namespace {

using test::Decay;
using test::solve;
using Times = std::vector<double>;
using Steps = std::vector<std::int64_t>;

Trajectory record(const Flow& flow, std::string_view scheme, double step, const Vector& y0, double end,
                  const Schedule& when, const BatchPlan& batch = {}) {
  Trajectory path;
  const Watch watch[] = {{when, path}};
  solve(flow, scheme, step, y0, end, watch, batch);
  return path;
}

/// Takes its time.
struct Dreamer final : Observer {
  void see(const Frame&) override { std::this_thread::sleep_for(std::chrono::milliseconds(200)); }
};

// Twenty steps of a field in one dimension take microseconds, one look a fifth of a second.
TEST(Recording, CostsTheSchemeNoTime) {
  for (const std::string_view scheme : {"sgd", "rk4"}) {
    Dreamer dreamer;
    const Watch watch[] = {{{{.5}, 0}, dreamer}};
    const Outcome outcome = solve(Decay(1).flow, scheme, .05, Vector::Ones(1), 1, watch);
    EXPECT_GT(outcome.work.seconds, 0) << scheme;
    EXPECT_LT(outcome.work.seconds, .2) << scheme;
  }
}

class RecordingOfEveryScheme : public testing::TestWithParam<SchemeRow> {
 protected:
  const test::Network net{{{5}, "tanh", "logistic", "standard", 0, 0}, 2, 20};
  const GradientFlow descent{net.risk, net.lattice.get(), test::slots_for(GetParam(), .01)};
  const test::Suited suited{GetParam(), descent, net.model.start(1)};
  const Flow& flow = suited.flow;
  const Vector& y0 = suited.start;
};

TEST_P(RecordingOfEveryScheme, NeverChangesTheResultNorItsCost) {
  for (const BatchPlan& batch : test::batches_for(GetParam())) {
    Trajectory often, seldom;
    const Watch watches[] = {{{even_times(1, 37), 1}, often}, {{{.5}, 0}, seldom}};
    const Outcome alone = solve(flow, GetParam().name, .07, y0, 1, {}, batch);
    const Outcome watched = solve(flow, GetParam().name, .07, y0, 1, watches, batch);
    EXPECT_EQ(watched.y, alone.y);
    EXPECT_EQ(watched.work.gradients, alone.work.gradients);
    EXPECT_EQ(watched.work.products, alone.work.products);
    EXPECT_EQ(often.states.back(), alone.y.head(flow.parameters()));
  }
}

TEST_P(RecordingOfEveryScheme, ShowsTheSameStatesToEveryObserver) {
  const auto once = record(flow, GetParam().name, .07, y0, 1, {{.31}, 0});
  const auto often = record(flow, GetParam().name, .07, y0, 1, {{.1, .3, .31, .32, .9}, 0});
  ASSERT_EQ(once.states.size(), 3u);
  const auto same = std::find(often.times.begin(), often.times.end(), once.times[1]);
  ASSERT_NE(same, often.times.end());
  EXPECT_EQ(often.states[static_cast<std::size_t>(same - often.times.begin())], once.states[1]);
}

TEST_P(RecordingOfEveryScheme, SeesEachScheduledTimeOnceAndInOrder) {
  const auto path = record(flow, GetParam().name, .3, y0, 1, {{0, .25, .5, .55, .75, 1}, 0});
  if (GetParam().continuous) {
    EXPECT_EQ(path.times, (Times{0, .25, .5, .55, .75, 1}));
  } else {
    // The first state at or after each: nothing lies between two of them.
    ASSERT_EQ(path.steps, (Steps{0, 1, 2, 3, 4}));
    for (std::size_t k = 0; k < 4; ++k) EXPECT_DOUBLE_EQ(path.times[k], .3 * static_cast<double>(k));
    EXPECT_EQ(path.times[4], 1);
  }
}

TEST_P(RecordingOfEveryScheme, AtStepsSeesEveryMultipleAndTheEnd) {
  if (!GetParam().fixed) {
    const auto often = record(flow, GetParam().name, .2, y0, 1, {{}, 1}),
               seldom = record(flow, GetParam().name, .2, y0, 1, {{}, 3});
    for (std::size_t k = 0; k + 1 < seldom.steps.size(); ++k) {
      EXPECT_EQ(seldom.steps[k], static_cast<std::int64_t>(3 * k));
      EXPECT_EQ(seldom.states[k], often.states[3 * k]);
    }
    EXPECT_EQ(seldom.states.back(), often.states.back());
    return;
  }
  EXPECT_EQ(record(flow, GetParam().name, .2, y0, 1, {{}, 2}).steps, (Steps{0, 2, 4, 5}));
  EXPECT_EQ(record(flow, GetParam().name, .2, y0, 1, {{}, 5}).steps, (Steps{0, 5}));
  EXPECT_EQ(record(flow, GetParam().name, .2, y0, 1, {{}, 0}).steps, (Steps{0, 5}));
}

INSTANTIATE_TEST_SUITE_P(Table, RecordingOfEveryScheme, testing::ValuesIn(schemes().begin(), schemes().end()),
                         test::scheme_title);

class InterpolationOfEveryScheme : public testing::TestWithParam<SchemeRow> {};

// Interpolants of PETSc's own are of lower order than their schemes, those of Euler's and of ARKIMEX L2 wrong: here
// nothing is further off between steps than at them, but for the cubic's h^4/384 (and descents, which show steps only).
TEST_P(InterpolationOfEveryScheme, IsNoWorseThanTheSteps) {
  if (GetParam().order == 0 || !GetParam().continuous) GTEST_SKIP() << GetParam().name << " has states at steps only";
  constexpr double h = .125;
  double between = 0, at_steps = 0;
  const auto error = [](const Trajectory& path, std::size_t i) {
    return std::abs(path.states[i][0] - std::exp(-path.times[i]));
  };
  const auto path = record(Decay(1).flow, GetParam().name, h, Vector::Ones(1), 1, {even_times(1, 32), 0});
  for (std::size_t i = 0; i < path.times.size(); ++i)
    (i % 4 == 0 ? at_steps : between) = std::max(i % 4 == 0 ? at_steps : between, error(path, i));
  EXPECT_LT(between, 1.1 * at_steps + std::pow(h, 4) / 384 + 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Table, InterpolationOfEveryScheme, testing::ValuesIn(test::first_order_schemes()),
                         test::scheme_title);

/// The largest error of recorded states of y' = -y, with Dormand and Prince's steps of 1e-7 at most.
double interpolation_error(double step) {
  const auto path = record(Decay(1).flow, "rk5dp", step, Vector::Ones(1), 1, {even_times(1, 64), 0});
  double largest = 0;
  for (std::size_t i = 0; i < path.times.size(); ++i)
    largest = std::max(largest, std::abs(path.states[i][0] - std::exp(-path.times[i])));
  return largest;
}

// The cubic Hermite polynomial is off by h^4/384 times the fourth derivative, here at most 1; the midpoint of the first
// step, where that is almost reached, is recorded.
TEST(Recording, BetweenStepsIsOfFourthOrder) {
  constexpr double h = .25;
  const double coarse = interpolation_error(h), fine = interpolation_error(h / 2);
  EXPECT_NEAR(std::log2(coarse / fine), 4, .2);
  EXPECT_LT(coarse, std::pow(h, 4) / 384 + 1e-6);
  EXPECT_GT(coarse, .8 * std::pow(h, 4) / 384);
}

TEST(Recording, AtTheTimesOfStepsTakesTheirStates) {
  const auto times = record(Decay(1).flow, "rk4", .1, Vector::Ones(1), 1, {even_times(1, 10), 0});
  const auto steps = record(Decay(1).flow, "rk4", .1, Vector::Ones(1), 1, {{}, 1});
  EXPECT_EQ(times.states, steps.states);
}

TEST(EvenTimes, DivideTheIntervalAndHitBothEnds) {
  EXPECT_EQ(even_times(2, 4), (Times{0, .5, 1, 1.5, 2}));
  EXPECT_EQ(even_times(.3, 3).back(), .3);
  EXPECT_EQ(even_times(5, 1), (Times{0, 5}));
}

}  // namespace
}  // namespace thalweg
