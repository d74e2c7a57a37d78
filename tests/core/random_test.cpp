#include "thalweg/core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <vector>

namespace thalweg {
namespace {

static_assert(std::uniform_random_bit_generator<Stream>);

constexpr Purpose purposes[] = {Purpose::points, Purpose::split,       Purpose::label_noise, Purpose::start,
                                Purpose::batch,  Purpose::permutation, Purpose::direction,   Purpose::probe};

using Block = std::array<std::uint64_t, 4>;

/// a b = high 2^64 + low by schoolbook multiplication of halves.
struct Product {
  std::uint64_t high, low;

  Product(std::uint64_t a, std::uint64_t b) : low(a * b) {
    constexpr std::uint64_t mask = 0xffffffff;
    const std::uint64_t cross = (a >> 32) * (b & mask) + ((a & mask) * (b & mask) >> 32);
    high = (a >> 32) * (b >> 32) + (cross >> 32) + (((a & mask) * (b >> 32) + (cross & mask)) >> 32);
  }
};

/// Ten rounds of the bijection of Salmon et al. (SC 2011, section 3.3), with their constants.
Block philox(Block c, std::array<std::uint64_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const Product first(0xD2E7470EE14C6C93, c[0]), second(0xCA5A826395121157, c[2]);
    c = {second.high ^ c[1] ^ key[0], second.low, first.high ^ c[3] ^ key[1], first.low};
    key[0] += 0x9E3779B97F4A7C15;  // the golden ratio
    key[1] += 0xBB67AE8584CAA73B;  // sqrt(3) - 1
  }
  return c;
}

/// |mean of draws - expectation| in standard errors.
double standard_errors(double sum, double count, double expectation, double variance) {
  return std::abs(sum / count - expectation) / std::sqrt(variance / count);
}

/// Sum of (observed - expected)^2/expected over equally likely bins.
double chi_square(const std::vector<int>& observed, double expected) {
  double sum = 0;
  for (const int count : observed) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// The three vectors published with the authors' own implementation (Random123, kat_vectors).
TEST(Philox, HasItsKnownAnswers) {
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (Block{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}));
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0}));
  EXPECT_EQ(philox({0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
                   {0x452821e638d01377, 0xbe5466cf34e90c6c}),
            (Block{0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}));
}

TEST(Stream, CountsBlocksUnderTheKeyOfSeedAndPurpose) {
  for (const Purpose purpose : purposes)
    for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{5}, ~std::uint64_t{0}}) {
      Stream draw(42, purpose, step);
      for (std::uint64_t block = 0; block < 3; ++block)
        for (const std::uint64_t word : philox({block, step, 0, 0}, {42, static_cast<std::uint64_t>(purpose)}))
          EXPECT_EQ(draw(), word);
    }
}

// 2 x 8 x 4 streams of 64 words: two of 4096 random words agree with probability 5e-13.
TEST(Stream, SharesNoWordWithAnother) {
  std::set<std::uint64_t> words;
  for (const std::uint64_t seed : {0, 1})
    for (const Purpose purpose : purposes)
      for (std::uint64_t step = 0; step < 4; ++step) {
        Stream draw(seed, purpose, step);
        for (int i = 0; i < 64; ++i) words.insert(draw());
      }
  EXPECT_EQ(words.size(), 2 * 8 * 4 * 64u);
}

// E u^k = 1/(k + 1), Var u^k = 1/(2k + 1) - 1/(k + 1)^2; four standard errors.
TEST(Stream, UniformHasTheMomentsOfTheUnitInterval) {
  constexpr int count = 100000;
  Stream draw(1, Purpose::probe);
  double sums[4] = {};
  for (int i = 0; i < count; ++i) {
    const double u = draw.uniform();
    ASSERT_TRUE(u >= 0 && u < 1);
    for (int k = 1; k <= 4; ++k) sums[k - 1] += std::pow(u, k);
  }
  for (int k = 1; k <= 4; ++k) {
    const double mean = 1. / (k + 1);
    EXPECT_LT(standard_errors(sums[k - 1], count, mean, 1. / (2 * k + 1) - mean * mean), 4) << "moment " << k;
  }
}

TEST(Stream, UniformFillsItsInterval) {
  Stream draw(1, Purpose::probe), same(1, Purpose::probe);
  for (int i = 0; i < 100; ++i) EXPECT_DOUBLE_EQ(draw.uniform(-3, 5), -3 + 8 * same.uniform());
}

// E x^k = 0, 1, 0, 3 and Var x^k = 1, 2, 15, 96; four standard errors.
TEST(Stream, NormalHasTheMomentsOfTheGaussian) {
  constexpr int count = 100000;
  constexpr double means[] = {0, 1, 0, 3}, variances[] = {1, 2, 15, 96};
  Stream draw(2, Purpose::probe);
  double sums[4] = {};
  for (int i = 0; i < count; ++i) {
    const double x = draw.normal();
    for (int k = 1; k <= 4; ++k) sums[k - 1] += std::pow(x, k);
  }
  for (int k = 0; k < 4; ++k)
    EXPECT_LT(standard_errors(sums[k], count, means[k], variances[k]), 4) << "moment " << k + 1;
}

// Ten bins have nine degrees of freedom: chi-square stays below 33.7 with probability 0.9999.
TEST(Stream, BelowIsUniform) {
  constexpr int count = 100000;
  Stream draw(3, Purpose::probe);
  std::vector<int> observed(10, 0);
  for (int i = 0; i < count; ++i) ++observed.at(draw.below(10));
  EXPECT_LT(chi_square(observed, count / 10.), 33.7);
}

// The remainder of a 64-bit word modulo 3 2^62 would fall into the lowest third half of the time: chi-square 1250.
// Two degrees of freedom: below 18.4 with probability 0.9999.
TEST(Stream, BelowHasNoBiasTowardsSmallNumbers) {
  constexpr int count = 10000;
  constexpr std::uint64_t third = std::uint64_t{1} << 62;
  Stream draw(4, Purpose::probe);
  std::vector<int> observed(3, 0);
  for (int i = 0; i < count; ++i) ++observed.at(draw.below(3 * third) / third);
  EXPECT_LT(chi_square(observed, count / 3.), 18.4);
}

TEST(Stream, BelowOneIsZero) {
  Stream draw(5, Purpose::probe);
  EXPECT_EQ(draw.below(1), 0u);
}

}  // namespace
}  // namespace thalweg
