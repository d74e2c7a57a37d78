#include "thalweg/diagnose/surface.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../network.hpp"

namespace thalweg {
namespace {

// Two vectors that were normalised and made orthogonal once keep the rounding of one projection.
void expect_orthonormal(const Plane& plane) {
  EXPECT_NEAR(plane.first.norm(), 1, 1e-14);
  EXPECT_NEAR(plane.second.norm(), 1, 1e-14);
  EXPECT_NEAR(plane.first.dot(plane.second), 0, 1e-14);
}

Plane random_plane(Index n, std::uint64_t seed) {
  const Vector centre[] = {test::normals(n, seed)};
  return make_plane("random", centre, seed);
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
TEST(SampleSurface, HasTheValuesOfTheFunctionalAtItsNodes) {
  const Plane plane = random_plane(20, 1);
  const Matrix a = test::definite(20, 2);
  const Surface surface = sample_surface(test::Quadratic(a), plane, 9, 2);
  ASSERT_EQ(surface.values.size(), 81u);
  for (int j = 0; j < 9; ++j)
    for (int i = 0; i < 9; ++i) {
      const Vector y = plane.centre + (-2 + .5 * i) * plane.first + (-2 + .5 * j) * plane.second;
      EXPECT_NEAR(surface.values[surface.grid.index(i, j)], y.dot(a * y) / 2, 1e-12);
    }
}

// Radii whose spacing is no binary fraction.
TEST(SampleSurface, HasTheCentreItselfAtItsCentreNode) {
  const Plane plane = random_plane(20, 1);
  const test::Quadratic bowl(test::definite(20, 2));
  for (const double radius : {.1, 1. / 3, 1e5})
    for (const int size : {3, 7, 21})
      EXPECT_EQ(sample_surface(bowl, plane, size, radius).centre(), bowl.value(plane.centre, {}));
}

TEST(SampleSurface, CountsItsRows) {
  std::vector<int> done;
  sample_surface(test::Quadratic(test::definite(3, 1)), random_plane(3, 1), 5, 1,
                 [&](int rows) { done.push_back(rows); });
  EXPECT_EQ(done, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST(SampleSurface, NamesTheOptionThatIsWrong) {
  const test::Quadratic bowl(test::definite(3, 1));
  const Plane plane = random_plane(3, 1);
  for (const int size : {-3, 0, 1, 4})
    EXPECT_NE(complaint([&] { sample_surface(bowl, plane, size, 1); }).find("surface.size"), std::string::npos) << size;
  for (const double radius : {0., -1., static_cast<double>(NAN)})
    EXPECT_NE(complaint([&] { sample_surface(bowl, plane, 3, radius); }).find("surface.radius"), std::string::npos);
}

// Four products of sums of size ten.
TEST(Surface, InterpolatesBilinearFunctionsExactly) {
  const Surface surface = bilinear_surface();
  for (double alpha = -1; alpha <= 1; alpha += .0625)
    for (double beta = -.25; beta <= .25; beta += .03125)
      EXPECT_NEAR(surface.at(alpha, beta), bilinear(alpha, beta), 1e-14);
}

TEST(Surface, IsNotANumberOutside) {
  const Surface surface = bilinear_surface();
  for (const auto& [alpha, beta] : {std::pair{-1.01, 0.}, {1.01, 0.}, {0., -.26}, {0., .26}, {NAN, 0.}, {0., NAN}})
    EXPECT_TRUE(std::isnan(surface.at(alpha, beta))) << alpha << " " << beta;
}

TEST(Surface, ReachesItsEdges) {
  const Surface surface = bilinear_surface();
  EXPECT_NEAR(surface.at(1, .25), bilinear(1, .25), 1e-14);
  EXPECT_NEAR(surface.at(-1, -.25), bilinear(-1, -.25), 1e-14);
  // A coordinate that rounding has moved off the edge is on it.
  EXPECT_NEAR(surface.at(std::nextafter(1, 2), .25), bilinear(1, .25), 1e-14);
}

TEST(Project, ReadsOffTheCoordinatesAndTheDistance) {
  const Plane plane = random_plane(20, 1);
  Vector away = test::normals(20, 3);
  away -= plane.first.dot(away) * plane.first + plane.second.dot(away) * plane.second;
  away *= 5 / away.norm();
  const auto [alpha, beta, distance] = project(plane, plane.at(.3, -.7) + away);
  EXPECT_NEAR(alpha, .3, 1e-14);
  EXPECT_NEAR(beta, -.7, 1e-14);
  EXPECT_NEAR(distance, 5, 1e-13);
}

/// A path in the plane of two unit vectors u, v that ends at `end`, longer along u.
struct PlantedPath {
  Vector u = random_plane(30, 4).first, v = random_plane(30, 4).second, end = test::normals(30, 5);
  std::vector<Vector> states;

  PlantedPath() {
    for (int k = 12; k >= 0; --k) states.push_back(end + .5 * k * u + std::sin(.7 * k) * v);
  }
};

TEST(TrajectoryPlane, ContainsAPlanePath) {
  const PlantedPath path;
  const Plane plane = make_plane("trajectory", path.states, 0);
  expect_orthonormal(plane);
  EXPECT_EQ(plane.centre, path.end);
  for (const Vector& y : path.states) EXPECT_NEAR(project(plane, y).distance, 0, 1e-13);
  EXPECT_EQ(plane.first_title.find("first principal direction ("), 0u);
}

// The offsets from the end have the second moments S = sum (.25 k^2, ...) in (u, v), whose eigenvectors these are.
TEST(TrajectoryPlane, TakesThePrincipalDirectionsInOrder) {
  const PlantedPath path;
  const Plane plane = make_plane("trajectory", path.states, 0);
  double cross = 0, along_first = 0, along_second = 0;
  for (const Vector& y : path.states) {
    const auto [alpha, beta, distance] = project(plane, y);
    cross += alpha * beta;
    along_first += alpha * alpha;
    along_second += beta * beta;
  }
  EXPECT_NEAR(cross, 0, 1e-12 * along_first);
  EXPECT_GT(along_first, along_second);
  const int share = static_cast<int>(std::lround(100 * along_first / (along_first + along_second)));
  EXPECT_EQ(plane.first_title, "first principal direction (" + std::to_string(share) + " %)");
  EXPECT_EQ(plane.second_title, "second principal direction (" + std::to_string(100 - share) + " %)");
}

TEST(TrajectoryPlane, SignsItsDirectionsByTheStart) {
  const PlantedPath path;
  const auto start = project(make_plane("trajectory", path.states, 0), path.states.front());
  EXPECT_GT(start.alpha, 0);
  EXPECT_GE(start.beta, 0);
}

TEST(TrajectoryPlane, OfAStraightLineContainsIt) {
  const Vector end = test::normals(30, 5), u = random_plane(30, 4).first;
  std::vector<Vector> states;
  for (int k = 5; k >= 0; --k) states.push_back(end + k * u);
  const Plane plane = make_plane("trajectory", states, 0);
  expect_orthonormal(plane);
  EXPECT_NEAR(plane.first.dot(u), 1, 1e-14);
}

// The second direction is a millionth of the first, and seven digits of it are left.
TEST(TrajectoryPlane, OfAnAlmostStraightLineIsOrthonormal) {
  const PlantedPath path;
  std::vector<Vector> states;
  for (int k = 5; k >= 0; --k) states.push_back(path.end + k * path.u + 1e-6 * std::sin(k) * path.v);
  const Plane plane = make_plane("trajectory", states, 0);
  expect_orthonormal(plane);
  EXPECT_NEAR(std::abs(plane.second.dot(path.v)), 1, 1e-6);
}

TEST(TrajectoryPlane, OfOneStateOrARestIsDrawnAtRandom) {
  const Vector y = test::normals(30, 5);
  for (const std::vector<Vector>& states : {std::vector{y}, std::vector{y, y, y}}) {
    const Plane plane = make_plane("trajectory", states, 0);
    expect_orthonormal(plane);
    EXPECT_EQ(plane.centre, y);
    EXPECT_NE(plane.first, make_plane("trajectory", states, 1).first);
  }
}

TEST(TrajectoryPlane, OfTwoParametersIsAllThereIs) {
  const std::vector<Vector> states = {Vector{{1, 0}}, Vector{{0, 0}}};
  expect_orthonormal(make_plane("trajectory", states, 0));
  expect_orthonormal(random_plane(2, 1));
}

TEST(RandomPlane, IsOrthonormalAndAFunctionOfTheSeed) {
  const std::vector<Vector> states = {test::normals(30, 5)};
  const Plane plane = make_plane("random", states, 1);
  expect_orthonormal(plane);
  EXPECT_EQ(plane.second, make_plane("random", states, 1).second);
  EXPECT_NE(plane.second, make_plane("random", states, 2).second);
}

TEST(MakePlane, RefusesWhatSpansNone) {
  const std::vector<Vector> line = {Vector{{1.}}}, fine = {Vector{{1, 2}}};
  EXPECT_THROW(make_plane("random", line, 0), std::invalid_argument);
  EXPECT_THROW(make_plane("random", std::span<const Vector>{}, 0), std::invalid_argument);
  EXPECT_NE(complaint([&] { make_plane("randm", fine, 0); }).find("surface.directions: no 'randm'"), std::string::npos);
}

TEST(RadiusOf, LeavesAFifthAroundThePath) {
  const Plane plane = random_plane(20, 1);
  const std::vector<Vector> states = {plane.at(.5, -2), plane.at(1, 1), plane.at(0, 0)};
  EXPECT_NEAR(radius_of(plane, states), 1.2 * 2, 1e-13);
}

TEST(RadiusOf, IsOneWhereNothingMoves) {
  const Plane plane = random_plane(20, 1);
  const std::vector<Vector> states = {plane.centre};
  EXPECT_EQ(radius_of(plane, states), 1);
}

}  // namespace
}  // namespace thalweg
