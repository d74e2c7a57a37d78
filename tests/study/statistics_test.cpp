#include "thalweg/study/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

using Values = std::vector<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Crossed minus self-fertilised maize, eighths of an inch (Darwin 1876; Fisher 1935, section 17).
const Values maize{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
constexpr double maize_p = 2 * 863 / 32768.0;

Values normals(int count, std::uint64_t seed, double mean = 0) {
  Stream stream(seed, Purpose::points);
  Values values(static_cast<std::size_t>(count));
  for (double& value : values) value = mean + stream.normal();
  return values;
}

Values mapped(Values values, const std::function<double(double)>& f) {
  std::ranges::transform(values, values.begin(), f);
  return values;
}

/// The sign-flip p of integers by the coefficients of prod (x^d_i + x^-d_i), in integer arithmetic.
double p_by_generating_function(const std::vector<int>& d) {
  std::map<int, int> patterns{{0, 1}};
  for (const int x : d) {
    std::map<int, int> next;
    for (const auto& [sum, count] : patterns) {
      next[sum + x] += count;
      next[sum - x] += count;
    }
    patterns = next;
  }
  const int observed = std::abs(std::accumulate(d.begin(), d.end(), 0));
  int hits = 0;
  for (const auto& [sum, count] : patterns) hits += std::abs(sum) >= observed ? count : 0;
  return hits / std::exp2(d.size());
}

TEST(SignFlip, FindsFishersCountForDarwinsMaize) {
  const PairedEffect effect = paired_effect(maize, 1);
  EXPECT_EQ(effect.pairs, 15);
  EXPECT_DOUBLE_EQ(effect.mean, 314.0 / 15);
  EXPECT_DOUBLE_EQ(effect.p, maize_p);
}

TEST(SignFlip, EqualsTheGeneratingFunctionWithTiesUnderRounding) {
  for (int n = 1; n <= 16; ++n) {
    Stream stream(7, Purpose::points, static_cast<std::uint64_t>(n));
    std::vector<int> counts;
    Values accuracies;  // differences of accuracies out of 1000: equal counts differ by rounding
    for (int i = 0; i < n; ++i) {
      const int right = 900 + static_cast<int>(stream.below(9)), reference = 899 + static_cast<int>(stream.below(9));
      counts.push_back(right - reference);
      accuracies.push_back(right / 1000.0 - reference / 1000.0);
    }
    EXPECT_DOUBLE_EQ(paired_effect(accuracies, 1).p, p_by_generating_function(counts)) << n << " pairs";
  }
}

TEST(SignFlip, MonteCarloMeetsTheExactValue) {
  Values padded = maize;  // zeros leave the distribution of the sum as it is, and make 17 pairs
  padded.insert(padded.end(), {0, 0});
  const double deviation = std::sqrt(maize_p * (1 - maize_p) / 1e5);
  EXPECT_NEAR(paired_effect(padded, 2).p, maize_p, 4 * deviation);
  EXPECT_EQ(paired_effect(padded, 2).p, paired_effect(padded, 2).p);
  // one of 2^70 patterns is as far out: among 10^5 random ones none, but for the observed one
  EXPECT_DOUBLE_EQ(paired_effect(Values(70, 1.0), 2).p, 1 / 100'001.0);
}

TEST(SignFlip, NeedsSixPairsForFivePercent) {
  for (int n = 1; n <= 16; ++n) {
    const double p = paired_effect(Values(static_cast<std::size_t>(n), 0.25), 1).p;
    EXPECT_DOUBLE_EQ(p, std::exp2(1 - n));
    EXPECT_EQ(p < 0.05, n >= pairs_needed(0.05, 1));
  }
  EXPECT_EQ(pairs_needed(0.05, 1), 6);
  EXPECT_EQ(pairs_needed(0.05, 100), 12);  // 2^11 = 2048 >= 100 / .05 = 2000
  EXPECT_EQ(pairs_needed(0.03125, 1), 6);  // 2 / 2^6 exactly
  EXPECT_THROW(pairs_needed(0, 1), std::invalid_argument);
  EXPECT_THROW(pairs_needed(0.05, 0), std::invalid_argument);
}

TEST(PairedEffect, IsHonestWhereThereIsLittleToSay) {
  const PairedEffect none = paired_effect(Values{nan, INFINITY}, 1);
  EXPECT_EQ(none.pairs, 0);
  EXPECT_TRUE(std::isnan(none.mean) && std::isnan(none.low) && std::isnan(none.high) && std::isnan(none.p));
  const PairedEffect one = paired_effect(Values{nan, 2.5}, 1);
  EXPECT_EQ(one.pairs, 1);
  EXPECT_TRUE(one.mean == 2.5 && std::isnan(one.low) && std::isnan(one.high) && one.p == 1);
  const PairedEffect equal = paired_effect(Values(8, 0.1), 1);
  EXPECT_TRUE(equal.low == 0.1 && equal.high == 0.1);
  EXPECT_DOUBLE_EQ(equal.mean, 0.1);
  EXPECT_EQ(paired_effect(Values(8, 0.0), 1).p, 1);
}

TEST(BootstrapInterval, FollowsShiftAndScale) {
  const PairedEffect raw = paired_effect(maize, 3);
  const PairedEffect moved = paired_effect(mapped(maize, [](double x) { return 1000 - 0.3 * x; }), 3);
  // sums of 15 terms near 1000 err by 15 epsilon 15000 = 5e-11, a quantile by as much
  EXPECT_NEAR(moved.low, 1000 - 0.3 * raw.high, 1e-9);
  EXPECT_NEAR(moved.high, 1000 - 0.3 * raw.low, 1e-9);
}

TEST(BootstrapInterval, LeansTowardsTheLongTail) {
  Values exponential;  // its quantiles at (i + 1/2) / 60
  for (int i = 0; i < 60; ++i) exponential.push_back(-std::log1p(-(i + 0.5) / 60));
  const PairedEffect effect = paired_effect(exponential, 4);
  double squares = 0, cubes = 0;
  for (const double x : exponential) {
    squares += std::pow(x - effect.mean, 2) / 60;
    cubes += std::pow(x - effect.mean, 3) / 60;
  }
  // Edgeworth: the ends are mean + sigma / sqrt(n) (+-z + (2 z^2 + 1) skewness / (6 sqrt(n))) + O(n^-3/2) (Hall 1988).
  const double error = std::sqrt(squares / 60), skewness = cubes / std::pow(squares, 1.5), z = 1.959964;
  const double lean = error * (2 * z * z + 1) * skewness / (6 * std::sqrt(60.0));
  // A resampled 2.5 % quantile errs by sqrt(.025 .975 / 10^4) / phi(z) = .027 sigma / sqrt(n), z0 by .0125; three of
  // both, and n^-1 = .017 for the next term, are below .12 sigma / sqrt(n). The lean itself is .34.
  EXPECT_NEAR((effect.low + effect.high) / 2 - effect.mean, lean, 0.12 * error);
  EXPECT_GT(effect.high - effect.mean, 1.2 * (effect.mean - effect.low));
}

TEST(BootstrapInterval, CoversANormalMeanAsOftenAsItsWidthSays) {
  const int samples = 600, n = 12;
  int covered = 0;
  for (int k = 0; k < samples; ++k) {
    const PairedEffect effect = paired_effect(normals(n, 100 + static_cast<std::uint64_t>(k), 5), 5);
    covered += effect.low <= 5 && 5 <= effect.high ? 1 : 0;
  }
  // No bootstrap of the mean knows that sigma is estimated: |t| < z sqrt((n - 1) / n) instead of |t| < t_.975.
  const double end = 1.959964 * std::sqrt((n - 1.0) / n);
  const double nominal = 1 - 2 * cdf(complement(boost::math::students_t(n - 1), end));  // .913
  const boost::math::binomial count(samples, nominal);
  EXPECT_GE(covered, quantile(count, 0.001));
  EXPECT_LE(covered, quantile(complement(count, 0.001)));
}

TEST(Holm, AdjustsAWorkedExample) {
  // .005 x 4, .01 x 3, .03 x 2, then .04 x 1 is lifted to .06
  const Values adjusted = holm(Values{0.01, 0.04, nan, 0.03, 0.005});
  const Values expected{0.03, 0.06, nan, 0.06, 0.02};
  for (const std::size_t i : {0, 1, 3, 4}) EXPECT_DOUBLE_EQ(adjusted[i], expected[i]);
  EXPECT_TRUE(std::isnan(adjusted[2]));
  EXPECT_TRUE(holm({}).empty());
  EXPECT_THROW(holm(Values{1.5}), std::invalid_argument);
}

TEST(Holm, IsMonotoneEquivariantAndBelowBonferroni) {
  Stream stream(6, Purpose::points);
  Values p(40);
  for (double& value : p) value = std::pow(stream.uniform(), 3);
  const Values adjusted = holm(p), reversed = holm(Values(p.rbegin(), p.rend()));
  EXPECT_EQ(adjusted, Values(reversed.rbegin(), reversed.rend()));
  for (std::size_t i = 0; i < p.size(); ++i) {
    EXPECT_GE(adjusted[i], p[i]);
    EXPECT_LE(adjusted[i], std::min(1.0, 40 * p[i]));
    for (std::size_t j = 0; j < p.size(); ++j) EXPECT_TRUE(p[i] > p[j] || adjusted[i] <= adjusted[j]);
  }
}

TEST(Holm, KeepsTheFamilywiseErrorOfNullStudies) {
  const int studies = 200, tests = 4, n = 10;
  int wrong = 0;
  for (int study = 0; study < studies; ++study) {
    Values p;
    for (int k = 0; k < tests; ++k)
      p.push_back(paired_effect(normals(n, 1000 + static_cast<std::uint64_t>(study * tests + k)), 7).p);
    wrong += std::ranges::min(holm(p)) < 0.05 ? 1 : 0;
  }
  // p is a multiple of 2 / 2^10 and uniform on those: one test falls below .05 / 4 with probability 6 / 512
  const boost::math::binomial count(studies, 1 - std::pow(1 - 6 / 512.0, tests));
  EXPECT_GE(wrong, quantile(count, 0.001));
  EXPECT_LE(wrong, quantile(complement(count, 0.001)));
  EXPECT_LT(paired_effect(normals(n, 999, 2), 7).p * tests, 0.05);  // and a planted effect of two sigma is seen
}

struct Study {
  std::vector<Factor> factors;
  Values y;

  /// A full factorial of response(levels), scrambled (7 must not divide the cells), with labels that do not count.
  Study(const std::vector<int>& sizes, const std::function<double(const std::vector<int>&)>& response)
      : factors{{"data", {}}, {"method", {}}, {"seed", {}}, {"matching", {}}} {
    const int cells = std::accumulate(sizes.begin(), sizes.end(), 1, std::multiplies<>());
    for (int i = 0; i < cells; ++i) {
      std::vector<int> level;
      for (int k = 0, rest = 7 * i % cells; k < 4; rest /= sizes[static_cast<std::size_t>(k++)]) {
        level.push_back(rest % sizes[static_cast<std::size_t>(k)]);
        factors[static_cast<std::size_t>(k)].level.push_back(10 - 3 * level.back());
      }
      y.push_back(response(level));
    }
  }

  std::map<std::string, VarianceShare> shares() const {
    std::map<std::string, VarianceShare> by_term;
    for (const VarianceShare& row : variance_shares(factors, y, 8)) by_term[row.term] = row;
    return by_term;
  }
};

TEST(VarianceShares, AreTheSumsOfSquaresOfAnAdditiveDesign) {
  const Values data{0, 1, 5}, method{0, 3}, seed{0, 0, 2, 2};
  const Study study({3, 2, 4, 1}, [&](const auto& l) { return 1e3 + data.at(l[0]) + method.at(l[1]) + seed.at(l[2]); });
  // about the means 2, 1.5, 1: 8 (4 + 1 + 9) = 112, 12 (2.25 + 2.25) = 54, 6 (4 x 1) = 24, together 190
  const std::map<std::string, std::pair<int, double>> expected{
      {"data", {2, 112}},      {"method", {1, 54}},       {"seed", {3, 24}},   {"data x method", {2, 0}},
      {"data x seed", {6, 0}}, {"method x seed", {3, 0}}, {"residual", {6, 0}}};
  const auto shares = study.shares();
  EXPECT_EQ(shares.size(), expected.size());
  for (const auto& [term, row] : expected) {
    EXPECT_EQ(shares.at(term).degrees, row.first) << term;
    EXPECT_NEAR(shares.at(term).share, row.second / 190, 1e-12) << term;  // epsilon 1e3 = 2e-13 in each mean
  }
}

TEST(VarianceShares, GiveAPureInteractionToItsTermAndThreeFactorsToTheResidual) {
  const std::map<std::string, std::vector<std::size_t>> factors_of{
      {"data x method", {0, 1}}, {"data x seed", {0, 2}}, {"method x seed", {1, 2}}, {"residual", {0, 1, 2}}};
  for (const auto& [term, factors] : factors_of) {
    const Study study({2, 2, 2, 1}, [&](const auto& level) {
      double product = 1;
      for (const std::size_t k : factors) product *= level[k] == 0 ? 1 : -1;
      return product;
    });
    EXPECT_NEAR(study.shares().at(term).share, 1, 1e-14) << term;
  }
}

TEST(VarianceShares, ResampleSeedsAsLevelsOfTheirOwn) {
  // With one seed drawn twice, half of all resamples, data x seed turns into an effect of data.
  const auto shares = Study({2, 3, 2, 1}, [](const auto& l) { return l[0] == l[2] ? 1 : -1; }).shares();
  EXPECT_NEAR(shares.at("data").share, 0, 1e-14);
  EXPECT_NEAR(shares.at("data x seed").share, 1, 1e-14);
  for (const auto* term : {"data", "data x seed"}) {
    EXPECT_NEAR(shares.at(term).low, 0, 1e-14);
    EXPECT_NEAR(shares.at(term).high, 1, 1e-14);
  }
}

TEST(VarianceShares, FindAPlantedEffectAndSumToOne) {
  Stream noise(9, Purpose::points);
  const auto shares =
      Study({3, 2, 20, 2}, [&](const auto& l) { return (l[1] == 0 ? 2 : -2) + noise.normal(); }).shares();
  double sum = 0;
  for (const auto& [term, row] : shares) {
    sum += row.share;
    EXPECT_LE(row.low, row.high);
  }
  EXPECT_NEAR(sum, 1, 1e-14);
  // s = m^2 / v with m = 2 +- 240^-1/2 and v = 1 +- (2 / 240)^1/2: s / (1 + s) = .8 +- .018; four of those
  EXPECT_NEAR(shares.at("method").share, 0.8, 0.072);
  EXPECT_TRUE(shares.at("method").low < 0.8 && 0.8 < shares.at("method").high && shares.at("method").low > 0.7);
  EXPECT_LT(shares.at("data").high, 0.05);
}

TEST(VarianceShares, AreUndefinedWithoutVariationAndUncertainWithoutSeeds) {
  EXPECT_TRUE(std::isnan(Study({3, 2, 4, 1}, [](const auto&) { return 0.1; }).shares().at("data").share));
  const auto single = Study({3, 2, 1, 1}, [](const auto& l) { return l[0]; }).shares();
  EXPECT_NEAR(single.at("data").share, 1, 1e-14);
  EXPECT_TRUE(std::isnan(single.at("data").low) && !single.contains("seed"));
}

TEST(VarianceShares, RefuseWhatIsNotABalancedDesign) {
  const Study study({3, 2, 4, 1}, [](const auto& l) { return l[0] + l[1] * l[2]; });
  Study missing = study, twice = study, broken = study, ragged = study;
  for (Factor& factor : missing.factors) factor.level.pop_back();
  missing.y.pop_back();
  for (Factor& factor : twice.factors) factor.level[0] = factor.level[1];
  broken.y[3] = nan;
  ragged.factors[0].level.pop_back();
  for (const Study* bad : {&missing, &twice, &broken, &ragged}) EXPECT_THROW(bad->shares(), std::invalid_argument);
  EXPECT_THROW(variance_shares({}, {}, 1), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
