#include "model/kernel.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "../network.hpp"

namespace thalweg {
namespace {

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
        kernel->products(&source, 1, rows, samples,
                         {.out = out.data(), .stride = samples, .scale = 1.5, .bias = bias.data()});
        EXPECT_LT((out - exact).cwiseAbs().maxCoeff(), 1e-13) << kernel->lanes << " " << rows << " x " << k;
        const kernel::Pair pair{out.data(), x.data(), samples, samples};
        kernel->outer(&pair, 1, rows, k, samples, .5, g.data(), 1, rows);
        EXPECT_LT((g - .5 * out.transpose() * block).cwiseAbs().maxCoeff(), 1e-12) << kernel->lanes;
      }
    }
}

}  // namespace
}  // namespace thalweg
