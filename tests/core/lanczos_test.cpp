#include "thalweg/core/lanczos.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

#include "../network.hpp"

namespace thalweg {
namespace {

/// Symmetric with the given eigenvalues.
Matrix with_spectrum(const Vector& eigenvalues, std::uint64_t seed) {
  const Index n = eigenvalues.size();
  const Vector entries = test::normals(n * n, seed);
  const Matrix q = Eigen::HouseholderQR<Matrix>(Eigen::Map<const Matrix>(entries.data(), n, n)).householderQ();
  return q * eigenvalues.asDiagonal() * q.transpose();
}

Operator times(const Matrix& a) {
  return [&a](In x, Out y) { y.noalias() = a * x; };
}

Matrix tridiagonal(const Lanczos& space) {
  const Index k = space.steps();
  Matrix t = space.alpha().asDiagonal();
  for (Index i = 0; i + 1 < k; ++i) t(i, i + 1) = t(i + 1, i) = space.beta()[i];
  return t;
}

// Eigenvalues of size up to one: rounding is 1e-16 times the dimension.
TEST(Lanczos, ReducesASymmetricMatrixToATridiagonalOne) {
  constexpr Index n = 40;
  const Matrix a = with_spectrum(test::normals(n, 1) / 3, 2);
  for (const Index k : {1, 5, 20, 40}) {
    const Lanczos space = lanczos(times(a), test::normals(n, 3), k);
    ASSERT_EQ(space.steps(), k);
    const Matrix v = space.basis(), t = tridiagonal(space);
    EXPECT_LT((v.transpose() * v - Matrix::Identity(k, k)).cwiseAbs().maxCoeff(), 1e-14);
    Matrix residual = a * v - v * t;
    EXPECT_LT(residual.leftCols(k - 1).norm(), 1e-13);
    EXPECT_NEAR(residual.col(k - 1).norm(), space.beta()[k - 1], 1e-13);
  }
}

// Without full orthogonalisation the well separated eigenvalues would appear more than once.
TEST(Lanczos, OfFullLengthFindsEveryEigenvalueOnce) {
  constexpr Index n = 60;
  Vector eigenvalues = Vector::LinSpaced(n, 0, 1);
  eigenvalues.tail<3>() << 10, 100, 1000;
  const Matrix a = with_spectrum(eigenvalues, 4);
  const Lanczos space = lanczos(times(a), test::normals(n, 5), n);
  EXPECT_TRUE(space.exhausted());
  EXPECT_LT((space.ritz().values - eigenvalues).cwiseAbs().maxCoeff(), 1e-11);
}

TEST(Lanczos, BoundsTheErrorOfEveryRitzValue) {
  constexpr Index n = 50;
  const Vector eigenvalues = test::normals(n, 6).array().square();
  const Matrix a = with_spectrum(eigenvalues, 7);
  for (const Index k : {2, 6, 12, 25}) {
    const RitzPairs pairs = lanczos(times(a), test::normals(n, 8), k).ritz();
    for (Index i = 0; i < k; ++i)
      EXPECT_LE((eigenvalues.array() - pairs.values[i]).abs().minCoeff(), pairs.residuals[i] + 1e-13);
  }
}

// A start in the span of three eigenvectors never leaves it.
TEST(Lanczos, StopsInAnInvariantSpace) {
  constexpr Index n = 30;
  Vector eigenvalues = Vector::LinSpaced(n, 0, 1);
  eigenvalues.tail<3>() << 2, 3, 4;
  const Matrix a = with_spectrum(eigenvalues, 9);
  const Eigen::SelfAdjointEigenSolver<Matrix> exact(a);
  const Vector start = exact.eigenvectors().rightCols(3) * Vector::Ones(3);
  Lanczos space = lanczos(times(a), start, n);
  EXPECT_EQ(space.steps(), 3);
  EXPECT_TRUE(space.exhausted());
  EXPECT_FALSE(space.extend(times(a)));
  EXPECT_EQ(space.beta()[2], 0);
  EXPECT_LT((space.ritz().values - eigenvalues.tail<3>()).cwiseAbs().maxCoeff(), 1e-13);
}

TEST(Lanczos, OfZeroIsEmpty) {
  const Matrix a = Matrix::Identity(4, 4);
  const Lanczos space = lanczos(times(a), Vector::Zero(4), 3);
  EXPECT_TRUE(space.exhausted());
  EXPECT_EQ(space.steps(), 0);
  EXPECT_EQ(space.norm(), 0);
}

// M^-1 H is self-adjoint in the inner product of M: its eigenvalues are those of the pencil (H, M).
TEST(Lanczos, WorksInAMetric) {
  constexpr Index n = 20;
  const Matrix h = with_spectrum(test::normals(n, 10), 11);
  const Matrix m = with_spectrum(Vector::LinSpaced(n, 1, 50), 12), raised = m.inverse() * h;
  const Lanczos space = lanczos(times(raised), test::normals(n, 13), n, times(m));
  const Matrix v = space.basis();
  EXPECT_LT((v.transpose() * m * v - Matrix::Identity(n, n)).cwiseAbs().maxCoeff(), 1e-13);
  const Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> exact(h, m);
  EXPECT_LT((space.ritz().values - exact.eigenvalues()).cwiseAbs().maxCoeff(), 1e-13);
}

}  // namespace
}  // namespace thalweg
