#include "thalweg/energy/functional.hpp"

#include <gtest/gtest.h>

#include "../network.hpp"

namespace thalweg {
namespace {

/// (1/4) sum y^4 whose stated gradient or product is off by a share.
class Quartic final : public Functional {
 public:
  Quartic(double gradient_error, double product_error)
      : gradient_factor_(1 + gradient_error), product_factor_(1 + product_error) {}
  Index size() const override { return 4; }
  double value(In y, Batch) const override { return y.array().pow(4).sum() / 4; }
  double gradient(In y, Batch, Out g) const override {
    g = gradient_factor_ * y.array().cube().matrix();
    return value(y, {});
  }
  void hvp(In y, Batch, In w, Out hw) const override {
    hw = product_factor_ * 3 * y.array().square().matrix().cwiseProduct(w);
  }

 private:
  double gradient_factor_, product_factor_;
};

DerivativeGap gap_of(double gradient_error, double product_error) {
  const Vector y = test::normals(4, 1), w = test::normals(4, 2);
  return derivative_gap(Quartic(gradient_error, product_error), y, w);
}

// At a distance of 1e-3 the rounding of a value of size 1 moves a difference by 1e-13; fourth powers have no
// truncation.
TEST(DerivativeGap, IsRoundingForExactDerivatives) {
  EXPECT_LT(gap_of(0, 0).gradient, 1e-11);
  EXPECT_LT(gap_of(0, 0).product, 1e-11);
}

// An error of 1 % in a derivative of size 1 is some 0.5 % of 1 + size.
TEST(DerivativeGap, FindsAWrongGradientAndAWrongProductApart) {
  EXPECT_GT(gap_of(.01, .01).gradient, 1e-3);
  EXPECT_LT(gap_of(.01, .01).product, 1e-11);
  EXPECT_LT(gap_of(0, .01).gradient, 1e-11);
  EXPECT_GT(gap_of(0, .01).product, 1e-3);
}

using Case = std::tuple<std::string, std::string, std::string>;

std::string title(const testing::TestParamInfo<Case>& kind) {
  const auto& [activation, loss, scaling] = kind.param;
  return test::identifier(activation + "_" + loss + "_" + scaling);
}

class DerivativeGapOfEveryRisk : public testing::TestWithParam<Case> {};

// Five samples: no pre-activation of a relu changes its sign over a distance of 2e-3.
TEST_P(DerivativeGapOfEveryRisk, IsRounding) {
  const auto& [activation, loss, scaling] = GetParam();
  const test::Network net({{6}, activation, loss, scaling, .1, 0}, 2, 5);
  const Vector theta = test::normals(net.model.size(), 1), w = test::normals(net.model.size(), 2);
  const DerivativeGap gap = derivative_gap(net.risk, theta, w);
  EXPECT_LT(gap.gradient, 1e-10);
  EXPECT_LT(gap.product, 1e-10);
}

INSTANTIATE_TEST_SUITE_P(Tables, DerivativeGapOfEveryRisk,
                         testing::Combine(testing::ValuesIn(names(activations())), testing::ValuesIn(names(losses())),
                                          testing::ValuesIn(names(scalings()))),
                         title);

}  // namespace
}  // namespace thalweg
