#include "thalweg/integrate/sharpness.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

#include "solve.hpp"

namespace thalweg {
namespace {

/// The matrix of -M J for the Jacobian J of a part at y.
Matrix minus_lowered_jacobian(const Flow& flow, Part part, const Vector& y) {
  Matrix h(y.size(), y.size());
  for (Index j = 0; j < y.size(); ++j) {
    flow.jvp(part, {}, y, Vector::Unit(y.size(), j), h.col(j));
    flow.lower(h.col(j));
  }
  return -h;
}

class SharpnessOfAFlow : public testing::TestWithParam<Slots> {};

TEST_P(SharpnessOfAFlow, IsTheLargestEigenvalueOfTheHessianInTheMetric) {
  const test::Network net({{6, 5}, "tanh", "logistic", "standard", 0, 0}, 2, 30);
  const GradientFlow flow(net.risk, net.lattice.get(), GetParam(), 2);
  const Vector y = net.model.start(1);
  Matrix m = Matrix::Identity(y.size(), y.size());
  for (Index j = 0; j < y.size(); ++j) flow.lower(m.col(j));
  for (const Part part : {Part::slow, Part::stiff, Part::all}) {
    const Matrix h = minus_lowered_jacobian(flow, part, y);
    const double exact =
        Eigen::GeneralizedSelfAdjointEigenSolver<Matrix>((h + h.transpose()) / 2, m).eigenvalues().maxCoeff();
    for (const double tolerance : {.1, 1e-2, 1e-6}) {
      const Sharpness found = sharpness(flow, part, {}, y, tolerance);
      // 2e-12: the dense matrices' own rounding, eigenvalues up to 300.
      EXPECT_LE(found.value, exact + 2e-12);
      EXPECT_GE(found.bound(), exact - 2e-12);
      EXPECT_LE(found.error, tolerance * exact + 1e-300);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Slots, SharpnessOfAFlow,
                         testing::Values(Slots{0, 0, 1}, Slots{.02, 0, 1}, Slots{0, .01, 1}, Slots{.02, .01, 1},
                                         Slots{.02, .01, 2}),
                         [](const auto& slots) { return "Case" + std::to_string(slots.index); });

TEST(Sharpness, CountsItsProductsAndNeedsFewOfThem) {
  const test::Network net({{16, 16}, "tanh", "logistic", "standard", 0, 0}, 2, 30);
  const GradientFlow flow(net.risk, net.lattice.get(), {});
  test::Counted::Calls calls;
  const Sharpness found = sharpness(test::Counted(flow, calls), Part::all, {}, net.model.start(1));
  EXPECT_EQ(found.products, calls.products);
  EXPECT_LT(found.products, 30);
}

TEST(Sharpness, IsAFunctionOfSeedAndStep) {
  const test::Network net({{6}, "tanh", "logistic", "standard", 0, 0}, 2, 30);
  const GradientFlow flow(net.risk, net.lattice.get(), {});
  const Vector y = net.model.start(1);
  EXPECT_EQ(sharpness(flow, Part::all, {}, y).value, sharpness(flow, Part::all, {}, y).value);
  EXPECT_NE(sharpness(flow, Part::all, {}, y).value, sharpness(flow, Part::all, {0, 1, {}}, y).value);
}

/// A rotation: no metric makes its Jacobian self-adjoint.
class Rotation final : public Flow {
 public:
  Index size() const override { return 2; }
  void velocity(Part, const Instant&, In y, Out v) const override { v << -y[1], y[0]; }
  void jvp(Part part, const Instant& at, In, In w, Out vw) const override { velocity(part, at, w, vw); }
};

TEST(Sharpness, RefusesAJacobianThatIsNotSelfAdjoint) {
  EXPECT_NE(test::complaint([] { sharpness(Rotation(), Part::all, {}, Vector::Ones(2)); }).find("self-adjoint"),
            std::string::npos);
}

}  // namespace
}  // namespace thalweg
