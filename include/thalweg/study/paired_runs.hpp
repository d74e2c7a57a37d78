#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "thalweg/study/design.hpp"
#include "thalweg/study/run_table.hpp"

namespace thalweg {

/// A level index for each factor of a cell; `pooled` averages over all levels.
using Cell = std::vector<int>;
inline constexpr int pooled = -1;

/// Whether a run came to an end that says something about its method; runs.csv shows the others, the report counts them.
bool ended_well(const RunRow& row);

/// Runs of a complete or partial study, looked up by their levels. Design and rows must outlive it.
class PairedRuns {
 public:
  PairedRuns(const Design& design, std::span<const RunRow> rows);

  int factors() const { return factors_; }
  int count(int axis) const { return static_cast<int>(design_.axes()[static_cast<std::size_t>(axis)].levels.size()); }
  int matchings() const { return count(factors_); }
  int methods() const { return count(factors_ + 1); }
  /// The index of a level of an axis, counted from the end: 3 matching, 2 method, 1 seed; -1 where it has none.
  int find(int axis_from_end, std::string_view level) const;

  /// One difference a seed: the mean over the cells that this one covers, but for those in which the measure means
  /// nothing at any seed; nan where a run is missing.
  std::vector<double> differences(std::size_t measure, const Cell& cell, int matching, int method, int baseline) const;
  /// The mean of a measure over all runs of a method that the cell covers and that ended well; nan without one.
  double mean(std::size_t measure, const Cell& cell, int matching, int method) const;

  /// All factors pooled.
  Cell everywhere() const { return Cell(static_cast<std::size_t>(factors_), pooled); }
  /// All cells; then those with all factors but one pooled; then the one with all pooled.
  std::vector<Cell> cells() const;

 private:
  double value(std::size_t measure, const Cell& cell, int matching, int method, int seed) const;
  void each_in(const Cell& cell, const std::function<void(const Cell&)>& visit) const;

  const Design& design_;
  std::vector<const RunRow*> rows_;  // by run; null where it is missing
  int factors_;
};

}  // namespace thalweg
