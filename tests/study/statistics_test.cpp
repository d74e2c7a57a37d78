#include "thalweg/study/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <stdexcept>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

using Values = std::vector<double>;

/// Crossed minus self-fertilised maize, eighths of an inch (Darwin 1876; Fisher 1935, section 17).
const Values maize{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
constexpr double maize_p = 2 * 863 / 32768.0;

Values normals(int count, std::uint64_t seed, double mean = 0) {
  Stream stream(seed, Purpose::points);
  Values values(static_cast<std::size_t>(count));
  for (double& value : values) value = mean + stream.normal();
  return values;
}

/// Within the central 99.8 % of the binomial distribution.
void expect_binomial(int count, int trials, double probability) {
  const boost::math::binomial counts(trials, probability);
  EXPECT_TRUE(quantile(counts, 0.001) <= count && count <= quantile(complement(counts, 0.001))) << count;
}

/// The sign-flip p of integers from the coefficients of prod (x^d_i + x^-d_i), in integer arithmetic.
double p_by_generating_function(const std::vector<int>& d) {
  std::map<int, int> patterns{{0, 1}};
  int observed = 0, hits = 0;
  for (const int x : d) {
    std::map<int, int> next;
    for (const auto& [sum, count] : patterns)
      for (const int term : {-x, x}) next[sum + term] += count;
    patterns = next;
    observed += x;
  }
  for (const auto& [sum, count] : patterns) hits += std::abs(sum) >= std::abs(observed) ? count : 0;
  return hits / std::exp2(d.size());
}

TEST(SignFlip, FindsFishersCountForDarwinsMaize) {
  EXPECT_DOUBLE_EQ(paired_effect(maize, 1).mean, 314.0 / 15);
  EXPECT_DOUBLE_EQ(paired_effect(maize, 1).p, maize_p);
}

TEST(SignFlip, EqualsTheGeneratingFunctionWithTiesUnderRounding) {
  for (int n = 1; n <= 16; ++n) {
    Stream stream(7, Purpose::points, static_cast<std::uint64_t>(n));
    std::vector<int> gains;
    Values accuracies;  // differences of accuracies out of 300: equal gains differ by rounding
    for (int i = 0; i < n; ++i) {
      const int before = 270 + static_cast<int>(stream.below(9));
      gains.push_back(static_cast<int>(stream.below(18)) - 8);
      accuracies.push_back((before + gains.back()) / 300.0 - before / 300.0);
    }
    EXPECT_DOUBLE_EQ(paired_effect(accuracies, 1).p, p_by_generating_function(gains)) << n << " pairs";
  }
}

TEST(SignFlip, MonteCarloMeetsTheExactValue) {
  Values padded = maize;  // zeros leave the distribution of the sum as it is, and make 17 pairs
  padded.insert(padded.end(), {0, 0});
  EXPECT_NEAR(paired_effect(padded, 2).p, maize_p, 4 * std::sqrt(maize_p * (1 - maize_p) / 1e5));  // binomial
  EXPECT_DOUBLE_EQ(paired_effect(Values(70, 1.0), 2).p, 1 / 100'001.0);  // of 2^70 patterns 2 are as far out
}

// n differences +-1 and any number of zeros: the sum is 2 Binomial(n, 1/2) - n. Half a step of the sum, 1/40 of its
// deviation, would move p by a tenth; four standard errors of 1e5 patterns are 5 %.
TEST(SignFlip, OfEqualDifferencesIsBinomialHoweverManyPairs) {
  for (const auto& [n, zeros, sum] : {std::tuple{102, 899, 20}, {1601, 0, 79}, {1601, 5000, 79}, {40000, 0, 500}}) {
    std::vector<double> d(static_cast<std::size_t>(n + zeros), 0.);
    for (int i = 0; i < n; ++i) d[static_cast<std::size_t>(i)] = i < (n + sum) / 2 ? .01 : -.01;
    const double p = 2 * cdf(complement(boost::math::binomial(n, .5), (n + sum) / 2 - 1));
    EXPECT_NEAR(paired_effect(d, 1).p, p, (n <= 1000 ? .05 : .003) * p) << n << " and " << zeros;
  }
}

TEST(SignFlip, NeedsSixPairsForFivePercent) {
  for (int n = 1; n <= 16; ++n) {
    const double p = paired_effect(Values(static_cast<std::size_t>(n), 0.25), 1).p;
    EXPECT_DOUBLE_EQ(p, std::exp2(1 - n));
    EXPECT_EQ(p < 0.05, n >= 6);
  }
  EXPECT_EQ(pairs_needed(0.05, 1), 6);
  EXPECT_EQ(pairs_needed(0.05, 100), 12);  // 2^11 = 2048 >= 100 / .05 = 2000
  // Sampled patterns reach 1/100 001 and no more; the expansion beyond 1000 pairs has no floor.
  EXPECT_EQ(pairs_needed(0.05, 5000), 18);
  EXPECT_EQ(pairs_needed(0.05, 5001), 1001);
  EXPECT_EQ(pairs_needed(0.03125, 1), 6);  // 2 / 2^6 exactly
  EXPECT_THROW(pairs_needed(0, 1), std::invalid_argument);
  EXPECT_THROW(pairs_needed(0.05, 0), std::invalid_argument);
}

TEST(PairedEffect, IsHonestWhereThereIsLittleToSay) {
  const PairedEffect none = paired_effect(Values{NAN, INFINITY}, 1), one = paired_effect(Values{NAN, 2.5}, 1);
  EXPECT_TRUE(none.pairs == 0 && std::isnan(none.mean) && std::isnan(none.low) && std::isnan(none.p));
  EXPECT_TRUE(one.pairs == 1 && one.mean == 2.5 && std::isnan(one.low) && std::isnan(one.high) && one.p == 1);
  const PairedEffect equal = paired_effect(Values(8, 0.1), 1), zero = paired_effect(Values(8, 0.0), 1);
  EXPECT_TRUE(equal.low == 0.1 && equal.high == 0.1 && zero.low == 0 && zero.high == 0 && zero.p == 1);
}

TEST(BootstrapInterval, FollowsShiftAndScale) {
  Values image;
  for (const double x : maize) image.push_back(1000 - 0.3 * x);
  const PairedEffect raw = paired_effect(maize, 3), moved = paired_effect(image, 3);
  // sums of 15 terms near 1000 err by 15 epsilon 15000 = 5e-11, a quantile by as much
  EXPECT_NEAR(moved.low, 1000 - 0.3 * raw.high, 1e-9);
  EXPECT_NEAR(moved.high, 1000 - 0.3 * raw.low, 1e-9);
}

TEST(BootstrapInterval, LeansTowardsTheLongTail) {
  Values exponential;  // its quantiles at (i + 1/2) / 60
  for (int i = 0; i < 60; ++i) exponential.push_back(-std::log1p(-(i + 0.5) / 60));
  const PairedEffect effect = paired_effect(exponential, 4);
  const Eigen::ArrayXd deviation = Eigen::Map<const Eigen::ArrayXd>(exponential.data(), 60) - effect.mean;
  // Edgeworth: the ends are mean + sigma / sqrt(n) (+-z + (2 z^2 + 1) skewness / (6 sqrt(n))) + O(n^-3/2) (Hall 1988)
  const double sigma = std::sqrt(deviation.square().mean()), skewness = deviation.cube().mean() / std::pow(sigma, 3);
  const double error = sigma / std::sqrt(60), lean = error * (2 * 1.96 * 1.96 + 1) * skewness / (6 * std::sqrt(60));
  // the lean is .31 error; at 10^4 resamples the ends' .027 / sqrt(2) and 2 z0's .025 make it uncertain by .03: four
  EXPECT_NEAR((effect.low + effect.high) / 2 - effect.mean, lean, 0.12 * error);
}

TEST(BootstrapInterval, CoversANormalMeanAsOftenAsItsWidthSays) {
  const int samples = 600, n = 12;
  int covered = 0;
  for (std::uint64_t k = 0; k < samples; ++k) {
    const PairedEffect effect = paired_effect(normals(n, 100 + k, 5), 5);
    if (effect.low <= 5 && 5 <= effect.high) ++covered;
  }
  // The bootstrap does not know that sigma is estimated: it covers where |t| < z sqrt((n - 1) / n), not t_.975
  const double nominal = 1 - 2 * cdf(boost::math::students_t(n - 1), -1.96 * std::sqrt((n - 1.0) / n));  // .913
  expect_binomial(covered, samples, nominal);
}

// A sample of 1200 with a skewness of 2: its interval from as many resamples as one can wait for, here 6000, whose
// quantiles are uncertain by .035 standard errors; and its p value, moved to where it is .03, from as many sign patterns.
TEST(PairedEffect, OfManyPairsIsWhatSamplingTendsTo) {
  const int n = 1200, samples = 6'000;
  Values d;
  for (int i = 0; i < n; ++i) d.push_back(-std::log1p(-(i + 0.5) / n) - .955);
  const PairedEffect effect = paired_effect(d, 1);
  Stream stream(8, Purpose::probe);
  Values means(samples);
  int hits = 0;
  const double sum = std::accumulate(d.begin(), d.end(), 0.0);
  for (double& mean : means) {
    double flipped = 0;
    for (int i = 0; i < n; ++i) {
      mean += d[stream.below(n)] / n;
      flipped += (stream() & 1 ? 1 : -1) * d[static_cast<std::size_t>(i)];
    }
    hits += std::abs(flipped) >= std::abs(sum);
  }
  std::ranges::sort(means);
  const double error = 1 / std::sqrt(n), a = 2. / (6 * std::sqrt(n)), z = 1.96;
  const boost::math::normal normal;
  const auto end = [&](double side) {  // BCa with its bias correction z0 = a
    const double level = cdf(normal, a + (a + side) / (1 - a * (a + side)));
    return means[static_cast<std::size_t>(level * samples)];
  };
  EXPECT_NEAR(effect.low, end(-z), .14 * error);
  EXPECT_NEAR(effect.high, end(z), .14 * error);
  EXPECT_NEAR(effect.p, static_cast<double>(hits) / samples, 4 * std::sqrt(effect.p / samples));
  EXPECT_GT(effect.p, .01);
  // Where one value outweighs the rest, half of the patterns are as far out; the expansion would say .32.
  Values one(2001, 1);
  for (std::size_t i = 1; i < one.size(); ++i) one[i] = i % 2 ? 1e-6 : -1e-6;
  EXPECT_NEAR(paired_effect(one, 1).p, .5, .02);
}

TEST(Holm, AdjustsAWorkedExample) {
  // .005 x 4, .01 x 3, .03 x 2, then .04 x 1 is lifted to .06
  const Values adjusted = holm(Values{0.01, 0.04, NAN, 0.03, 0.005});
  const Values expected{0.03, 0.06, NAN, 0.06, 0.02};
  for (const std::size_t i : {0, 1, 3, 4}) EXPECT_DOUBLE_EQ(adjusted[i], expected[i]);
  EXPECT_TRUE(std::isnan(adjusted[2]));
  EXPECT_THROW(holm(Values{1.5}), std::invalid_argument);
}

TEST(Holm, IsMonotoneEquivariantAndBelowBonferroni) {
  Stream stream(6, Purpose::points);
  Values p(40);
  for (double& value : p) value = std::pow(stream.uniform(), 3);
  const Values adjusted = holm(p), reversed = holm(Values(p.rbegin(), p.rend()));
  EXPECT_EQ(adjusted, Values(reversed.rbegin(), reversed.rend()));
  for (std::size_t i = 0; i < p.size(); ++i) {
    EXPECT_TRUE(p[i] <= adjusted[i] && adjusted[i] <= std::min(1.0, 40 * p[i]));
    for (std::size_t j = 0; j < p.size(); ++j) EXPECT_TRUE(p[i] > p[j] || adjusted[i] <= adjusted[j]);
  }
}

TEST(Holm, KeepsTheFamilywiseErrorOfNullStudies) {
  const int studies = 200, tests = 4, n = 10;
  int wrong = 0;
  for (std::uint64_t study = 0; study < studies; ++study) {
    Values p;
    for (std::uint64_t k = 0; k < tests; ++k) p.push_back(paired_effect(normals(n, 1000 + tests * study + k), 7).p);
    if (std::ranges::min(holm(p)) < 0.05) ++wrong;
  }
  // p is a multiple of 2 / 2^10 and uniform on those: one test falls below .05 / 4 with probability 6 / 512
  expect_binomial(wrong, studies, 1 - std::pow(1 - 6 / 512.0, tests));
  EXPECT_LT(paired_effect(normals(n, 999, 2), 7).p * tests, 0.05);  // and a planted effect of two sigma is seen
}

struct Study {
  std::vector<Factor> factors{{"data", {}}, {"method", {}}, {"seed", {}}, {"matching", {}}};
  Values y;
};

/// y = response(data, method, seed) on a full factorial, scrambled (7 must not divide the cells); labels do not count.
Study factorial(int data, int method, int seed, const std::function<double(int, int, int)>& response) {
  Study study;
  for (int i = 0, cells = data * method * seed; i < cells; ++i) {
    const int cell = 7 * i % cells, levels[] = {cell % data, cell / data % method, cell / data / method, 0};
    for (std::size_t k = 0; k < 4; ++k) study.factors[k].level.push_back(10 - 3 * levels[k]);
    study.y.push_back(response(levels[0], levels[1], levels[2]));
  }
  return study;
}

std::map<std::string, VarianceShare> shares_of(const Study& study) {
  std::map<std::string, VarianceShare> by_term;
  for (const VarianceShare& row : variance_shares(study.factors, study.y, 8)) by_term[row.term] = row;
  return by_term;
}

TEST(VarianceShares, AreTheSumsOfSquaresOfAnAdditiveDesign) {
  const int data[] = {0, 1, 5}, method[] = {0, 3}, seed[] = {0, 0, 2, 2};
  const auto shares = shares_of(factorial(3, 2, 4, [&](int d, int m, int s) { return data[d] + method[m] + seed[s]; }));
  // about the means 2, 1.5, 1: 8 (4 + 1 + 9) = 112, 12 (2.25 + 2.25) = 54, 6 (4 x 1) = 24, together 190
  const std::map<std::string, std::pair<int, double>> expected{
      {"data", {2, 112}},      {"method", {1, 54}},       {"seed", {3, 24}},   {"data x method", {2, 0}},
      {"data x seed", {6, 0}}, {"method x seed", {3, 0}}, {"residual", {6, 0}}};
  EXPECT_EQ(shares.size(), expected.size());
  for (const auto& [term, row] : expected) {
    EXPECT_EQ(shares.at(term).degrees, row.first) << term;
    EXPECT_NEAR(shares.at(term).share, row.second / 190, 1e-14) << term;  // some 24 epsilon
  }
}

TEST(VarianceShares, GiveAPureInteractionToItsTermAndThreeFactorsToTheResidual) {
  const auto share = [](const std::string& term, const std::function<int(int, int, int)>& sum) {
    return shares_of(factorial(2, 2, 2, [&](int d, int m, int s) { return sum(d, m, s) % 2; })).at(term).share;
  };
  EXPECT_NEAR(share("data x method", [](int d, int m, int) { return d + m; }), 1, 1e-14);
  EXPECT_NEAR(share("data x seed", [](int d, int, int s) { return d + s; }), 1, 1e-14);
  EXPECT_NEAR(share("residual", [](int d, int m, int s) { return d + m + s; }), 1, 1e-14);
}

TEST(VarianceShares, ResampleSeedsAsLevelsOfTheirOwn) {
  // With one seed drawn twice, half of all resamples, data x seed turns into an effect of data.
  const auto shares = shares_of(factorial(2, 3, 2, [](int d, int, int s) { return d == s; }));
  const VarianceShare data = shares.at("data"), crossed = shares.at("data x seed");
  EXPECT_TRUE(data.share < 1e-14 && data.low < 1e-14 && data.high > 1 - 1e-14);
  EXPECT_TRUE(crossed.share > 1 - 1e-14 && crossed.low < 1e-14 && crossed.high > 1 - 1e-14);
}

TEST(VarianceShares, FindAPlantedEffectAndSumToOne) {
  Stream noise(9, Purpose::points);
  const auto shares = shares_of(factorial(3, 2, 40, [&](int, int m, int) { return 4 * m + noise.normal(); }));
  double sum = 0;
  for (const auto& [term, row] : shares) sum += row.share;
  EXPECT_NEAR(sum, 1, 1e-14);
  // s = m^2 / v with m = 2 +- 240^-1/2 and v = 1 +- (2 / 240)^1/2: s / (1 + s) = .8 +- .018; four of those
  EXPECT_NEAR(shares.at("method").share, 0.8, 0.072);
  EXPECT_TRUE(shares.at("method").low > 0.7 && shares.at("data").high < 0.05);
}

TEST(VarianceShares, AreUndefinedWithoutVariationAndUncertainWithoutSeeds) {
  const auto constant = shares_of(factorial(3, 2, 4, [](int, int, int) { return 0.1; }));
  EXPECT_TRUE(std::isnan(constant.at("data").share) && std::isnan(constant.at("residual").low));
  const auto single = shares_of(factorial(3, 2, 1, [](int d, int, int) { return d; }));
  EXPECT_TRUE(single.at("data").share > 1 - 1e-14 && std::isnan(single.at("data").low) && !single.contains("seed"));
}

TEST(VarianceShares, RefuseWhatIsNotABalancedDesign) {
  const Study study = factorial(3, 2, 4, [](int d, int m, int s) { return d + m * s; });
  Study missing = study, twice = study, broken = study, ragged = study;
  for (Factor& factor : missing.factors) factor.level.pop_back();
  for (Factor& factor : twice.factors) factor.level[0] = factor.level[1];
  missing.y.pop_back();
  broken.y[3] = NAN;
  ragged.factors[0].level.pop_back();
  for (const Study* bad : {&missing, &twice, &broken, &ragged}) EXPECT_THROW(shares_of(*bad), std::invalid_argument);
  EXPECT_THROW(variance_shares({}, {}, 1), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
