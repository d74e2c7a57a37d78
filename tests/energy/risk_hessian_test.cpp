#include "thalweg/energy/risk_hessian.hpp"

#include <gtest/gtest.h>

#include "../network.hpp"

namespace thalweg {
namespace {

struct Size {
  std::vector<Index> hidden;
  int classes;
  Index samples;
};

// One block and several, a last one that is shorter, and layers wide enough that their weights are reordered.
TEST(RiskHessian, HasTheBitsOfTheProductsOneByOne) {
  for (const Size& size : {Size{{5}, 2, 1}, {{7, 3}, 3, 200}, {{16, 16}, 2, 385}, {{80, 70}, 3, 500}}) {
    const test::Network net({.hidden = size.hidden, .weight_decay = .3}, size.classes, size.samples);
    const Index n = net.model.size();
    const Vector theta = net.model.start(2);
    RiskHessian kept(net.risk, theta);
    for (const std::uint64_t seed : {3, 4}) {
      const Matrix w = test::normals(3 * n, seed).reshaped(n, 3);
      Matrix products;
      kept.apply(w, products);
      for (Index k = 0; k < 3; ++k) {
        Vector one(n);
        net.risk.hvp(theta, {}, w.col(k), one);
        EXPECT_EQ(products.col(k), one) << size.samples << " samples";
      }
    }
  }
}

TEST(RiskHessian, KeepsItsPointWhenOthersAreEvaluated) {
  const test::Network net({.hidden = {6, 6}}, 2, 300);
  Vector theta = net.model.start(2), before(theta.size()), g(theta.size());
  const Matrix w = test::normals(theta.size(), 3);
  net.risk.hvp(theta, {}, w.col(0), before);
  RiskHessian kept(net.risk, theta);
  theta.setZero();
  net.risk.gradient(theta, {}, g);
  Matrix after;
  kept.apply(w, after);
  EXPECT_EQ(after.col(0), before);
}

TEST(RiskHessian, SaysItsMemory) {
  // Seven numbers of 8 bytes for each of a thousand samples and 2 + 32 + 32 + 1 units.
  const test::Network net({.hidden = {32, 32}}, 2, 1000);
  EXPECT_EQ(RiskHessian::bytes(net.risk), 7. * 8 * 1000 * 67);
}

}  // namespace
}  // namespace thalweg
