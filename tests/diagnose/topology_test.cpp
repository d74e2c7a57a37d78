#include "thalweg/diagnose/topology.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

Grid square(int nodes, double radius) {
  return {{nodes, nodes, 1}, {-radius, -radius, 0}, {2 * radius / (nodes - 1), 2 * radius / (nodes - 1), 1}};
}

std::vector<double> sampled(const Grid& grid, const std::function<double(double, double)>& f) {
  std::vector<double> values;
  for (int j = 0; j < grid.nodes[1]; ++j)
    for (int i = 0; i < grid.nodes[0]; ++i) values.push_back(f(grid.coordinate(0, i), grid.coordinate(1, j)));
  return values;
}

double well(double x) { return std::pow(x * x - 1, 2) / 4; }
double wells(double x, double y) { return well(x) + well(y); }

// V(x) + V(y) has minima 0 at (+-1, +-1) and saddles 1/4 at (0, +-1) and (+-1, 0), all of them nodes of this grid.
TEST(MergeTree, OfTheDoubleWellHasFourMinimaAndThreePairs) {
  const Grid grid = square(61, 1.5);
  const MergeTree tree = merge_tree(grid, sampled(grid, wells));
  ASSERT_EQ(tree.basins.size(), 4u);
  for (const Basin& basin : tree.basins) EXPECT_NEAR(basin.birth, 0, 1e-15);
  for (std::size_t k = 1; k < 4; ++k) EXPECT_NEAR(tree.basins[k].death, .25, 1e-15);
  EXPECT_EQ(tree.basins[0].parent, 0u);
  // Every quarter of the plane is one basin.
  const auto labels = tree.labels(.1);
  for (const auto& [i, j] : {std::pair{10, 10}, {50, 10}, {10, 50}, {50, 50}})
    EXPECT_EQ(labels[grid.index(i, j)], labels[grid.index(i < 30 ? 0 : 60, j < 30 ? 0 : 60)]);
}

// Heat flow adds to V its even moments: at sigma = .3 minima at +-sqrt(1 - 3 sigma^2) and the barrier
// (1 - 3 sigma^2)^2/4 = 0.133225. The ends lie ten standard deviations from the saddles; the minima between nodes cost
// V'' h^2/8 in each variable.
TEST(HeatFlow, OfTheDoubleWellLeavesTheSmoothedBarrier) {
  const Grid grid = square(401, 4);
  const double sigma = .3;
  const auto u = heat_flow(grid, sampled(grid, wells), sigma * sigma / 2);
  const MergeTree tree = merge_tree(grid, u);
  ASSERT_EQ(tree.basins.size(), 4u);
  const double h = grid.spacing[0];
  for (std::size_t k = 1; k < 4; ++k) EXPECT_NEAR(tree.basins[k].persistence(), .133225, 2 * h * h / 8);
  // The values themselves, in closed form: V + sigma^2/2 D V + sigma^4/8 D^2 V with the second difference D of x^4,
  // 12 x^2 + 2 h^2: V + sigma^2/2 (3 x^2 - 1 + h^2/2) + 3 sigma^4/4.
  const auto smooth = [&](double x) {
    return well(x) + sigma * sigma / 2 * (3 * x * x - 1 + h * h / 2) + 3 * std::pow(sigma, 4) / 4;
  };
  for (int i = 150; i <= 250; i += 10)
    EXPECT_NEAR(u[grid.index(i, 200)], smooth(grid.coordinate(0, i)) + smooth(0), 1e-10);
}

// A cosine with flat ends decays at its own rate, on any grid that is not square and in a volume.
TEST(HeatFlow, DampsCosinesExactly) {
  const Grid grid{{21, 11, 5}, {0, 0, 0}, {.1, .3, .5}};
  std::vector<double> u0;
  for (int k = 0; k < 5; ++k)
    for (int j = 0; j < 11; ++j)
      for (int i = 0; i < 21; ++i)
        u0.push_back(std::cos(std::numbers::pi * 3 * i / 20) * std::cos(std::numbers::pi * j / 10) *
                     std::cos(std::numbers::pi * 2 * k / 4));
  const auto rate_of = [](int k, int intervals, double h) {
    return std::pow(2 / h * std::sin(std::numbers::pi * k / (2 * intervals)), 2);
  };
  const double rate = rate_of(3, 20, .1) + rate_of(1, 10, .3) + rate_of(2, 4, .5);
  const auto u = heat_flow(grid, u0, .1);
  for (std::size_t n = 0; n < u.size(); ++n) EXPECT_NEAR(u[n], std::exp(-.1 * rate) * u0[n], 1e-14);
}

