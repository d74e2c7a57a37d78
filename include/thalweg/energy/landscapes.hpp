#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "thalweg/energy/functional.hpp"

namespace thalweg {

/// The dials of the analytic landscapes.
struct LandscapeSpec {
  Index dimension = 2;     // number of parameters n
  double condition = 10;   // quadratic: largest eigenvalue; the least is 1 and their logarithms are evenly spaced
  bool rotated = false;    // quadratic: random orthonormal eigenvectors instead of the axes
  std::uint64_t seed = 0;  // of the rotation
  double heat = 0;         // s of the heat semigroup u_s = Laplacian u that has acted on the landscape
};

/// A function R^n -> R in closed form, without samples, and a point from which its flow is worth watching.
struct Landscape {
  std::string_view name, formula, dials, what;
  Index least, most;  // parameters it can have
  std::unique_ptr<Functional> (*make)(const LandscapeSpec&);
  Vector (*start)(const LandscapeSpec&);
};
std::span<const Landscape> landscapes();

/// The row of that name; throws std::invalid_argument that names model.dimension where the row cannot have so many
/// parameters, and model.condition where it is below 1.
const Landscape& landscape_for(std::string_view name, const LandscapeSpec& spec);

}  // namespace thalweg
