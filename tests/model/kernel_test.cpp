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
        const kernel::Source<double> source{c.data(), 1, rows, x.data(), samples, k};
        kernel->products(&source, 1, rows, samples,
                         {.out = out.data(), .stride = samples, .scale = 1.5, .bias = bias.data()});
        EXPECT_LT((out - exact).cwiseAbs().maxCoeff(), 1e-13) << kernel->lanes << " " << rows << " x " << k;
        const kernel::Pair pair{out.data(), x.data(), samples, samples};
        kernel->outer(&pair, 1, rows, k, samples, {g.data(), 1, rows, .5});
        EXPECT_LT((g - .5 * out.transpose() * block).cwiseAbs().maxCoeff(), 1e-12) << kernel->lanes;
      }
    }
}

// Sums of 200 terms of size one, with a thin, a tiled and a long sum among them.
TEST(Kernels, AgreeOnProductsInSinglePrecision) {
  constexpr Index samples = 48;
  for (const Index rows : {1, 3, 8, 13})
    for (const Index k : {1, 2, 5, 200}) {
      const Vector c = test::normals(rows * k, 1), x = test::normals(k * samples, 2), bias = test::normals(rows, 3);
      const Eigen::VectorXf cf = c.cast<float>(), xf = x.cast<float>(), bf = bias.cast<float>();
      const Matrix a = Eigen::Map<const Matrix>(c.data(), rows, k),
                   block = Eigen::Map<const Matrix>(x.data(), samples, k);
      const Matrix exact = (block * a.transpose() * 1.5).rowwise() + bias.transpose();
      for (const Kernel* kernel : kernels()) {
        Eigen::MatrixXf out(samples, rows);
        Eigen::VectorXf sums(3 * kernel->single.lanes * rows);
        const kernel::Source<float> source{cf.data(), 1, rows, xf.data(), samples, k};
        kernel->single.products(
            &source, 1, rows, samples,
            {.out = out.data(), .stride = samples, .scale = 1.5f, .bias = bf.data(), .sums = sums.data()});
        EXPECT_LT((out.cast<double>() - exact).cwiseAbs().maxCoeff(), 2e-7 * (10 + static_cast<double>(k)))
            << kernel->lanes << " " << rows << " x " << k;
      }
    }
}

// The weights' gradient turns one side where there are few samples or many columns: the same sums in another order.
TEST(Kernels, AgreeOnOuterProductsOfAnyShape) {
  for (const Index rows : {8, 16, 24, 40, 64, 71})
    for (const Index columns : {7, 8, 33, 65})
      for (const Index samples : {8, 24, 64, 72, 192}) {
        const Vector a = test::normals(rows * samples, 1), b = test::normals(columns * samples, 2);
        const Matrix left = Eigen::Map<const Matrix>(a.data(), samples, rows),
                     right = Eigen::Map<const Matrix>(b.data(), samples, columns);
        const Matrix exact = (.5 * left.transpose() * right).array() + 1;
        for (const Kernel* kernel : kernels()) {
          Matrix g = Matrix::Ones(rows, columns), both = g, fresh = g.array() / 0.;
          const kernel::Pair pairs[] = {{a.data(), b.data(), samples, samples}, {a.data(), b.data(), samples, samples}};
          kernel->outer(pairs, 1, rows, columns, samples, {g.data(), 1, rows, .5});
          kernel->outer(pairs, 2, rows, columns, samples, {both.data(), 1, rows, .25});
          kernel->outer(pairs, 1, rows, columns, samples, {fresh.data(), 1, rows, .5, true});
          fresh.array() += 1;
          EXPECT_LT((g - exact).cwiseAbs().maxCoeff(), 1e-12) << kernel->lanes << ' ' << rows << ' ' << columns;
          EXPECT_LT((both - exact).cwiseAbs().maxCoeff(), 1e-12) << kernel->lanes << ' ' << rows << ' ' << columns;
          EXPECT_LT((fresh - exact).cwiseAbs().maxCoeff(), 1e-12) << kernel->lanes << ' ' << rows << ' ' << columns;
        }
      }
}

}  // namespace
}  // namespace thalweg
