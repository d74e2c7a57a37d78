#pragma once

#include <filesystem>

#include "thalweg/study/config.hpp"
#include "thalweg/study/console.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {

/// Fills in evaluate.weights and evaluate.data from in.dir where they are not given, as absolute paths, and the widths
/// of the network from the weights. Throws std::invalid_argument where neither names a file.
void resolve_finished(Settings& settings);

/// Throws std::invalid_argument where writing to `directory` would lose the weights or the data that are read.
void require_inputs_survive(const Settings& settings, const std::filesystem::path& directory);

/// A finished run once more: its experiment on its own data and its final weights.
class FinishedRun {
 public:
  /// For settings that resolve_finished has filled in.
  explicit FinishedRun(const Settings& settings);
  /// The run in a directory.
  static Settings settings_of(const std::filesystem::path& directory);

  const Experiment& experiment() const { return *experiment_; }
  const Vector& theta() const { return theta_; }

  /// The recorded states, by integrating again: runs repeat bit for bit. Where this one does not, because another
  /// machine made it, it says so; the states up to the first that is not finite.
  Trajectory path(const Console& console) const;

 private:
  const std::unique_ptr<const Experiment> experiment_;
  const Vector theta_;
};

}  // namespace thalweg
