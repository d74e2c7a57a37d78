#include "thalweg/diagnose/surface.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace thalweg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

int checked_size(int size) {
  require(size % 2 == 1 && size > 1, "surface.size: " + std::to_string(size) + " is not an odd number above 1");
  return size;
}

/// The cell and the place in it of coordinate c along an axis; false outside.
bool locate(const Grid& grid, std::size_t axis, double c, int& cell, double& place) {
  const int last = grid.nodes[axis] - 1;
  if (last == 0) {
    cell = 0;
    place = 0;
    return true;
  }
  const double x = (c - grid.origin[axis]) / grid.spacing[axis];
  // A point on the far edge belongs to the last cell, up to rounding of the coordinates.
  constexpr double slack = 1e-9;
  if (!(x >= -slack && x <= last + slack)) return false;
  cell = static_cast<int>(std::clamp(std::floor(x), 0.0, last - 1.0));
  place = x - cell;
  return true;
}

}  // namespace

Grid slice_grid(int dimension, std::span<const int> sizes, std::span<const double> radii) {
  const auto axes = static_cast<std::size_t>(dimension);
  for (const auto& [key, given] : {std::pair{"surface.size", sizes.size()}, {"surface.radius", radii.size()}})
    require(given <= axes, std::string(key) + ": " + std::to_string(given) + " numbers, but surface.dimensions is " +
                               std::to_string(dimension));
  Grid grid;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const double radius = radii[std::min(axis, radii.size() - 1)];
    grid.nodes[axis] = checked_size(sizes[std::min(axis, sizes.size() - 1)]);
    require(radius > 0, "surface.radius: " + to_text(radius) + " is not positive");
    grid.origin[axis] = -radius;
    grid.spacing[axis] = 2 * radius / (grid.nodes[axis] - 1);
  }
  return grid;
}

Grid slice_grid_through_one(int dimension, std::span<const int> sizes, double radius) {
  std::vector<double> radii;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(dimension); ++axis) {
    const int half = checked_size(sizes[std::min(axis, sizes.size() - 1)]) / 2;
    radii.push_back(half / std::clamp(std::round(half / radius), 1., static_cast<double>(half)));
  }
  return slice_grid(dimension, sizes, radii);
}

std::array<double, 3> node_coordinates(const Grid& grid, std::size_t node) {
  std::array<double, 3> c{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto nodes = static_cast<std::size_t>(grid.nodes[axis]);
    const int from_middle = static_cast<int>(node % nodes) - grid.nodes[axis] / 2;
    c[axis] = from_middle == 0 ? 0 : grid.spacing[axis] * from_middle;
    node /= nodes;
  }
  return c;
}

double Surface::at(const std::array<double, 3>& c) const {
  std::array<int, 3> cell{};
  std::array<double, 3> place{};
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (!locate(grid, axis, c[axis], cell[axis], place[axis])) return nan;
  double sum = 0;
  for (unsigned corner = 0; corner < 8; ++corner) {
    double weight = 1;
    std::array<int, 3> node = cell;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const bool far = (corner >> axis & 1u) != 0;
      weight *= far ? place[axis] : 1 - place[axis];
      node[axis] += far;
    }
    // A node of weight zero may lie outside or hold no number.
    if (weight != 0) sum += weight * values[grid.index(node[0], node[1], node[2])];
  }
  return sum;
}

Surface sample_surface(const Functional& functional, const Slice& slice, const Grid& grid,
                       const std::function<void(int)>& progress, MPI_Comm ranks) {
  Surface surface{grid, std::vector<double>(grid.size())};
  const std::size_t length = static_cast<std::size_t>(grid.nodes[0]), rows = grid.size() / length;
  int rank = 0, count = 1;
  MPI_Comm_rank(ranks, &rank);
  MPI_Comm_size(ranks, &count);
  for (auto row = static_cast<std::size_t>(rank); row < rows; row += static_cast<std::size_t>(count)) {
    for (std::size_t node = row * length; node < (row + 1) * length; ++node)
      surface.values[node] = functional.value(slice.at(node_coordinates(grid, node)), {});
    if (progress) progress(static_cast<int>(std::min(row + static_cast<std::size_t>(count), rows)));
  }
  // Where a rank has no value it has 0, which changes no sum.
  MPI_Allreduce(MPI_IN_PLACE, surface.values.data(), static_cast<int>(grid.size()), MPI_DOUBLE, MPI_SUM, ranks);
  return surface;
}

std::vector<AxisCheck> check_axes(const Functional& functional, const Slice& slice, const Surface& surface) {
  std::vector<AxisCheck> checks;
  Vector gradient(slice.centre.size()), product(slice.centre.size());
  functional.gradient(slice.centre, {}, gradient);
  std::size_t stride = 1;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(slice.dimension()); ++axis) {
    const Vector d = slice.directions.col(static_cast<Index>(axis));
    functional.hvp(slice.centre, {}, d, product);
    AxisCheck check{nan, gradient.dot(d), nan, d.dot(product)};
    if (surface.grid.nodes[axis] >= 5) {
      const std::size_t middle = surface.values.size() / 2;
      const double h = surface.grid.spacing[axis];
      const double* v = surface.values.data() + middle;
      const auto s = static_cast<std::ptrdiff_t>(stride);
      check.slope = (8 * (v[s] - v[-s]) - (v[2 * s] - v[-2 * s])) / (12 * h);
      check.curvature = (16 * (v[s] + v[-s]) - (v[2 * s] + v[-2 * s]) - 30 * v[0]) / (12 * h * h);
    }
    checks.push_back(check);
    stride *= static_cast<std::size_t>(surface.grid.nodes[axis]);
  }
  return checks;
}

double area(const Slice& slice, const Grid& grid) {
  double product = 1;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(slice.dimension()); ++axis)
    product *= (grid.nodes[axis] - 1) * grid.spacing[axis] * slice.directions.col(static_cast<Index>(axis)).norm();
  return product;
}

}  // namespace thalweg
