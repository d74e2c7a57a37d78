#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/study/design.hpp"
#include "thalweg/study/run_table.hpp"

namespace thalweg {

/// A number of a finished run that methods are compared by.
struct Measure {
  std::string_view name, what;
  int better;  // +1: more is better, -1: less is better, 0: neither
};
std::span<const Measure> measures();

/// effects.csv: for every measure, method and cell the paired difference to the baseline at the same seed and
/// matching; `*` in a factor's column is the mean over its levels. Holm's adjustment runs over the cells of a
/// measure and a matching, and over their pooled rows apart from them. "too few pairs": not even the clearest
/// difference could be significant after it.
std::string effects_csv(const Design& design, std::string_view baseline, std::span<const RunRow> rows);

/// shares.csv: the variance shares of the measures whose every run of the design is finite.
std::string shares_csv(const Design& design, std::span<const RunRow> rows);

}  // namespace thalweg
