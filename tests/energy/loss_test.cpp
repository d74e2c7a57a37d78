#include <gtest/gtest.h>

#include "thalweg/energy/risk.hpp"

namespace thalweg {
namespace {

std::string complaint(std::string_view name, int classes) {
  try {
    loss_for(name, classes);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(LossFor, TakesLogisticForTwoClassesAndSoftmaxForMore) {
  EXPECT_EQ(loss_for("auto", 2).name, "logistic");
  EXPECT_EQ(loss_for("auto", 3).name, "softmax");
  EXPECT_EQ(loss_for("mse", 3).name, "mse");
}

TEST(LossFor, SaysWhyALossCannotBe) {
  EXPECT_NE(complaint("logistic", 3).find("model.loss: logistic is for two classes and the data has 3"),
            std::string::npos);
  EXPECT_NE(complaint("softmaxx", 3).find("did you mean softmax?"), std::string::npos);
}

TEST(LogitsFor, CountsOneForTwoClassesUnlessTheLossHasOneEach) {
  EXPECT_EQ(logits_for(loss_for("logistic", 2), 2), 1);
  EXPECT_EQ(logits_for(loss_for("mse", 2), 2), 1);
  EXPECT_EQ(logits_for(loss_for("mse", 3), 3), 3);
  EXPECT_EQ(logits_for(loss_for("softmax", 2), 2), 2);
}

TEST(Decide, TakesTheClassOfLeastLoss) {
  const Matrix one{{-.1}, {.1}, {.4}, {.6}};
  EXPECT_EQ(decide(loss_for("logistic", 2), one), (std::vector<int>{0, 1, 1, 1}));
  EXPECT_EQ(decide(loss_for("mse", 2), one), (std::vector<int>{0, 0, 0, 1}));
  const Matrix three{{1, 2, 0}, {3, 2, 1}, {-3, -2, -1}};
  EXPECT_EQ(decide(loss_for("softmax", 3), three), (std::vector<int>{1, 0, 2}));
}

TEST(Decide, TakesTheFirstOfEqualClasses) {
  EXPECT_EQ(decide(loss_for("logistic", 2), Matrix{{0.}}), std::vector<int>{0});
  EXPECT_EQ(decide(loss_for("mse", 2), Matrix{{.5}}), std::vector<int>{0});
  EXPECT_EQ(decide(loss_for("softmax", 3), Matrix{{1, 2, 2}}), std::vector<int>{1});
}

}  // namespace
}  // namespace thalweg
