#pragma once

#include <filesystem>
#include <string>

#include "thalweg/study/console.hpp"

namespace thalweg {

/// Runs postprocess/SCRIPT on a directory with the first Python that has matplotlib. What cannot be run is a note, not
/// an error: the results are complete without pictures.
void postprocess(const std::string& script, const std::filesystem::path& directory, const Console& console);

/// Copies the ParaView scene into a run's directory as view.py.
void add_scene(const std::filesystem::path& directory);

}  // namespace thalweg
