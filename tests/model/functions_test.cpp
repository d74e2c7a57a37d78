#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../network.hpp"
#include "model/kernel.hpp"

namespace thalweg {
namespace {

using kernel::Function;
using kernel::Kernel;

/// The kernels that this processor runs.
std::vector<const Kernel*> kernels() {
  std::vector<const Kernel*> all{&kernel::compiled<2>()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v3")) all.push_back(&kernel::compiled<4>());
  if (__builtin_cpu_supports("x86-64-v4")) all.push_back(&kernel::compiled<8>());
#endif
  return all;
}

constexpr Index count = 4096;

/// Both signs, magnitudes from 1e-9 to `largest`.
Vector arguments(double largest) {
  Stream draw(3, Purpose::probe);
  const double decades = std::log10(largest) + 9;
  return Vector::NullaryExpr(
      count, [&](Index i) { return (i % 2 == 0 ? 1 : -1) * largest * std::pow(10, -decades * draw.uniform()); });
}

Vector values(const Kernel& kernel, Function function, const Vector& z) {
  Vector f(z.size());
  kernel.activate(function, 1, z.size(), z.size(), z.data(), f.data(), nullptr, nullptr);
  return f;
}

/// The largest error in units of the last place of the exact value.
template <class Exact>
double ulps(const Vector& z, const Vector& f, Exact exact) {
  double worst = 0;
  for (Index i = 0; i < z.size(); ++i) {
    const long double truth = exact(static_cast<long double>(z[i]));
    const double size = std::abs(static_cast<double>(truth));
    const double unit = std::nextafter(size, std::numeric_limits<double>::infinity()) - size;
    worst = std::max(worst, std::abs(static_cast<double>(static_cast<long double>(f[i]) - truth)) / unit);
  }
  return worst;
}

TEST(Functions, AreWithinAFewUnitsOfTheLastPlace) {
  for (const Kernel* kernel : kernels()) {
    const Vector z = arguments(30);
    SCOPED_TRACE(kernel->lanes);
    EXPECT_LT(ulps(z, values(*kernel, Function::tanh, z), [](auto x) { return std::tanh(x); }), 3);
    EXPECT_LT(ulps(z, values(*kernel, Function::sin, z), [](auto x) { return std::sin(x); }), 3);
    EXPECT_LT(ulps(z, values(*kernel, Function::sigmoid, z), [](auto x) { return 1 / (1 + std::exp(-x)); }), 4);
    EXPECT_LT(ulps(z, values(*kernel, Function::softplus, z),
                   [](auto x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); }),
              6);
  }
}

TEST(Functions, ExpAndLog1pAreWithinThreeUnitsOfTheLastPlace) {
  const Vector z = arguments(700), unit = arguments(1).cwiseAbs();
  Vector f(count);
  for (const Kernel* kernel : kernels()) {
    SCOPED_TRACE(kernel->lanes);
    kernel->exp(count, z.data(), f.data());
    EXPECT_LT(ulps(z, f, [](auto x) { return std::exp(x); }), 3);
    kernel->log1p(count, unit.data(), f.data());
    EXPECT_LT(ulps(unit, f, [](auto x) { return std::log1p(x); }), 3);
  }
}

// z Phi(z) to 1e-14 of itself while the density is far from underflow.
TEST(Functions, GeluIsAccurateInItsTail) {
  const Vector z = arguments(20);
  for (const Kernel* kernel : kernels()) {
    const Vector f = values(*kernel, Function::gelu, z);
    for (Index i = 0; i < count; ++i) {
      const long double x = z[i], exact = x * std::erfc(-x / std::sqrt(2.0L)) / 2;
      EXPECT_NEAR(f[i], static_cast<double>(exact), 1e-14 * std::abs(static_cast<double>(exact)))
          << kernel->lanes << " " << z[i];
    }
  }
}

TEST(Functions, TanhIsOddBoundedAndKeepsNotANumber) {
  const Vector z = arguments(1000);
  for (const Kernel* kernel : kernels()) {
    const Vector f = values(*kernel, Function::tanh, z);
    EXPECT_EQ(f, -values(*kernel, Function::tanh, -z));
    EXPECT_LE(f.cwiseAbs().maxCoeff(), 1);
    Vector special = Vector::Zero(8);
    special.head(3) << std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity();
    const Vector at = values(*kernel, Function::tanh, special);
    EXPECT_TRUE(std::isnan(at[0]));
    EXPECT_EQ(at[1], 1);
    EXPECT_EQ(at[2], -1);
    EXPECT_EQ(at[3], 0);
  }
}

TEST(Functions, FarSinesAreTheLibrarys) {
  const Vector z = arguments(1e15);
  for (const Kernel* kernel : kernels())
    EXPECT_LT(ulps(z, values(*kernel, Function::sin, z), [](auto x) { return std::sin(x); }), 3) << kernel->lanes;
}

// The same sums in another order: rounding of 100 terms of size 1.
TEST(Kernels, AgreeOnProductsOfAnyShape) {
  constexpr Index samples = 40, most = 13;
  const Vector c = test::normals(most * most, 1), x = test::normals(most * samples, 2), bias = test::normals(most, 3);
  for (Index rows = 1; rows <= most; ++rows)
    for (Index k = 1; k <= most; ++k) {
      const Matrix a = Eigen::Map<const Matrix>(c.data(), rows, k);
      const Matrix block = Eigen::Map<const Matrix>(x.data(), samples, k);
      const Matrix exact = (block * a.transpose() * 1.5).rowwise() + bias.head(rows).transpose();
      for (const Kernel* kernel : kernels()) {
        Matrix out(samples, rows), g = Matrix::Zero(rows, k);
        const kernel::Source source{c.data(), 1, rows, x.data(), samples, k};
        kernel->products(&source, 1, rows, samples, {out.data(), samples, 1.5, kernel::Finish::bias, bias.data()});
        EXPECT_LT((out - exact).cwiseAbs().maxCoeff(), 1e-13) << kernel->lanes << " " << rows << " x " << k;
        const kernel::Pair pair{out.data(), x.data(), samples, samples};
        kernel->outer(&pair, 1, rows, k, samples, .5, g.data(), 1, rows);
        EXPECT_LT((g - .5 * out.transpose() * block).cwiseAbs().maxCoeff(), 1e-12) << kernel->lanes;
      }
    }
}

}  // namespace
}  // namespace thalweg
