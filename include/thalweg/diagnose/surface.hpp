#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/core/grid.hpp"
#include "thalweg/energy/functional.hpp"

namespace thalweg {

struct DirectionKind {
  std::string_view name, what;
};
std::span<const DirectionKind> direction_kinds();

/// The plane centre + alpha first + beta second, with orthonormal directions.
struct Plane {
  Vector centre, first, second;
  std::string first_title, second_title;

  Vector at(double alpha, double beta) const { return centre + alpha * first + beta * second; }
};

/// `trajectory`: the two leading principal directions of the states' offsets from the last one (Li et al. 2018), signed
/// so that the first state has non-negative coordinates; missing directions are drawn at random.
/// `random`: two normal directions, orthogonalised. Throws std::invalid_argument below two parameters.
Plane make_plane(std::string_view kind, std::span<const Vector> states, std::uint64_t seed);

/// A point's coordinates on a plane and its distance from it.
struct Projection {
  double alpha, beta, distance;
};
Projection project(const Plane& plane, In y);

/// Values of a functional on an odd grid over the plane, the centre node at the plane's centre.
struct Surface {
  Grid grid;
  std::vector<double> values;

  /// Bilinear interpolation; nan outside.
  double at(double alpha, double beta) const;
  double centre() const { return values[values.size() / 2]; }
};

/// Half the side of a square about the centre that holds the projected states with a margin of a fifth.
double radius_of(const Plane& plane, std::span<const Vector> states);

/// size x size values over [-radius, radius]^2; `progress(done)` after each row. Throws std::invalid_argument on an
/// even size or a radius that is not positive.
Surface sample_surface(const Functional& functional, const Plane& plane, int size, double radius,
                       const std::function<void(int)>& progress = {});

}  // namespace thalweg
