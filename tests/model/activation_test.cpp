#include <gtest/gtest.h>

#include <cmath>

#include "../network.hpp"
#include "naive.hpp"
#include "triple.hpp"

namespace thalweg {
namespace {

class ActivationOfEveryKind : public testing::TestWithParam<Activation> {};

/// Both tails, both sides of zero, and what lies between; a relu has its kink at zero only.
Vector points() { return Vector::LinSpaced(401, -20, 20.1); }

// The tails of gelu and its derivatives are products of small factors whose argument is rounded first: |z| times 1e-16
// each, against a largest value of 20 and largest derivatives of 1.
TEST_P(ActivationOfEveryKind, HasTheValueAndTheDerivativesOfItsFormula) {
  const Activation& activation = GetParam();
  const Vector z = points();
  Vector f(z.size()), f1(z.size()), f2(z.size());
  activation.evaluate(z.size(), z.data(), f.data(), f1.data(), f2.data());
  for (Index i = 0; i < z.size(); ++i) {
    const auto exact = test::naive_activation(activation.name, test::HyperDual{z[i], 1, 1, 0});
    EXPECT_NEAR(f[i], static_cast<double>(exact.value), 5e-15 * std::max(1., std::abs(f[i]))) << z[i];
    EXPECT_NEAR(f1[i], static_cast<double>(exact.first), 5e-15) << z[i];
    EXPECT_NEAR(f2[i], static_cast<double>(exact.mixed), 5e-15) << z[i];
  }
}

// Sums of at most three products of derivatives that are right to 5e-15 and at most 2.
TEST_P(ActivationOfEveryKind, HasTheThirdDerivativeOfItsFormula) {
  const Activation& activation = GetParam();
  const Vector z = points();
  Vector f(z.size()), f1(z.size()), f2(z.size()), f3(z.size());
  activation.evaluate(z.size(), z.data(), f.data(), f1.data(), f2.data());
  activation.third(z.size(), z.data(), f.data(), f1.data(), f2.data(), f3.data());
  for (Index i = 0; i < z.size(); ++i) {
    const test::Triple x{z[i], {1, 1, 0, 1}};
    const auto exact = test::naive_activation(activation.name, x);
    EXPECT_NEAR(f3[i], static_cast<double>(exact.parts[6]), 3e-14) << z[i];
  }
}

// Whole vectors, parts of one, and what does not fill the last.
TEST_P(ActivationOfEveryKind, TakesAnyNumberOfArguments) {
  const Vector z = points();
  for (Index n = 0; n < 70; ++n) {
    Vector f = Vector::Constant(z.size(), NAN), f1 = f, f2 = f;
    GetParam().evaluate(n, z.data(), f.data(), f1.data(), f2.data());
    for (Index i = 0; i < n; ++i) {
      double one = 0, one1 = 0, one2 = 0;
      GetParam().evaluate(1, z.data() + i, &one, &one1, &one2);
      EXPECT_EQ(f[i], one);
      EXPECT_EQ(f1[i], one1);
      EXPECT_EQ(f2[i], one2);
    }
    EXPECT_TRUE(f.tail(z.size() - n).array().isNaN().all());
  }
}

// A limit at infinity, or growth no faster than |z|.
TEST_P(ActivationOfEveryKind, StaysFiniteFarOut) {
  for (const double z : {-1e3, 1e3, -1e8, 1e8}) {
    double f = 0, f1 = 0, f2 = 0;
    GetParam().evaluate(1, &z, &f, &f1, &f2);
    EXPECT_LE(std::abs(f), std::abs(z)) << z;
    EXPECT_LE(std::abs(f1), 1) << z;
    EXPECT_LE(std::abs(f2), 1) << z;
  }
}

TEST_P(ActivationOfEveryKind, PassesOnWhatIsNotANumber) {
  const double z = NAN;
  double f = 0, f1 = 0, f2 = 0;
  GetParam().evaluate(1, &z, &f, &f1, &f2);
  EXPECT_TRUE(std::isnan(f));
}

INSTANTIATE_TEST_SUITE_P(Table, ActivationOfEveryKind, testing::ValuesIn(activations().begin(), activations().end()),
                         [](const auto& row) { return test::identifier(row.param.name); });

}  // namespace
}  // namespace thalweg
