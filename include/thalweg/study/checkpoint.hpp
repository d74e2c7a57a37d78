#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "thalweg/integrate/integrate.hpp"
#include "thalweg/study/recorder.hpp"
#include "thalweg/study/settings.hpp"

namespace thalweg {

/// checkpoint.bin of an unfinished run: what it needs to end in the same bits as if it had never been interrupted.
struct RunCheckpoint {
  std::string ini;  // the run's settings
  struct State {
    Checkpoint solve;
    Recorder::Record record;
    Trajectory path;
  };
  std::optional<State> state;  // null: killed before its first checkpoint
};

void write_checkpoint(const std::filesystem::path& directory, const RunCheckpoint& checkpoint);

/// Takes the checkpoint away: the run has ended.
void remove_checkpoint(const std::filesystem::path& directory);

/// The unfinished run in out.dir that these settings, as `ini` states them, go on with; null where there is none or
/// where it is to be overwritten. Throws std::invalid_argument where its settings are others, std::runtime_error where
/// the file is damaged or of another version of the program.
std::optional<RunCheckpoint> unfinished_run(const Settings& settings, const std::string& ini);

}  // namespace thalweg
