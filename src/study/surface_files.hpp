#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "connection.hpp"

namespace thalweg {

/// A finished surface.
struct SurfaceResult {
  const Experiment& experiment;
  const SurfacePlan& plan;
  const Measures& measures;
  const std::vector<double>& values;  // node by node, one a column of the measures
};

/// All files of the surface command but for its report; returns the numbers worth reading.
std::vector<std::pair<std::string, double>> write_surface_files(const std::filesystem::path& directory,
                                                                const SurfaceResult& result);

}  // namespace thalweg
