#pragma once

#include <optional>

#include "thalweg/diagnose/bezier.hpp"
#include "thalweg/study/console.hpp"
#include "thalweg/study/finished_run.hpp"
#include "thalweg/study/slices.hpp"

namespace thalweg {

/// A point's values for a surface: the loss, and the probes that surface.values asks for.
class Measures {
 public:
  /// Throws std::invalid_argument that names a probe which is of a path and not of a point, or needs data there is not.
  explicit Measures(const Experiment& experiment);

  const std::vector<std::string>& columns() const { return columns_; }
  /// `values`: one a column.
  void measure(const Vector& y, double* values) const;

 private:
  const Experiment& experiment_;
  const Sampled sampled_;
  std::vector<std::string> columns_;
};

/// Where a surface is and what is drawn on it.
struct SurfacePlan {
  Slice slice;
  Grid grid;
  std::vector<Trajectory> paths;  // this run's, then those of surface.runs
  std::vector<Vector> others;     // the ends of the latter
  std::optional<Bezier> bezier;   // from this run to the first of surface.runs, its bend trained
};

/// Integrates the runs once more, trains the bend of the path between two of them, and makes the slice.
SurfacePlan plan_surface(const FinishedRun& run, const Console& console);

}  // namespace thalweg
