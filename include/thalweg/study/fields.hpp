#pragma once

#include <filesystem>
#include <optional>

#include "thalweg/diagnose/surface.hpp"
#include "thalweg/observe/observer.hpp"
#include "thalweg/output/vtk.hpp"
#include "thalweg/study/console.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {

/// The points of all splits, N x 3, missing coordinates 0; for at most three features.
Matrix positions(const Dataset& data);
/// label, clean, fragment, split (0 train, 1 validation, 2 test) and flipped of those points.
std::vector<vtk::Array> point_arrays(const Dataset& data);

/// decision.pvd, decision/field_NNNN.vti (probability of class 1, or of the winning class with its index in `class`)
/// at every recorded state, and decision/data.vtp; for two features.
void write_decision(const std::filesystem::path& directory, const Experiment& experiment, const Trajectory& path);

/// The loss on the plane of surface.directions through the last finite state.
struct ClosingSurface {
  Slice slice;
  Surface surface;
};

/// Nothing where surface.size asks for none. Collective over `ranks`, which share the nodes.
std::optional<ClosingSurface> closing_surface(const Experiment& experiment, const Trajectory& path,
                                              const Console& console, MPI_Comm ranks = MPI_COMM_SELF);

/// surface.vti, trajectory.vtp and directions.csv where there is a surface, the decision fields where the settings ask
/// for them and the data allow them, all of the finite states, and the ParaView scene view.py.
void write_scene(const std::filesystem::path& directory, const Experiment& experiment, const Trajectory& path,
                 const std::optional<ClosingSurface>& closing);

}  // namespace thalweg
