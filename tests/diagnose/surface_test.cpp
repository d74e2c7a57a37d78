#include "thalweg/diagnose/surface.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../network.hpp"

namespace thalweg {
namespace {

Slice random_slice(Index n, std::uint64_t seed, int dimension = 2) {
  const Vector centre[] = {test::normals(n, seed)};
  const test::Quadratic bowl(test::definite(n, 1));
  DirectionSource source{bowl, centre};
  source.seed = seed;
  return make_slice("random", source, dimension);
}

Grid square(int size, double radius) {
  const int sizes[] = {size};
  const double radii[] = {radius};
  return slice_grid(2, sizes, radii);
}

std::string complaint(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

/// a + b alpha + c beta + d alpha beta at the nodes of a grid of cells 0.5 x 0.25.
double bilinear(double alpha, double beta) { return 1 - 2 * alpha + 3 * beta + 4 * alpha * beta; }

Surface bilinear_surface() {
  Surface surface{{{5, 3, 1}, {-1, -.25, 0}, {.5, .25, 1}}, {}};
  for (int j = 0; j < 3; ++j)
    for (int i = 0; i < 5; ++i)
      surface.values.push_back(bilinear(surface.grid.coordinate(0, i), surface.grid.coordinate(1, j)));
  return surface;
}

// A quadratic form of twenty entries: some four hundred roundings of values up to ten.
TEST(SampleSurface, OfAQuadraticBowlIsExactOnAGridThatIsNotSquare) {
  const Slice slice = random_slice(20, 1);
  const Matrix a = test::definite(20, 2);
  const int sizes[] = {51, 31};
  const double radii[] = {2, 1};
  const Surface surface = sample_surface(test::Quadratic(a), slice, slice_grid(2, sizes, radii));
  ASSERT_EQ(surface.values.size(), 51u * 31u);
  for (int j = 0; j < 31; ++j)
    for (int i = 0; i < 51; ++i) {
      const Vector y =
          slice.centre + (-2 + .08 * i) * slice.directions.col(0) + (-1 + j / 15.) * slice.directions.col(1);
      EXPECT_NEAR(surface.values[surface.grid.index(i, j)], y.dot(a * y) / 2, 1e-12);
    }
  EXPECT_NEAR(area(slice, surface.grid), 8, 1e-13);
}

// Radii whose spacing is no binary fraction.
TEST(SampleSurface, HasTheCentreItselfAtItsCentreNode) {
  const test::Quadratic bowl(test::definite(20, 2));
  for (const int dimension : {1, 2, 3})
    for (const double radius : {.1, 1. / 3, 1e5})
      for (const int size : {3, 7}) {
        const Slice slice = random_slice(20, 1, dimension);
        const int sizes[] = {size};
        const double radii[] = {radius};
        const Surface surface = sample_surface(bowl, slice, slice_grid(dimension, sizes, radii));
        EXPECT_EQ(surface.centre(), bowl.value(slice.centre, {}));
      }
}

TEST(SampleSurface, CountsItsRows) {
  std::vector<int> done;
  sample_surface(test::Quadratic(test::definite(3, 1)), random_slice(3, 1), square(5, 1),
                 [&](int rows) { done.push_back(rows); });
  EXPECT_EQ(done, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST(SliceGrid, NamesTheOptionThatIsWrong) {
  for (const int size : {-3, 0, 1, 4})
    EXPECT_NE(complaint([&] { square(size, 1); }).find("surface.size"), std::string::npos) << size;
  for (const double radius : {0., -1., static_cast<double>(NAN)})
    EXPECT_NE(complaint([&] { square(3, radius); }).find("surface.radius"), std::string::npos);
}

TEST(SliceGrid, ThroughOneHasBothEndsOfALineAsNodes) {
  const test::Quadratic bowl(test::definite(20, 2));
  const Vector from = test::normals(20, 5), to = test::normals(20, 6);
  DirectionSource source{bowl, {&from, 1}};
  source.others = {&to, 1};
  source.names = {"run 2"};
  const Slice line = make_slice("points", source, 1);
  for (const int size : {3, 21, 61}) {
    const int sizes[] = {size};
    const Surface surface = sample_surface(bowl, line, slice_grid_through_one(1, sizes, 1.5));
    EXPECT_EQ(surface.centre(), bowl.value(from, {}));
    int hits = 0;
    for (std::size_t node = 0; node < surface.values.size(); ++node) {
      if (std::abs(node_coordinates(surface.grid, node)[0] - 1) > 1e-12) continue;
      ++hits;
      EXPECT_NEAR(surface.values[node], bowl.value(to, {}), 1e-12);
    }
    EXPECT_EQ(hits, 1) << size;
  }
}

// The fourth-order differences of a quadratic form are exact but for rounding, 1e-16 / h^2 in the second.
TEST(CheckAxes, FindGradientAndCurvatureOfABowl) {
  const test::Quadratic bowl(test::definite(20, 2));
  for (const int dimension : {1, 2, 3}) {
    const Slice slice = random_slice(20, 3, dimension);
    const int sizes[] = {9};
    const double radii[] = {1};
    const Surface surface = sample_surface(bowl, slice, slice_grid(dimension, sizes, radii));
    const auto checks = check_axes(bowl, slice, surface);
    ASSERT_EQ(checks.size(), static_cast<std::size_t>(dimension));
    for (const AxisCheck& check : checks) {
      EXPECT_NEAR(check.slope, check.gradient, 1e-12);
      EXPECT_NEAR(check.curvature, check.product, 1e-11);
      EXPECT_GT(std::abs(check.gradient), 1e-3);
    }
  }
}

// Four products of sums of size ten.
TEST(Surface, InterpolatesBilinearFunctionsExactly) {
  const Surface surface = bilinear_surface();
  for (double alpha = -1; alpha <= 1; alpha += .0625)
    for (double beta = -.25; beta <= .25; beta += .03125)
      EXPECT_NEAR(surface.at({alpha, beta}), bilinear(alpha, beta), 1e-14);
}

TEST(Surface, IsNotANumberOutside) {
  const Surface surface = bilinear_surface();
  for (const auto& [alpha, beta] : {std::pair{-1.01, 0.}, {1.01, 0.}, {0., -.26}, {0., .26}, {NAN, 0.}, {0., NAN}})
    EXPECT_TRUE(std::isnan(surface.at({alpha, beta}))) << alpha << " " << beta;
}

TEST(Surface, ReachesItsEdges) {
  const Surface surface = bilinear_surface();
  EXPECT_NEAR(surface.at({1, .25}), bilinear(1, .25), 1e-14);
  EXPECT_NEAR(surface.at({-1, -.25}), bilinear(-1, -.25), 1e-14);
  // A coordinate that rounding has moved off the edge is on it.
  EXPECT_NEAR(surface.at({std::nextafter(1, 2), .25}), bilinear(1, .25), 1e-14);
}

// Linear along every axis of a volume too.
TEST(Surface, InterpolatesInAVolume) {
  const Grid grid{{3, 5, 3}, {-1, -1, -1}, {1, .5, 1}};
  Surface surface{grid, {}};
  const auto f = [](const std::array<double, 3>& c) { return 1 + c[0] - 2 * c[1] * c[2] + 3 * c[0] * c[1] * c[2]; };
  for (std::size_t node = 0; node < grid.size(); ++node) surface.values.push_back(f(node_coordinates(grid, node)));
  for (const std::array<double, 3>& c : {std::array{.3, -.7, .2}, {1., 1., 1.}, {-.25, .9, -.99}})
    EXPECT_NEAR(surface.at(c), f(c), 1e-14);
  EXPECT_TRUE(std::isnan(surface.at({0, 0, 1.1})));
}

}  // namespace
}  // namespace thalweg
