#include "thalweg/diagnose/directions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include <Eigen/Eigenvalues>

#include "../network.hpp"
#include "thalweg/diagnose/surface.hpp"
#include "thalweg/diagnose/topology.hpp"

namespace thalweg {
namespace {

const test::Quadratic& bowl(Index n) {
  static const test::Quadratic thirty(test::definite(30, 1)), two(test::definite(2, 1));
  return n == 2 ? two : thirty;
}

Slice slice_of(std::string_view kind, std::span<const Vector> states, std::uint64_t seed = 0, int dimension = 2) {
  DirectionSource source{bowl(states.empty() ? 2 : states.back().size()), states};
  source.seed = seed;
  return make_slice(kind, source, dimension);
}

Slice random_slice(Index n, std::uint64_t seed) {
  const Vector centre[] = {test::normals(n, seed)};
  return slice_of("random", centre, seed);
}

// Vectors that were normalised and made orthogonal keep the rounding of one projection.
void expect_orthonormal(const Slice& slice) {
  const Index d = slice.directions.cols();
  EXPECT_LT((slice.directions.transpose() * slice.directions - Matrix::Identity(d, d)).cwiseAbs().maxCoeff(), 1e-14);
}

std::string complaint(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(Project, ReadsOffTheCoordinatesAndTheDistance) {
  Slice slice = random_slice(30, 1);
  slice.directions.col(1) *= 3;  // coordinates count in directions of any length
  Vector away = test::normals(30, 3);
  away -= slice.directions * (slice.directions.transpose() * away).cwiseQuotient(Vector{{1, 9}});
  away *= 5 / away.norm();
  const auto [at, distance] = project(slice, slice.at({.3, -.7}) + away);
  EXPECT_NEAR(at[0], .3, 1e-14);
  EXPECT_NEAR(at[1], -.7, 1e-14);
  EXPECT_NEAR(distance, 5, 1e-13);
}

/// A path in the plane of two unit vectors u, v that ends at `end`, longer along u.
struct PlantedPath {
  Vector u = random_slice(30, 4).directions.col(0), v = random_slice(30, 4).directions.col(1),
         end = test::normals(30, 5);
  std::vector<Vector> states;

  PlantedPath() {
    for (int k = 12; k >= 0; --k) states.push_back(end + .5 * k * u + std::sin(.7 * k) * v);
  }
};

TEST(TrajectoryDirections, ContainAPlanePath) {
  const PlantedPath path;
  const Slice slice = slice_of("trajectory", path.states);
  expect_orthonormal(slice);
  EXPECT_EQ(slice.centre, path.end);
  for (const Vector& y : path.states) EXPECT_NEAR(project(slice, y).distance, 0, 1e-13);
  EXPECT_EQ(slice.titles[0].find("first principal direction ("), 0u);
}

// The offsets from the end have the second moments S = sum (.25 k^2, ...) in (u, v), whose eigenvectors these are.
TEST(TrajectoryDirections, ArePrincipalInOrder) {
  const PlantedPath path;
  const Slice slice = slice_of("trajectory", path.states);
  double cross = 0, along_first = 0, along_second = 0;
  for (const Vector& y : path.states) {
    const auto at = project(slice, y).at;
    cross += at[0] * at[1];
    along_first += at[0] * at[0];
    along_second += at[1] * at[1];
  }
  EXPECT_NEAR(cross, 0, 1e-12 * along_first);
  EXPECT_GT(along_first, along_second);
  const int share = static_cast<int>(std::lround(100 * along_first / (along_first + along_second)));
  EXPECT_EQ(slice.titles[0], "first principal direction (" + std::to_string(share) + " %)");
  EXPECT_EQ(slice.titles[1], "second principal direction (" + std::to_string(100 - share) + " %)");
}

TEST(TrajectoryDirections, AreSignedByTheStart) {
  const PlantedPath path;
  const auto start = project(slice_of("trajectory", path.states), path.states.front()).at;
  EXPECT_GT(start[0], 0);
  EXPECT_GE(start[1], 0);
}

TEST(TrajectoryDirections, OfAStraightLineContainIt) {
  const PlantedPath path;
  std::vector<Vector> states;
  for (int k = 5; k >= 0; --k) states.push_back(path.end + k * path.u);
  const Slice slice = slice_of("trajectory", states, 0, 3);
  expect_orthonormal(slice);
  EXPECT_NEAR(slice.directions.col(0).dot(path.u), 1, 1e-14);
}

// The second direction is a millionth of the first, and seven digits of it are left.
TEST(TrajectoryDirections, OfAnAlmostStraightLineAreOrthonormal) {
  const PlantedPath path;
  std::vector<Vector> states;
  for (int k = 5; k >= 0; --k) states.push_back(path.end + k * path.u + 1e-6 * std::sin(k) * path.v);
  const Slice slice = slice_of("trajectory", states);
  expect_orthonormal(slice);
  EXPECT_NEAR(std::abs(slice.directions.col(1).dot(path.v)), 1, 1e-6);
}

TEST(TrajectoryDirections, OfOneStateOrARestAreDrawnAtRandom) {
  const Vector y = test::normals(30, 5);
  for (const std::vector<Vector>& states : {std::vector{y}, std::vector{y, y, y}}) {
    const Slice slice = slice_of("trajectory", states);
    expect_orthonormal(slice);
    EXPECT_EQ(slice.centre, y);
    EXPECT_NE(slice.directions, slice_of("trajectory", states, 1).directions);
  }
}

TEST(TrajectoryDirections, OfTwoParametersAreAllThereAre) {
  const std::vector<Vector> states = {Vector{{1, 0}}, Vector{{0, 0}}};
  expect_orthonormal(slice_of("trajectory", states));
  expect_orthonormal(random_slice(2, 1));
}

TEST(RandomDirections, AreOrthonormalAndAFunctionOfTheSeed) {
  const std::vector<Vector> states = {test::normals(30, 5)};
  for (const int dimension : {1, 2, 3}) expect_orthonormal(slice_of("random", states, 1, dimension));
  EXPECT_EQ(slice_of("random", states, 1).directions, slice_of("random", states, 1).directions);
  EXPECT_NE(slice_of("random", states, 1).directions, slice_of("random", states, 2).directions);
}

TEST(NormalisedDirections, AreOrthogonalAndAsLongAsThePointInEveryGroup) {
  const Vector theta = test::normals(30, 5);
  DirectionSource source{bowl(30), {&theta, 1}};
  for (Index first = 0; first < 30; first += 5)
    source.filters.push_back({first, first + 1, first + 2, first + 3, first + 4});
  source.filters[5] = {25, 26, 27};
  source.filters.push_back({28, 29});
  const Slice slice = make_slice("filter", source, 3);
  const Matrix gram = slice.directions.transpose() * slice.directions;
  EXPECT_NEAR(gram(0, 1), 0, 1e-13);
  EXPECT_NEAR(gram(0, 2), 0, 1e-13);
  EXPECT_NEAR(gram(1, 2), 0, 1e-13);
  for (const auto& group : source.filters)
    for (Index k = 0; k < 3; ++k) {
      const double expected = k < static_cast<Index>(group.size()) ? theta(group).norm() : 0;
      EXPECT_NEAR(slice.directions.col(k)(group).norm(), expected, 1e-13);
    }
  EXPECT_THROW(slice_of("layer", {&theta, 1}), std::invalid_argument);
}

// A ReLU network computes the same where W_1 and b_1 are scaled by a and W_2 by 1/a, and so does every point of a slice
// whose directions are normalised by filters; the smoothed slice with it. Four layers' worth of roundings.
TEST(NormalisedDirections, MakeSmoothedSlicesBlindToRescaling) {
  const test::Network net({.hidden = {8}, .activation = "relu"}, 2, 30);
  const auto layers = net.model.layers();
  ParameterGroups filters;
  for (const Layer& l : layers) {
    for (Index i = 0; i < l.outputs; ++i) {
      std::vector<Index> row;
      for (Index j = 0; j < l.inputs; ++j) row.push_back(l.weights + j * l.outputs + i);
      filters.push_back(row);
    }
    std::vector<Index> biases;
    for (Index i = 0; i < l.outputs; ++i) biases.push_back(l.biases + i);
    filters.push_back(biases);
  }
  Vector theta = net.model.start(2) + .1 * test::normals(net.model.size(), 3), scaled = theta;
  const double a = 4;
  scaled.segment(layers[0].weights, layers[0].inputs * layers[0].outputs) *= a;
  scaled.segment(layers[0].biases, layers[0].outputs) *= a;
  scaled.segment(layers[1].weights, layers[1].inputs * layers[1].outputs) /= a;
  const int sizes[] = {11};
  const double radii[] = {1};
  std::vector<std::vector<double>> smoothed;
  for (const Vector& point : {theta, scaled}) {
    DirectionSource source{net.risk, {&point, 1}};
    source.filters = filters;
    const Slice slice = make_slice("filter", source, 2);
    const Surface surface = sample_surface(net.risk, slice, slice_grid(2, sizes, radii));
    smoothed.push_back(heat_flow(surface.grid, surface.values, .01));
  }
  for (std::size_t n = 0; n < smoothed[0].size(); ++n) EXPECT_NEAR(smoothed[0][n], smoothed[1][n], 1e-12);
}

TEST(HessianDirections, AreItsTopEigenvectors) {
  const std::vector<Vector> states = {test::normals(30, 5)};
  const Slice slice = slice_of("hessian", states);
  const Eigen::SelfAdjointEigenSolver<Matrix> exact(test::definite(30, 1));
  for (Index k = 0; k < 2; ++k)
    EXPECT_NEAR(std::abs(slice.directions.col(k).dot(exact.eigenvectors().col(29 - k))), 1, 1e-12);
}

TEST(PointDirections, LeadThroughThePoints) {
  const Vector from = test::normals(30, 5), others[] = {test::normals(30, 6), test::normals(30, 7)};
  DirectionSource source{bowl(30), {&from, 1}};
  source.others = others;
  source.names = {"run 2", "run 3"};
  const Slice slice = make_slice("points", source, 2);
  const Projection first = project(slice, others[0]), second = project(slice, others[1]);
  EXPECT_NEAR(first.at[0], 1, 1e-14);
  EXPECT_NEAR(first.at[1], 0, 1e-14);
  EXPECT_NEAR(second.at[1], 1, 1e-14);
  EXPECT_NEAR(std::max(first.distance, second.distance), 0, 1e-13);
  EXPECT_EQ(slice.titles[1], "towards run 3");
  const Vector twice[] = {others[0], from + 2 * (others[0] - from)};
  source.others = twice;
  EXPECT_NE(complaint([&] { make_slice("points", source, 2); }).find("run 3"), std::string::npos);
  source.others = {};
  EXPECT_NE(complaint([&] { make_slice("points", source, 2); }).find("surface.runs"), std::string::npos);
}

TEST(MakeSlice, RefusesWhatSpansNone) {
  const std::vector<Vector> line = {Vector{{1.}}}, fine = {Vector{{1, 2}}};
  EXPECT_THROW(slice_of("random", line), std::invalid_argument);
  EXPECT_THROW(slice_of("random", fine, 0, 3), std::invalid_argument);
  EXPECT_THROW(slice_of("random", std::span<const Vector>{}), std::invalid_argument);
  EXPECT_NE(complaint([&] { slice_of("randm", fine); }).find("surface.directions: no 'randm'"), std::string::npos);
}

TEST(RadiusOf, LeavesAFifthAroundThePath) {
  const Slice slice = random_slice(30, 1);
  const std::vector<Vector> states = {slice.at({.5, -2}), slice.at({1, 1}), slice.at({0, 0})};
  EXPECT_NEAR(radius_of(slice, states), 1.2 * 2, 1e-13);
}

TEST(RadiusOf, IsOneWhereNothingMoves) {
  const Slice slice = random_slice(30, 1);
  const std::vector<Vector> states = {slice.centre};
  EXPECT_EQ(radius_of(slice, states), 1);
}

// 500 steps in 4000 dimensions: the fractions of a walk approach 6/(pi k)^2 as both grow; two per cent are left, of
// which the scatter is about sqrt(2/4000).
TEST(VarianceFractions, OfARandomWalkAreItsNull) {
  Stream draw(5, Purpose::probe);
  std::vector<Vector> walk{Vector::Zero(4000)};
  for (int k = 0; k < 500; ++k)
    walk.push_back(walk.back() + Vector::NullaryExpr(4000, [&draw](Index) { return draw.normal(); }));
  const Vector fractions = variance_fractions(walk);
  EXPECT_NEAR(random_walk_fraction(1), .607927, 1e-6);
  EXPECT_NEAR(random_walk_fraction(2), .151982, 1e-6);
  for (int k = 1; k <= 3; ++k)
    EXPECT_NEAR(fractions[k - 1], random_walk_fraction(k), .02 * random_walk_fraction(1)) << k;
  EXPECT_NEAR(fractions.sum(), 1, 1e-12);
}

}  // namespace
}  // namespace thalweg
