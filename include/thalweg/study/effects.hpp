#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/study/design.hpp"
#include "thalweg/study/run_table.hpp"
#include "thalweg/study/statistics.hpp"

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
/// difference could be significant after it. `only`: of one measure; empty: of all.
std::string effects_csv(const Design& design, std::string_view baseline, std::span<const RunRow> rows,
                        std::string_view only = {});

/// The groups that sum up shares: terms of the data alone, and those that method or matching take part in.
inline constexpr const char *all_of_data = "data (all)", *all_of_method = "method (all)";

/// The variance shares of a measure with those of the two groups; empty unless every run of the design is finite.
std::vector<VarianceShare> shares_of(const Design& design, std::span<const RunRow> rows, std::size_t measure);

/// shares.csv: the shares of all measures that have any.
std::string shares_csv(const Design& design, std::span<const RunRow> rows);

}  // namespace thalweg
