#include "thalweg/integrate/step_schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

constexpr double eta = .4;

/// The first sizes of a schedule.
std::vector<double> sizes(const StepSchedule& schedule, std::int64_t count) {
  const StepSizes of(schedule, eta);
  std::vector<double> all;
  for (std::int64_t k = 0; k < count; ++k) all.push_back(of(k));
  return all;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& exact) {
  ASSERT_EQ(got.size(), exact.size());
  for (std::size_t k = 0; k < got.size(); ++k) EXPECT_NEAR(got[k], exact[k], 4e-16) << "step " << k;
}

TEST(StepSchedule, IsConstantByDefault) {
  EXPECT_EQ(sizes({}, 4), (std::vector<double>{eta, eta, eta, eta}));
  EXPECT_TRUE(StepSizes({}, eta).constant());
  EXPECT_FALSE(StepSizes({"constant", {}, .1, 1}, eta).constant());
}

TEST(StepSchedule, CutsTheStepAfterEachPeriod) {
  expect_near(sizes({"step", 3, .5}, 8), {eta, eta, eta, eta / 2, eta / 2, eta / 2, eta / 4, eta / 4});
}

// cos(pi/3) = 1/2.
TEST(StepSchedule, FollowsHalfACosineAndStartsAnew) {
  expect_near(sizes({"cosine", 3}, 7), {eta, .75 * eta, .25 * eta, eta, .75 * eta, .25 * eta, eta});
}

TEST(StepSchedule, FallsLikeOneOverTime) {
  expect_near(sizes({"inverse-time", 2}, 5), {eta, eta / 1.5, eta / 2, eta / 2.5, eta / 3});
}

TEST(StepSchedule, StartsAfterALinearWarmUp) {
  for (const ScheduleKind& kind : schedules()) {
    const StepSchedule plain{std::string(kind.name), 3, .1, 0}, warm{std::string(kind.name), 3, .1, 4};
    const auto late = sizes(warm, 12), own = sizes(plain, 8);
    expect_near({late.begin(), late.begin() + 4}, {eta / 4, eta / 2, .75 * eta, eta});
    EXPECT_EQ(std::vector<double>(late.begin() + 4, late.end()), own) << kind.name;
  }
}

TEST(StepSchedule, NeverExceedsTheStepNorStops) {
  for (const ScheduleKind& kind : schedules())
    for (const double size : sizes({std::string(kind.name), 7, .9, 5}, 100)) {
      EXPECT_GT(size, 0) << kind.name;
      EXPECT_LE(size, eta) << kind.name;
    }
}

// A mean cosine over whole periods of K steps is 1/K: 1/2 + 1/(2 K) of the full steps' time.
TEST(StepSchedule, SpansTheSumOfItsSteps) {
  EXPECT_NEAR(StepSizes({"cosine", 10}, eta).span(20, INFINITY), 20 * eta * .55, 1e-14);
  EXPECT_NEAR(StepSizes({"constant", {}, .1, 9}, eta).span(9, INFINITY), eta * 5, 1e-14);
  EXPECT_EQ(StepSizes({}, eta).span(20, INFINITY), 20 * eta);
  // Long beyond what anyone could wait for, but for the bound.
  EXPECT_GT(StepSizes({"cosine", 10}, eta).span(std::int64_t{1} << 62, 3), 3);
}

// 6 eta/(1 - 1/2) = 12 eta, and with a warm-up of three steps (1 + 2 + 3)/3 eta more.
TEST(StepSchedule, RefusesATimeThatItNeverReaches) {
  const StepSizes plain({"step", 6, .5}, eta), warm({"step", 6, .5, 3}, eta);
  EXPECT_NO_THROW(plain.require_reaching(11.9 * eta));
  EXPECT_NO_THROW(warm.require_reaching(13.9 * eta));
  EXPECT_NE(test::complaint([&] { plain.require_reaching(12 * eta); }).find("stop.time: 4.8"), std::string::npos);
  EXPECT_NE(test::complaint([&] { warm.require_reaching(14.1 * eta); }).find("stop.time"), std::string::npos);
  EXPECT_GT(plain.span(200, INFINITY), 11.999 * eta);
  for (const auto* endless : {"constant", "cosine", "inverse-time"})
    EXPECT_NO_THROW(StepSizes({endless, 6}, eta).require_reaching(1e9)) << endless;
}

TEST(StepSchedule, NamesTheOptionThatIsWrong) {
  const auto said = [](const StepSchedule& schedule) { return test::complaint([&] { StepSizes(schedule, eta); }); };
  EXPECT_EQ(said({"cosin", 3}).find("scheme.schedule: no 'cosin'; did you mean cosine"), 0u);
  EXPECT_EQ(said({"cosine", {}}).find("scheme.period: scheme.schedule=cosine"), 0u);
  EXPECT_EQ(said({"cosine", 0}).find("scheme.period: 0"), 0u);
  EXPECT_EQ(said({"step", 3, 1}).find("scheme.factor: 1"), 0u);
  EXPECT_EQ(said({"step", 3, 0}).find("scheme.factor: 0"), 0u);
  EXPECT_EQ(said({"constant", {}, .1, -1}).find("scheme.warmup: -1"), 0u);
}

}  // namespace
}  // namespace thalweg
