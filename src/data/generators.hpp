#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thalweg/core/random.hpp"
#include "thalweg/data/dataset.hpp"

namespace thalweg {

using Point = Eigen::Vector2d;

/// One draw: a point, its true class, and the connected piece of the support it came from.
struct Draw {
  Point x;
  int clean;
  int fragment;
};

/// Distance of a point to the decision boundary between the two classes.
using BoundaryDistance = std::function<double(const Point&)>;

/// A law on the plane with two classes, its dials already set.
struct Law {
  Point low, high;                                  // the domain
  std::function<Draw(Index sample, Stream&)> draw;  // pieces are visited in turn, so that every split is balanced
  BoundaryDistance distance;
  std::vector<std::pair<std::string, double>> known = {};  // its oracles, by name
  std::vector<Draw> training = {};                         // the training points where they are fixed, not drawn
};

/// A row of the table of data sets.
struct Generator : DataKind {
  Law (*law)(const DataSpec&);  // checks the dials it reads; null for `csv`, which reads a file
};
std::span<const Generator> generators();

/// Half the side by which a domain exceeds the support of Gaussian draws, in std: 6e-5 of them lie beyond it.
inline constexpr double tails = 4;

/// Throws std::invalid_argument("data.KEY: VALUE is not in RANGE") unless `holds`.
void require_in_range(bool holds, std::string_view key, double value, std::string_view range);

/// Checks std >= 0, as `jitter` must be.
void require_jitter(const DataSpec& spec);

/// Isotropic Gaussian displacement of std s.
Point displacement(double s, Stream& stream);

/// The Archimedean arm r = c a, first <= a <= last. The arm of the other class is its reflection in the origin.
struct Arm {
  double c, first, last;

  Point at(double a) const;
  /// Distance of x to the arm, to about 1e-8 of its size; O(turns).
  double distance(const Point& x) const;
};

/// `turns` revolutions from the inner end at angle π/2 to the outer one at radius 3.
Arm arm_of_turns(double turns);
/// c = 1/π from radius 1/2 to 13/2: the curve through the classical points.
Arm arm_lang_witbrock();

Law spirals(const DataSpec& spec);
Law lang_witbrock(const DataSpec& spec);

}  // namespace thalweg
