#include "thalweg/core/table.hpp"

#include <gtest/gtest.h>

namespace thalweg {
namespace {

using Names = std::vector<std::string>;

struct Row {
  std::string_view name;
  int number;
};
constexpr Row rows[] = {{"tanh", 1}, {"relu", 2}, {"softplus", 3}};
constexpr std::span<const Row> table = rows;

template <class Body>
std::string complaint(Body body) {
  try {
    body();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(Nearest, CountsASwapOfNeighboursOnce) { EXPECT_EQ(nearest("tahn", Names{"relu", "tanh"}), Names{"tanh"}); }

TEST(Nearest, CountsInsertionsDeletionsAndSubstitutionsOnce) {
  for (const auto* word : {"sofplus", "sooftplus", "saftplus"})
    EXPECT_EQ(nearest(word, names(table)), Names{"softplus"}) << word;
}

TEST(Nearest, ReadsCaseAndUnderscoresAsOneSpelling) {
  EXPECT_EQ(nearest("RK_4", Names{"rk-5", "rk-4"}), (Names{"rk-4", "rk-5"}));
}

TEST(Nearest, PutsTheNearestFirstAndKeepsTheTableOrderInTies) {
  EXPECT_EQ(nearest("bdf2", Names{"bdf1", "bdf3", "bdf2"}), (Names{"bdf2", "bdf1", "bdf3"}));
}

TEST(Nearest, NamesThreeAtMost) { EXPECT_EQ(nearest("rk", Names{"rk1", "rk2", "rk3", "rk4"}).size(), 3u); }

// Two fifths of five letters are two.
TEST(Nearest, DrawsTheLineAtTwoFifthsOfTheLetters) {
  EXPECT_EQ(nearest("abcde", Names{"abcxy"}), Names{"abcxy"});
  EXPECT_EQ(nearest("abcde", Names{"abxyz"}), Names{});
  EXPECT_EQ(nearest("abcd", Names{"abxy"}), Names{});
}

TEST(Nearest, IsEmptyForAnEmptyTableOrAnEmptyWord) {
  EXPECT_TRUE(nearest("tanh", Names{}).empty());
  EXPECT_TRUE(nearest("", Names{"tanh"}).empty());
}

TEST(Suggestion, ReadsAsASentence) {
  EXPECT_EQ(suggestion("tahn", names(table)), "did you mean tanh?");
  EXPECT_EQ(suggestion("bdf", Names{"bdf1", "bdf2"}), "did you mean bdf1 or bdf2?");
  EXPECT_EQ(suggestion("bdf", Names{"bdf1", "bdf2", "bdf3"}), "did you mean bdf1, bdf2 or bdf3?");
}

TEST(Suggestion, ListsEverythingWhereNothingIsNear) {
  EXPECT_EQ(suggestion("gaussian", names(table)), "valid: tanh, relu, softplus");
}

TEST(Find, ReturnsTheRowItself) { EXPECT_EQ(&find(table, "relu", "model.activation"), &rows[1]); }

TEST(Find, NamesTheKeyTheValueAndWhatWasMeant) {
  EXPECT_EQ(complaint([] { find(table, "tahn", "model.activation"); }),
            "model.activation: no 'tahn'; did you mean tanh?");
}

TEST(Find, AsksForTheExactName) {
  EXPECT_EQ(complaint([] { find(table, "Tanh", "model.activation"); }),
            "model.activation: no 'Tanh'; did you mean tanh?");
}

}  // namespace
}  // namespace thalweg
