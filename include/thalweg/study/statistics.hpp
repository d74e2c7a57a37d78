#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "thalweg/core/core.hpp"

namespace thalweg {

/// The mean of paired differences with a two-sided 95 % interval and the p value of the sign-flip test.
struct PairedEffect {
  int pairs = 0;
  double mean = 0, low = 0, high = 0;  // nan interval below two pairs
  double p = 1;                        // 2 min over both tails of the sign-flip distribution of the mean; nan below one pair
};

/// Differences d_1..d_n, one a pair; nan entries are left out. Interval: bias-corrected and accelerated bootstrap
/// (Efron 1987, 10 000 resamples from the stream (seed, probe)); where all differences are equal it is that point.
/// p: exact over all 2^n sign patterns up to n = 16, else 100 000 random ones.
PairedEffect paired_effect(std::span<const double> differences, std::uint64_t seed);

/// The fewest pairs whose sign-flip p can fall below `level` after Holm over `tests` cells: 2 / 2^n <= level / tests.
int pairs_needed(double level, int tests);

/// Holm's step-down adjusted p values (Holm 1979), in the order given; nan stays nan and is not counted.
std::vector<double> holm(std::span<const double> p);

/// A factor of a balanced design: levels[i] is the level of observation i.
struct Factor {
  std::string name;
  std::vector<int> level;
};

struct VarianceShare {
  std::string term;         // "data.kind", "data.kind x method", "residual"
  int degrees = 0;
  double share = 0;         // sum of squares over the total
  double low = 0, high = 0; // 95 % percentile bootstrap interval over resampled `seed` levels
};

/// Sums of squares of all main effects and two-way interactions of a balanced full factorial with one observation a
/// cell (Fisher's decomposition), as shares of the total; `residual` takes the rest. Factors with one level are skipped.
/// The interval resamples the levels of the factor named "seed". Throws std::invalid_argument where the design is
/// not balanced or holds a nan.
std::vector<VarianceShare> variance_shares(std::span<const Factor> factors, std::span<const double> y, std::uint64_t seed);

}  // namespace thalweg
