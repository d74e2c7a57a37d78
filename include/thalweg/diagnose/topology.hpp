#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "thalweg/core/grid.hpp"

namespace thalweg {

/// A minimum of a surface and the saddle at which its basin joins that of a lower one.
struct Basin {
  std::size_t minimum, saddle;  // nodes
  double birth, death;          // values there
  std::size_t parent;           // position of the basin it joins

  double persistence() const { return death > birth ? death - birth : 0; }  // both may be infinite
};

/// The merge tree of the sublevel sets of a grid's values (Edelsbrunner and Harer 2010): node after node is added from
/// the lowest up, ties by index; neighbours are those of Freudenthal's triangulation, so that the result is that of a
/// piecewise linear function. Of two basins that meet the one with the higher minimum ends.
struct MergeTree {
  /// By falling persistence. The first is the lowest minimum's, which never ends: its saddle is the highest node, its
  /// parent itself.
  std::vector<Basin> basins;
  std::vector<std::size_t> basin_of;  // of every node, the position of the basin that took it in

  /// The same with basins below the threshold counted to those they join.
  std::vector<std::size_t> labels(double least_persistence) const;
};

/// O(n log n) for n nodes. What is not a number counts as infinitely high.
MergeTree merge_tree(const Grid& grid, std::span<const double> values);

/// The solution of u_s = Laplacian u at heat time s from these values, no flux through the ends: every value is
/// averaged with weights that tend to a Gaussian of standard deviation sqrt(2 s). By the exact flow of the second
/// differences: their modes, cosines, decay as exp(-(2 sin(pi k/(2 n))/h)^2 s) over n intervals h along each axis. Its
/// weights are positive at any s (Lindeberg 1990), so that nothing falls below the least value or rises above the
/// largest, as the flow of an interpolating series would make it; u is off by O(h^2). O(n^(4/3)) to O(n^2) for n nodes.
/// Coordinates are the grid's. What is not finite counts as the largest finite value.
std::vector<double> heat_flow(const Grid& grid, std::span<const double> values, double time);

}  // namespace thalweg
