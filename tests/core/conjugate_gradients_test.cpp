#include "thalweg/core/conjugate_gradients.hpp"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>

#include "../network.hpp"

namespace thalweg {
namespace {

constexpr Index n = 30;

Operator times(const Matrix& a) {
  return [&a](In x, Out y) { y.noalias() = a * x; };
}

const Matrix a = test::definite(n, 1), m = Matrix::Identity(n, n) + test::definite(n, 2);
const Matrix raised = m.llt().solve(a);

// The eigenvalues lie in [0.1, 1.1]: the error is at most ten times the residual.
TEST(ConjugateGradients, SolveToTheirTolerance) {
  const Vector b = test::normals(n, 3), exact = a.llt().solve(b);
  for (const double tolerance : {1e-2, 1e-6, 1e-12}) {
    const LinearSolve found = conjugate_gradients(times(a), b, tolerance, 100);
    EXPECT_TRUE(found.converged);
    EXPECT_LE((found.x - exact).norm(), 10 * tolerance * b.norm());
  }
}

// M^-1 A is not symmetric, and conjugate gradients without the metric go astray on it.
TEST(ConjugateGradients, SolveInAMetric) {
  const Vector b = test::normals(n, 3), exact = a.llt().solve(m * b);
  const LinearSolve found = conjugate_gradients(times(raised), b, 1e-12, 100, {}, times(m));
  EXPECT_TRUE(found.converged);
  EXPECT_LE((found.x - exact).norm(), 1e-10 * exact.norm());
}

TEST(ConjugateGradients, NeedOneProductWithAPerfectPreconditioner) {
  const Matrix inverse = raised.inverse();
  const LinearSolve found =
      conjugate_gradients(times(raised), test::normals(n, 3), 1e-10, 100, times(inverse), times(m));
  EXPECT_TRUE(found.converged);
  EXPECT_EQ(found.products, 1);
}

TEST(ConjugateGradients, NoticeNegativeCurvature) {
  const Matrix shifted = a - .5 * Matrix::Identity(n, n);
  const LinearSolve found = conjugate_gradients(times(shifted), test::normals(n, 3), 1e-10, 100);
  EXPECT_TRUE(found.indefinite);
  EXPECT_FALSE(found.converged);
}

TEST(ConjugateGradients, StopAtTheirLimitAndNeedNothingForZero) {
  EXPECT_FALSE(conjugate_gradients(times(a), test::normals(n, 3), 1e-12, 3).converged);
  const LinearSolve nothing = conjugate_gradients(times(a), Vector::Zero(n), 1e-12, 3);
  EXPECT_TRUE(nothing.converged);
  EXPECT_EQ(nothing.products, 0);
}

}  // namespace
}  // namespace thalweg