TEST(HeatFlow, KeepsConstantsAndValuesAtTimeZero) {
  const Grid grid = square(9, 1);
  const auto values = sampled(grid, [](double x, double y) { return x * x * x + y; });
  const auto same = heat_flow(grid, values, 0);
  for (std::size_t n = 0; n < values.size(); ++n) EXPECT_NEAR(same[n], values[n], 1e-14);
  for (const double v : heat_flow(grid, std::vector<double>(81, 3.), 5)) EXPECT_NEAR(v, 3, 1e-14);
}

// Cliffs of ten orders of magnitude, through heat times far below and far above the square of the spacing.
TEST(HeatFlow, ObeysTheMaximumPrinciple) {
  const Grid grid = square(61, 3);
  const auto cliffs =
      sampled(grid, [](double x, double y) { return x > .4 ? 1e10 : std::cos(7 * x) * std::sin(9 * y) - 1; });
  const auto [low, high] = std::ranges::minmax(cliffs);
  for (const double time : {1e-6, 1e-4, 1e-3, 1e-2, 1., 100.}) {
    const auto u = heat_flow(grid, cliffs, time);
    const auto [least, most] = std::ranges::minmax(u);
    EXPECT_GE(least, low - 1e-5) << time;  // rounding of 1e10
    EXPECT_LE(most, high * (1 + 1e-14)) << time;
  }
}

/// The number of connected pieces of the sublevel set, by flooding over the same neighbours.
int pieces(const Grid& grid, const std::vector<double>& values, double level) {
  std::vector<bool> seen(values.size(), false);
  int count = 0;
  for (std::size_t start = 0; start < values.size(); ++start) {
    if (seen[start] || values[start] > level) continue;
    ++count;
    std::vector<std::size_t> stack{start};
    seen[start] = true;
    while (!stack.empty()) {
      const int i = static_cast<int>(stack.back()) % grid.nodes[0], j = static_cast<int>(stack.back()) / grid.nodes[0];
      stack.pop_back();
      for (const auto& [di, dj] : {std::pair{1, 0}, {0, 1}, {1, 1}, {-1, 0}, {0, -1}, {-1, -1}}) {
        if (i + di < 0 || i + di >= grid.nodes[0] || j + dj < 0 || j + dj >= grid.nodes[1]) continue;
        const std::size_t n = grid.index(i + di, j + dj);
        if (seen[n] || values[n] > level) continue;
        seen[n] = true;
        stack.push_back(n);
      }
    }
  }
  return count;
}

// The tree's open intervals at a level are the pieces of the sublevel set there, on noise with many ties.
TEST(MergeTree, CountsThePiecesOfEverySublevelSet) {
  const Grid grid{{17, 12, 1}, {0, 0, 0}, {1, 1, 1}};
  Stream draw(3, Purpose::probe);
  std::vector<double> values(grid.size());
  for (double& v : values) v = static_cast<double>(draw.below(20));
  const MergeTree tree = merge_tree(grid, values);
  for (double level = -.5; level < 20; ++level) {
    int open = 0;
    for (std::size_t k = 0; k < tree.basins.size(); ++k)
      open += tree.basins[k].birth <= level && (k == 0 || tree.basins[k].death > level);
    EXPECT_EQ(open, pieces(grid, values, level)) << level;
  }
}

TEST(MergeTree, CountsBasinsBelowTheThresholdToThoseTheyJoin) {
  const Grid grid{{7, 1, 1}, {0, 0, 0}, {1, 1, 1}};
  const std::vector<double> values{0, 5, 1, 1.2, 1.1, 6, 2};
  const MergeTree tree = merge_tree(grid, values);
  ASSERT_EQ(tree.basins.size(), 4u);
  EXPECT_NEAR(tree.basins[1].persistence(), 4, 1e-15);
  EXPECT_NEAR(tree.basins[2].persistence(), 4, 1e-15);
  EXPECT_NEAR(tree.basins[3].persistence(), .1, 1e-15);
  const auto labels = tree.labels(1);
  EXPECT_EQ(labels[4], labels[2]);
  EXPECT_NE(labels[0], labels[2]);
}

TEST(MergeTree, TakesWhatIsNoNumberForInfinitelyHigh) {
  const Grid grid{{3, 1, 1}, {0, 0, 0}, {1, 1, 1}};
  const std::vector<double> values{1, NAN, 0};
  const MergeTree tree = merge_tree(grid, values);
  ASSERT_EQ(tree.basins.size(), 2u);
  EXPECT_EQ(tree.basins[1].death, INFINITY);
}

}  // namespace
}  // namespace thalweg
