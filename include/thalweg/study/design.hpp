#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "thalweg/study/settings.hpp"

namespace thalweg {

/// An axis of a study and its levels, as text.
struct Axis {
  std::string name;  // a key, or method, matching, seed
  std::vector<std::string> levels;
};

/// The full factorial of study.factors x matching x method x seed, seeds slowest, so that the finished part of an
/// interrupted study is balanced. A run is a number in [0, size).
class Design {
 public:
  /// Throws std::invalid_argument on a malformed factor, one given twice or set by the design itself, and on keys that
  /// the methods decide.
  explicit Design(const Settings& settings);

  std::int64_t size() const;
  const std::vector<Axis>& axes() const { return axes_; }
  /// The level index of every axis.
  std::vector<int> levels(std::int64_t run) const;
  /// The run of these levels.
  std::int64_t run(const std::vector<int>& levels) const;
  /// The resolved settings of a run: same data, start and batches for all methods of a seed. The step of
  /// `equal-effective-step` is not matched yet.
  Settings settings(std::int64_t run) const;
  const std::string& level(std::int64_t run, std::string_view axis) const;

 private:
  Settings base_;
  std::vector<Axis> axes_;
};

}  // namespace thalweg
