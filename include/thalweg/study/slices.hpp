#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/diagnose/surface.hpp"
#include "thalweg/observe/observer.hpp"
#include "thalweg/output/vtk.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {

/// What precision a surface is computed in.
struct SurfacePrecision {
  std::string_view name, what;
  bool single;
};
std::span<const SurfacePrecision> surface_precisions();

/// What a surface samples: the experiment's objective, a network's loss in the precision of surface.precision.
class Sampled {
 public:
  explicit Sampled(const Experiment& experiment);
  const Functional& operator*() const { return single_ ? *single_ : objective_; }

 private:
  const Functional& objective_;
  std::optional<Risk> single_;
};

/// What directions can be made of in this experiment, through the end of `states`; both must outlive it.
DirectionSource direction_source(const Experiment& experiment, std::span<const Vector> states);

/// The grid that surface.size and surface.radius ask for; without a radius the directions' own, or what holds the
/// states.
Grid grid_for(const SurfaceSpec& spec, const Slice& slice, std::span<const Vector> states);

/// log10 of the values above `zero`, floored.
std::vector<double> logarithms(const std::vector<double>& values, double zero);
/// Losses of data are not negative; the logarithm of a landscape's values counts from the lowest.
double log_zero(const std::vector<double>& values);

/// Checks and names of a surface for its files: centre_loss, trained_loss, slope and curvature of every axis beside
/// gradient and product, asked and sampled area, titles of the axes, the precision of the surface's values.
vtk::Header slice_header(const std::string& command, const Experiment& experiment, const Slice& slice,
                         const Surface& surface);

/// A path on a slice: coordinates, with time, step, loss, surface_loss (on the slice below it) and distance from it.
vtk::Polyline projected(const Functional& functional, const Trajectory& path, const Slice& slice,
                        const Surface& surface, int run = 0);

/// index,centre,d1[,d2[,d3]].
void write_directions(const std::filesystem::path& file, const Slice& slice);

}  // namespace thalweg
