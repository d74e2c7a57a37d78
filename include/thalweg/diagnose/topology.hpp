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
/// averaged with a Gaussian of standard deviation sqrt(2 s). By the exact flow of the interpolating cosine series,
/// whose modes decay as exp(-(pi k/length)^2 s) along each axis; O(n^(4/3)) to O(n^2) for n nodes. Coordinates are the
/// grid's. What is not finite counts as the largest finite value.
std::vector<double> heat_flow(const Grid& grid, std::span<const double> values, double time);

}  // namespace thalweg
