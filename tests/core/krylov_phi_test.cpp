#include "thalweg/core/krylov_phi.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>

#include "../network.hpp"
#include "thalweg/core/phi.hpp"

namespace thalweg {
namespace {

constexpr Index n = 60;

/// A = -M^-1 H with H and M definite; phi_k(h A) v through the pencil's eigenvectors, H X = M X Lambda, X'M X = I.
struct Pencil {
  Matrix h, m;
  Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> modes;

  explicit Pencil(double stiffness)
      : h(stiffness * test::definite(n, 1)), m(Matrix::Identity(n, n) + test::definite(n, 2)), modes(h, m) {}

  void apply(In x, Out y) const { y = -m.llt().solve(h * x); }
  void lower(In x, Out mx) const { mx.noalias() = m * x; }
  Vector phi_times(int k, double step, const Vector& v) const {
    const Vector factors = modes.eigenvalues().unaryExpr([=](double l) { return phi(k, -step * l); });
    return modes.eigenvectors() * factors.cwiseProduct(modes.eigenvectors().transpose() * (m * v));
  }
  KrylovPhi krylov(int k, double step, const Vector& v, double tolerance, Index most) const {
    return krylov_phi(
        k, step, [this](In x, Out y) { apply(x, y); }, v, tolerance, most, [this](In x, Out mx) { lower(x, mx); });
  }
  double length(const Vector& x) const { return std::sqrt(x.dot(m * x)); }
};

// The eigenvalues of h A reach from -0.1 h to about -100 h.
TEST(KrylovPhi, KeepsItsErrorBelowTheToleranceAndItsBound) {
  const Pencil pencil(100);
  const Vector v = test::normals(n, 3);
  for (int k = 1; k <= 4; ++k)
    for (const double step : {.01, .1, 1.})
      for (const double tolerance : {1e-2, 1e-6, 1e-10}) {
        const KrylovPhi found = pencil.krylov(k, step, v, tolerance, n);
        const double error = pencil.length(found.value - pencil.phi_times(k, step, v));
        EXPECT_TRUE(found.converged);
        EXPECT_LE(found.error, tolerance);
        EXPECT_LE(error, found.error + 1e-13 * pencil.length(v)) << "phi_" << k << ", h = " << step;
      }
}

// Dimensions grow as the square root of the stiffness, and slowly with the digits (Hochbruck and Lubich 1997).
TEST(KrylovPhi, TakesFewProducts) {
  const Pencil pencil(100);
  const Vector v = test::normals(n, 3);
  EXPECT_LT(pencil.krylov(1, .1, v, 1e-6, n).products, 25);
  EXPECT_LT(pencil.krylov(1, .1, v, 1e-10, n).products, 32);
}

TEST(KrylovPhi, SaysWhenItsSpaceIsTooSmall) {
  const Pencil pencil(100);
  const Vector v = test::normals(n, 3);
  const KrylovPhi found = pencil.krylov(1, 1, v, 1e-10, 10);
  EXPECT_FALSE(found.converged);
  EXPECT_EQ(found.products, 10);
  EXPECT_GT(found.error, 1e-10);
}

TEST(KrylovPhi, OfZeroIsZero) {
  const KrylovPhi found = Pencil(1).krylov(1, 1, Vector::Zero(n), 1e-10, n);
  EXPECT_TRUE(found.value.isZero(0));
  EXPECT_TRUE(found.converged);
  EXPECT_EQ(found.products, 0);
}

}  // namespace
}  // namespace thalweg
