#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "thalweg/data/dataset.hpp"

namespace thalweg {
namespace {

using std::numbers::pi;

DataSpec of_kind(const std::string& kind) {
  DataSpec spec;
  spec.kind = kind;
  return spec;
}

std::vector<std::string> generated_kinds() {
  std::vector<std::string> kinds;
  for (const DataKind& row : data_kinds())
    if (row.name != "csv") kinds.emplace_back(row.name);
  return kinds;
}

std::string refusal(const DataSpec& spec) {
  try {
    make_dataset(spec);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

bool same(const Samples& a, const Samples& b) {
  return a.x == b.x && a.clean == b.clean && a.label == b.label && a.fragment == b.fragment;
}

TEST(Generators, AreAPureFunctionOfTheSpec) {
  for (const auto& kind : generated_kinds()) {
    DataSpec spec = of_kind(kind);
    spec.noise = 0.2;
    const Dataset a = make_dataset(spec), b = make_dataset(spec);
    EXPECT_TRUE(same(a.train, b.train) && same(a.validation, b.validation) && same(a.test, b.test)) << kind;
    spec.seed = 1;
    EXPECT_FALSE(same(a.test, make_dataset(spec).test)) << kind;
  }
}

TEST(Generators, DrawEachSplitWhateverTheSizesOfTheOthers) {
  for (const auto& kind : generated_kinds()) {
    DataSpec spec = of_kind(kind);
    const Dataset before = make_dataset(spec);
    spec.samples = 77;
    spec.validation_samples = 5;
    const Dataset after = make_dataset(spec);
    EXPECT_EQ(before.train.x.topRows(after.train.size()), after.train.x) << kind;
    EXPECT_TRUE(same(before.test, after.test)) << kind;
    EXPECT_EQ(before.validation.x.topRows(5), after.validation.x) << kind;
    EXPECT_NE(before.validation.x.topRows(5), before.test.x.topRows(5)) << kind;
  }
}

// Beyond 4 std lie 6e-5 of a Gaussian: of some 3200 coordinates 0.2 are expected outside, 4 with probability 6e-5.
TEST(Generators, KeepTheirPointsInTheirDomain) {
  for (const auto& kind : generated_kinds()) {
    const Dataset data = make_dataset(of_kind(kind));
    Index outside = 0;
    for (const Samples* part : {&data.train, &data.validation, &data.test})
      for (Index i = 0; i < part->size(); ++i)
        outside += (part->x.row(i).transpose().array() < data.low.array()).any() ||
                   (part->x.row(i).transpose().array() > data.high.array()).any();
    EXPECT_LT(outside, 4) << kind;
  }
}

TEST(Generators, VisitEveryFragmentAlikeAndEachHoldsOneClass) {
  for (const auto& [kind, fragments] :
       {std::pair{"rings", 3}, {"islands", 9}, {"gaussians", 2}, {"moons", 2}, {"spirals", 2}}) {
    DataSpec spec = of_kind(kind);
    spec.samples = 90;
    const Samples train = make_dataset(spec).train;
    std::set<std::pair<int, int>> seen;
    for (std::size_t i = 0; i < 90; ++i) seen.emplace(train.fragment[i], train.clean[i]);
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(fragments)) << kind;
    for (int f = 0; f < fragments; ++f)
      EXPECT_EQ(std::count(train.fragment.begin(), train.fragment.end(), f), 90 / fragments) << kind;
  }
}

TEST(LangWitbrock, IsTheClassicalSet) {
  const Samples train = make_dataset(of_kind("lang-witbrock")).train;
  ASSERT_EQ(train.size(), 194);
  for (int i = 0; i <= 96; ++i) {
    const double angle = i * pi / 16, r = 6.5 * (104 - i) / 104;
    EXPECT_EQ(train.x.row(2 * i), Eigen::RowVector2d(r * std::sin(angle), r * std::cos(angle)));
    EXPECT_EQ(train.x.row(2 * i + 1), -train.x.row(2 * i));
    EXPECT_EQ(train.clean[static_cast<std::size_t>(2 * i)], 1);
    EXPECT_EQ(train.clean[static_cast<std::size_t>(2 * i) + 1], 0);
  }
}

/// Largest distance of x to the Archimedean arm r = c a of its class, read off at equal radius.
double off_arm(const Samples& samples, double c) {
  double worst = 0;
  for (Index i = 0; i < samples.size(); ++i) {
    const double sign = samples.clean[static_cast<std::size_t>(i)] == 1 ? 1 : -1, r = samples.x.row(i).norm();
    const Eigen::RowVector2d on(r * std::cos(r / c), r * std::sin(r / c));
    worst = std::max(worst, (samples.x.row(i) - sign * on).norm());
  }
  return worst;
}

// Rounding of r/c, an angle below 24, times a radius below 7, a few times over: 1e-13.
TEST(Spirals, LieOnTheirArmsAtJitterZero) {
  DataSpec spec = of_kind("spirals");
  spec.jitter = 0;
  spec.turns = 2;
  EXPECT_LT(off_arm(make_dataset(spec).train, 3 / (pi / 2 + 4 * pi)), 1e-13);
  spec.kind = "lang-witbrock";
  const Dataset classical = make_dataset(spec);
  EXPECT_LT(off_arm(classical.train, 1 / pi), 1e-13);
  EXPECT_LT(off_arm(classical.test, 1 / pi), 1e-13);
}

// Points of size 1, a few roundings each.
TEST(Moons, LieOnTheirHalfCirclesAtJitterZero) {
  DataSpec spec = of_kind("moons");
  spec.jitter = 0;
  const Samples train = make_dataset(spec).train;
  for (Index i = 0; i < train.size(); ++i) {
    const bool inner = train.clean[static_cast<std::size_t>(i)] == 1;
    const double x = inner ? 1 - train.x(i, 0) : train.x(i, 0), y = inner ? 0.5 - train.x(i, 1) : train.x(i, 1);
    EXPECT_NEAR(std::hypot(x, y), 1, 1e-15);
    EXPECT_GE(y, -1e-15);
  }
}

TEST(Circles, LieAtRadiiOneAndFourFifthsAtJitterZero) {
  DataSpec spec = of_kind("circles");
  spec.jitter = 0;
  const Samples train = make_dataset(spec).train;
  for (Index i = 0; i < train.size(); ++i)
    EXPECT_NEAR(train.x.row(i).norm(), train.clean[static_cast<std::size_t>(i)] == 0 ? 1 : 0.8, 1e-15);
}

TEST(Sine, IsLabelledByTheSideOfTheCurve) {
  const Samples train = make_dataset(of_kind("sine")).train;
  for (Index i = 0; i < train.size(); ++i)
    EXPECT_EQ(train.clean[static_cast<std::size_t>(i)], train.x(i, 1) > 0.5 * std::sin(2 * pi * train.x(i, 0)));
}

TEST(Rings, AlternateAndKeepClearOfTheCirclesBetween) {
  DataSpec spec = of_kind("rings");
  spec.rings = 5;
  const Samples train = make_dataset(spec).train;
  for (Index i = 0; i < train.size(); ++i) {
    const auto s = static_cast<std::size_t>(i);
    const double place = 5 * train.x.row(i).norm() - train.fragment[s];
    EXPECT_GE(place, 0.25 - 1e-14);  // the radii (j + 1/4)/n and (j + 3/4)/n, up to rounding
    EXPECT_LE(place, 0.75 + 1e-14);
    EXPECT_EQ(train.clean[s], train.fragment[s] % 2);
  }
}

TEST(DataSpec, RefusesBadValuesByKeyValueAndRange) {
  DataSpec spec = of_kind("spiral");
  EXPECT_EQ(refusal(spec), "data.kind: no 'spiral'; did you mean spirals?");
  spec = of_kind("islands");
  spec.spread = -1;
  EXPECT_EQ(refusal(spec), "data.spread: -1 is not in (0, inf)");
  spec = of_kind("moons");
  spec.noise = 1;
  EXPECT_EQ(refusal(spec), "data.noise: 1 is not in [0, 1)");
  spec = of_kind("moons");
  spec.samples = 0;
  EXPECT_EQ(refusal(spec), "data.samples: 0 is not in {1, 2, ...}");
  spec = of_kind("moons");
  spec.jitter = std::nan("");
  EXPECT_EQ(refusal(spec), "data.jitter: nan is not in [0, inf)");
  spec = of_kind("rings");
  spec.rings = 1;
  EXPECT_EQ(refusal(spec), "data.rings: 1 is not in {2, 3, ...}");
}

}  // namespace
}  // namespace thalweg
