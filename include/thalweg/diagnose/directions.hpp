#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/energy/functional.hpp"

namespace thalweg {

/// The points centre + sum_k c_k d_k: a line, plane or volume through `centre`. The d_k are orthogonal, of any length.
struct Slice {
  Vector centre;
  Matrix directions;                // n x d, d = 1, 2 or 3
  std::vector<std::string> titles;  // d

  int dimension() const { return static_cast<int>(directions.cols()); }
  /// c: the first `dimension` count.
  Vector at(const std::array<double, 3>& c) const;
};

/// A point's coordinates on a slice and its distance from it.
struct Projection {
  std::array<double, 3> at;
  double distance;
};
Projection project(const Slice& slice, In y);

/// Half the side of a cube about the centre that holds the projected states with a margin of a fifth; 1 where they
/// rest.
double radius_of(const Slice& slice, std::span<const Vector> states);

/// Parameters that are scaled together.
using ParameterGroups = std::vector<std::vector<Index>>;

/// What directions may be made of.
struct DirectionSource {
  const Functional& functional;
  std::span<const Vector> states;             // the recorded path; the slice goes through its last state
  std::span<const Vector> others = {};        // further points
  std::vector<std::string> names = {};        // of those
  ParameterGroups filters = {}, layers = {};  // of a network
  std::uint64_t seed = 0;
};

struct DirectionKind {
  std::string_view name, what;
  double radius;  // half width in units of the directions where none is asked for; 0: what holds the path
  Matrix (*make)(const DirectionSource&, int dimension, std::vector<std::string>& titles);
};
std::span<const DirectionKind> direction_kinds();

/// Throws std::invalid_argument on an unknown kind, fewer parameters than dimensions, or a source that lacks what the
/// kind is made of.
Slice make_slice(std::string_view kind, const DirectionSource& source, int dimension);

/// Shares of the principal components in the variance of the states about their mean, largest first. A random walk in
/// many dimensions has 6/(pi k)^2 (Antognini and Sohl-Dickstein 2018).
Vector variance_fractions(std::span<const Vector> states);
double random_walk_fraction(int component);

}  // namespace thalweg
