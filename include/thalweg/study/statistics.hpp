#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "thalweg/core/core.hpp"

namespace thalweg {

/// The mean of paired differences with a two-sided 95 % interval and the p value of the sign-flip test.
struct PairedEffect {
  int pairs = 0;
  double mean = 0, low = 0, high = 0;  // nan mean without a pair; nan interval below two pairs
  double p = 1;                        // 2 min over both tails of the sign-flip distribution of the mean, at most 1;
                                       // nan without a pair
};

/// Differences d_1..d_n, one a pair; entries that are not finite are left out, and `pairs` counts the rest.
/// Interval: bias-corrected and accelerated bootstrap of the mean (Efron 1987, 10 000 resamples from the stream
/// (seed, probe)); where all differences are equal it is that point.
/// p = P(|sum s_i d_i| >= |sum d_i|) over independent signs s_i = +-1 (Fisher 1935): exact over all 2^n patterns up to
/// n = 16, else (1 + hits) / (1 + 100 000) over random patterns from the stream (seed, permutation).
/// Beyond n = 1000 (for p, pairs that differ) both come from their expansions in 1/sqrt(n) instead of samples (Hall
/// 1988; Edgeworth), unless a few differences outweigh the rest.
PairedEffect paired_effect(std::span<const double> differences, std::uint64_t seed);

/// The fewest pairs n whose sign-flip p can reach `level` after Holm over `tests` cells: 2 / 2^n <= level / tests.
/// 0 < level < 1 and tests >= 1, else std::invalid_argument. Where that is less than the random patterns
/// beyond n = 16 can reach, 1 / 100 001, n is 1001, from where on none are drawn.
int pairs_needed(double level, int tests);

/// Holm's step-down adjusted p values (Holm 1979), in the order given: with p_(1) <= ... <= p_(m),
/// adjusted p_(k) = max over j <= k of min(1, (m - j + 1) p_(j)). nan stays nan and is not counted in m.
/// Throws std::invalid_argument for a p outside [0, 1].
std::vector<double> holm(std::span<const double> p);

/// A factor of a balanced design: level[i] is the level of observation i, any integers.
struct Factor {
  std::string name;
  std::vector<int> level;
};

struct VarianceShare {
  std::string term;  // "data.kind", "data.kind x method", "residual", or a group of them
  int degrees = 0;
  double share = 0;          // sum of squares over the total; nan where all observations are equal
  double low = 0, high = 0;  // 95 % percentile bootstrap interval over resampled `seed` levels; nan below two levels
};

/// Sums of squares of all main effects and two-way interactions of a balanced full factorial with one observation a
/// cell (Fisher 1925), as shares of the total; `residual` takes the rest and stands last. Factors with one level are
/// skipped. Observations may come in any order: y[i] belongs to level[i] of every factor. Behind them the sums over the
/// terms that have one group_of(term), empty: none, with intervals of their own.
/// The interval resamples the S levels of the factor named "seed" with replacement, 1000 times, from the stream
/// (seed, probe); a level drawn twice counts as two levels.
/// Bias: in the mean over resamples a seed term T x seed loses 1/S of its sum of squares to T; read few seeds with
/// care. Throws std::invalid_argument where the design is not balanced or y holds a value that is not finite. Cost:
/// O(observations x terms) once, then O(levels of the terms x S) a resample.
std::vector<VarianceShare> variance_shares(
    std::span<const Factor> factors, std::span<const double> y, std::uint64_t seed,
    const std::function<std::string(const std::string& term)>& group_of = {});

}  // namespace thalweg
