#include "model/kernel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

/// The sum over samples of ln sum_c e^(z_c - z_y), computed term by term in long doubles.
template <class T>
long double cross_entropy(const std::vector<T>& z, const std::vector<int>& y, Index used, Index classes, Index stride) {
  long double sum = 0;
  for (Index i = 0; i < used; ++i) {
    const auto at = [&](Index c) { return static_cast<long double>(z[static_cast<std::size_t>(c * stride + i)]); };
    const long double truth = at(y[static_cast<std::size_t>(i)]);
    long double top = truth, rest = 0;
    for (Index c = 0; c < classes; ++c) top = std::max(top, at(c));
    bool taken = false;
    for (Index c = 0; c < classes; ++c)
      if (at(c) == top && !taken)
        taken = true;
      else
        rest += std::exp(at(c) - top);
    sum += top - truth + std::log1p(rest);
  }
  return sum;
}

/// Logits of a size, the last samples of which do not count.
template <class T>
void check_losses(const kernel::Forward<T>& kernel, double tolerance) {
  constexpr Index used = 1990, samples = 2000;
  for (const double size : {0., 1e-3, 1., 30., 300.})
    for (const Index classes : {1, 2, 3, 10, 300}) {
      const Vector draw = test::normals(samples * classes, 1);
      std::vector<T> z(static_cast<std::size_t>(samples * classes)), d(z.size());
      for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<T>(size * draw[static_cast<Index>(i)]);
      std::vector<int> y(samples);
      for (std::size_t i = 0; i < y.size(); ++i)
        y[i] = static_cast<int>(i * 7 % static_cast<std::size_t>(std::max<Index>(classes, 2)));
      std::vector<T> both = z;  // one logit is the difference of two
      if (classes == 1) both.insert(both.begin(), static_cast<std::size_t>(samples), 0);
      const auto exact = static_cast<double>(cross_entropy(both, y, used, std::max<Index>(classes, 2), samples));
      const double value = classes == 1
                               ? kernel.logistic(used, samples, z.data(), y.data(), nullptr)
                               : kernel.softmax(used, samples, classes, samples, z.data(), y.data(), nullptr, 0);
      const double beside =
          classes == 1 ? kernel.logistic(used, samples, z.data(), y.data(), d.data())
                       : kernel.softmax(used, samples, classes, samples, z.data(), y.data(), d.data(), samples);
      EXPECT_NEAR(value / exact, 1, tolerance) << kernel.lanes << ' ' << classes << ' ' << size;
      EXPECT_NEAR(beside / exact, 1, tolerance) << kernel.lanes << ' ' << classes << ' ' << size;
    }
}

// Products of many factors overflow if they are not folded in time, and lose what is small if they are kept whole.
TEST(Kernels, SumLogarithmsOverAnyNumberOfSamplesAndClasses) {
  for (const Kernel* kernel : kernels()) {
    check_losses<double>(*kernel, 1e-14);
    check_losses<float>(kernel->single, 1e-6);
    // Every sample is right by far: the losses are e^-50, of which 1 + e^-50 keeps nothing.
    const std::vector<double> sure(1000, -50.);
    const std::vector<int> zeros(1000 + 16);
    EXPECT_NEAR(kernel->logistic(1000, 1000, sure.data(), zeros.data(), nullptr) / (1000 * std::exp(-50.)), 1, 1e-14);
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
