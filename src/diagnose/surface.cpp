#include "thalweg/diagnose/surface.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>

#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

constexpr DirectionKind rows[] = {
    {"trajectory", "the two leading principal directions of the recorded path about its end"},
    {"random", "two random directions, orthonormal"},
};

/// A unit vector along `wish` minus its component along `other`; a random one where nothing is left.
Vector orthonormal(Vector wish, const Vector& other, Stream& draw) {
  const double length = wish.norm();
  wish -= other.dot(wish) * other;
  // What orthogonalisation leaves of a dependent vector is rounding: below 1e-10 of its length.
  while (wish.norm() <= 1e-10 * length || length == 0) {
    wish = Vector::NullaryExpr(wish.size(), [&draw](Index) { return draw.normal(); });
    wish -= other.dot(wish) * other;
    if (wish.norm() > 0) break;
  }
  return wish.normalized();
}

std::string percent(double share) { return std::to_string(static_cast<int>(std::lround(100 * share))) + " %"; }

Plane principal_plane(std::span<const Vector> states, Stream& draw) {
  const Vector& end = states.back();
  Matrix offsets(end.size(), static_cast<Index>(states.size()));
  for (std::size_t i = 0; i < states.size(); ++i) offsets.col(static_cast<Index>(i)) = states[i] - end;
  // Right singular vectors through the small Gram matrix: there are far fewer states than parameters.
  const Eigen::SelfAdjointEigenSolver<Matrix> gram(offsets.transpose() * offsets);
  const Vector variance = gram.eigenvalues().cwiseMax(0).reverse();
  const Index last = variance.size() - 1;
  const double total = std::max(variance.sum(), std::numeric_limits<double>::min());
  const auto direction = [&](Index k) -> Vector {
    // Eigenvalues below this share of the largest are rounding.
    if (k > last || variance[k] <= 1e-14 * total) return Vector::Zero(end.size());
    return offsets * gram.eigenvectors().col(last - k);
  };
  const auto title = [&](const char* which, Index k) {
    return std::string(which) + " principal direction (" + percent(k > last ? 0 : variance[k] / total) + ")";
  };
  Plane plane{
      end, orthonormal(direction(0), Vector::Zero(end.size()), draw), {}, title("first", 0), title("second", 1)};
  plane.second = orthonormal(direction(1), plane.first, draw);
  if (plane.first.dot(offsets.col(0)) < 0) plane.first *= -1;
  if (plane.second.dot(offsets.col(0)) < 0) plane.second *= -1;
  return plane;
}

}  // namespace

std::span<const DirectionKind> direction_kinds() { return rows; }

Plane make_plane(std::string_view kind, std::span<const Vector> states, std::uint64_t seed) {
  const auto& row = find(direction_kinds(), kind, "surface.directions");
  require(!states.empty() && states.back().size() > 1, "a plane needs at least two parameters");
  Stream draw(seed, Purpose::direction);
  if (row.name == "trajectory") return principal_plane(states, draw);
  const Vector none = Vector::Zero(states.back().size());
  Plane plane{states.back(), orthonormal(none, none, draw), {}, "first random direction", "second random direction"};
  plane.second = orthonormal(none, plane.first, draw);
  return plane;
}

Projection project(const Plane& plane, In y) {
  const Vector offset = y - plane.centre;
  const double alpha = plane.first.dot(offset), beta = plane.second.dot(offset);
  return {alpha, beta, (offset - alpha * plane.first - beta * plane.second).norm()};
}

double Surface::at(double alpha, double beta) const {
  const double x = (alpha - grid.origin[0]) / grid.spacing[0], y = (beta - grid.origin[1]) / grid.spacing[1];
  // A point on the far edge belongs to the last cell, up to rounding of the coordinates.
  const double slack = 1e-9, right = grid.nodes[0] - 1, top = grid.nodes[1] - 1;
  if (!(x >= -slack && x <= right + slack && y >= -slack && y <= top + slack))
    return std::numeric_limits<double>::quiet_NaN();
  const int i = static_cast<int>(std::clamp(std::floor(x), 0.0, right - 1));
  const int j = static_cast<int>(std::clamp(std::floor(y), 0.0, top - 1));
  const double s = x - i, t = y - j;
  return (1 - t) * ((1 - s) * values[grid.index(i, j)] + s * values[grid.index(i + 1, j)]) +
         t * ((1 - s) * values[grid.index(i, j + 1)] + s * values[grid.index(i + 1, j + 1)]);
}

double radius_of(const Plane& plane, std::span<const Vector> states) {
  double reach = 0;
  for (const Vector& y : states) {
    const auto [alpha, beta, distance] = project(plane, y);
    reach = std::max({reach, std::abs(alpha), std::abs(beta)});
  }
  return reach > 0 ? 1.2 * reach : 1;
}

Surface sample_surface(const Functional& functional, const Plane& plane, int size, double radius,
                       const std::function<void(int)>& progress) {
  require(size % 2 == 1 && size > 1, "surface.size: " + std::to_string(size) + " is not an odd number above 1");
  require(radius > 0, "surface.radius: " + to_text(radius) + " is not positive");
  const double spacing = 2 * radius / (size - 1);
  Surface surface{{{size, size, 1}, {-radius, -radius, 0}, {spacing, spacing, 1}}, {}};
  surface.values.resize(surface.grid.size());
  Vector y(plane.centre.size());
  const int middle = size / 2;
  for (int j = 0; j < size; ++j) {
    for (int i = 0; i < size; ++i) {
      // Counted from the middle, so that the centre node is the centre to the last bit.
      y = plane.at(spacing * (i - middle), spacing * (j - middle));
      surface.values[surface.grid.index(i, j)] = functional.value(y, {});
    }
    if (progress) progress(j + 1);
  }
  return surface;
}

}  // namespace thalweg
