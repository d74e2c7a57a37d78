#pragma once

#include <functional>
#include <span>
#include <vector>

#include <mpi.h>

#include "thalweg/core/grid.hpp"
#include "thalweg/diagnose/directions.hpp"

namespace thalweg {

/// A grid about the origin of a slice's coordinates: odd numbers of nodes over [-radius, radius] along each axis.
/// Missing entries repeat the last. Throws std::invalid_argument on an even size, one below 3, a radius that is not
/// positive, or more entries than dimensions.
Grid slice_grid(int dimension, std::span<const int> sizes, std::span<const double> radii);

/// The same so that 1 is a node along every axis, the radius being as near to `radius` as that allows: both ends of a
/// line between two points are evaluated.
Grid slice_grid_through_one(int dimension, std::span<const int> sizes, double radius);

/// Coordinates of a node, counted from the middle, so that the centre node is the centre to the last bit.
std::array<double, 3> node_coordinates(const Grid& grid, std::size_t node);

/// Values of a functional on such a grid.
struct Surface {
  Grid grid;
  std::vector<double> values;

  /// Linear interpolation along every axis; nan outside.
  double at(const std::array<double, 3>& c) const;
  double centre() const { return values[values.size() / 2]; }
};

/// `progress(done)` with the number of rows along x that are done. Collective over `ranks`, which share the rows; all of
/// them receive the same values, whatever their number.
Surface sample_surface(const Functional& functional, const Slice& slice, const Grid& grid,
                       const std::function<void(int)>& progress = {}, MPI_Comm ranks = MPI_COMM_SELF);

/// What a surface says along an axis at its centre, beside what the functional says.
struct AxisCheck {
  double slope, gradient;     // fourth-order difference of the values; gradient . direction
  double curvature, product;  // fourth-order second difference; direction . H direction
};
/// One an axis; nan along axes of fewer than five nodes. Costs a gradient and a product an axis.
std::vector<AxisCheck> check_axes(const Functional& functional, const Slice& slice, const Surface& surface);

/// The side lengths' product in the parameters' own units, from the grid's outermost nodes.
double area(const Slice& slice, const Grid& grid);

}  // namespace thalweg
