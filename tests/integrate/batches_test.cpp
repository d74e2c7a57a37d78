#include "thalweg/integrate/batches.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "solve.hpp"

namespace thalweg {
namespace {

using Indices = std::vector<std::int32_t>;

Indices copy(Batch batch) { return {batch.begin(), batch.end()}; }

/// The samples of an epoch, in the order of their visits.
Indices epoch(Batches& batches, std::int64_t number, std::int64_t steps) {
  Indices all;
  for (std::int64_t k = 0; k < steps; ++k) {
    const Batch batch = batches.at(number * steps + k);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

TEST(Shuffle, VisitsEverySampleOnceAnEpoch) {
  Batches batches({7, "shuffle", 3}, 20);
  Indices each(20);
  std::iota(each.begin(), each.end(), 0);
  for (std::int64_t number = 0; number < 4; ++number) {
    Indices visited = epoch(batches, number, 3);
    std::sort(visited.begin(), visited.end());
    EXPECT_EQ(visited, each);
  }
}

TEST(Shuffle, EndsAnEpochWithTheRest) {
  Batches batches({7, "shuffle", 3}, 20), even({5, "shuffle", 3}, 20);
  for (const std::int64_t start : {0, 3, 30}) {
    EXPECT_EQ(batches.at(start).size(), 7u);
    EXPECT_EQ(batches.at(start + 1).size(), 7u);
    EXPECT_EQ(batches.at(start + 2).size(), 6u);
  }
  for (std::int64_t step = 0; step < 8; ++step) EXPECT_EQ(even.at(step).size(), 5u);
}

TEST(Shuffle, DrawsAFreshPermutationEachEpochAndForEachSeed) {
  Batches batches({7, "shuffle", 3}, 20), other({7, "shuffle", 4}, 20);
  EXPECT_NE(epoch(batches, 0, 3), epoch(batches, 1, 3));
  EXPECT_NE(epoch(batches, 0, 3), epoch(other, 0, 3));
}

// Each of 6 permutations of 3 samples has probability 1/6: five degrees of freedom, chi-square below 25.7 with
// probability 0.9999.
TEST(Shuffle, ReachesEveryPermutationEquallyOften) {
  constexpr int epochs = 6000;
  Batches batches({2, "shuffle", 1}, 3);
  std::vector<int> observed(6, 0);
  for (int number = 0; number < epochs; ++number) {
    const Indices order = epoch(batches, number, 2);
    ++observed[static_cast<std::size_t>(2 * order[0] + (order[1] > order[2] ? 1 : 0))];
  }
  double chi_square = 0;
  for (const int count : observed) chi_square += (count - epochs / 6.) * (count - epochs / 6.) / (epochs / 6.);
  EXPECT_LT(chi_square, 25.7);
}

// Ten samples: nine degrees of freedom, chi-square below 33.7 with probability 0.9999.
TEST(Replacement, DrawsUniformly) {
  Batches batches({8, "replacement", 3}, 10);
  std::vector<int> observed(10, 0);
  for (std::int64_t step = 0; step < 5000; ++step) {
    const Batch batch = batches.at(step);
    ASSERT_EQ(batch.size(), 8u);
    for (const std::int32_t i : batch) ++observed.at(static_cast<std::size_t>(i));
  }
  double chi_square = 0;
  for (const int count : observed) chi_square += (count - 4000.) * (count - 4000.) / 4000.;
  EXPECT_LT(chi_square, 33.7);
}

// Eight draws from ten samples are distinct with probability 10!/(2! 10^8) = 0.018.
TEST(Replacement, RepeatsSamplesWithinABatch) {
  Batches batches({8, "replacement", 3}, 10);
  int repeated = 0;
  for (std::int64_t step = 0; step < 100; ++step) {
    Indices batch = copy(batches.at(step));
    std::sort(batch.begin(), batch.end());
    repeated += std::adjacent_find(batch.begin(), batch.end()) != batch.end();
  }
  EXPECT_GE(repeated, 90);
}

TEST(Batches, ArePureFunctionsOfTheStep) {
  for (const std::string& sampling : names(samplings())) {
    const BatchPlan plan{6, sampling, 5};
    Batches forth(plan, 20), back(plan, 20);
    std::vector<Indices> batches;
    for (std::int64_t step = 0; step < 25; ++step) batches.push_back(copy(forth.at(step)));
    for (std::int64_t step = 25; step-- > 0;) EXPECT_EQ(copy(back.at(step)), batches[static_cast<std::size_t>(step)]);
    EXPECT_EQ(copy(back.at(17)), batches[17]);
    EXPECT_EQ(copy(back.at(17)), batches[17]);
  }
}

TEST(Batches, AreTheWholeSetWhereNoneIsSmaller) {
  for (const std::string& sampling : names(samplings()))
    for (const Index size : {0, 20, 21}) {
      Batches batches({size, sampling, 5}, 20);
      EXPECT_TRUE(batches.whole());
      EXPECT_TRUE(batches.at(3).empty());
    }
  EXPECT_FALSE(Batches({19, "shuffle", 5}, 20).whole());
}

TEST(Batches, NameTheOptionThatIsWrong) {
  EXPECT_NE(test::complaint([] { Batches({-1, "shuffle", 0}, 20); }).find("scheme.batch: -1"), std::string::npos);
  EXPECT_NE(test::complaint([] {
              Batches({1, "shufle", 0}, 20);
            }).find("scheme.sampling: no 'shufle'"),
            std::string::npos);
}

}  // namespace
}  // namespace thalweg
