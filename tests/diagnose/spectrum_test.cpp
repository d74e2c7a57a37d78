#include "thalweg/diagnose/spectrum.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include "../network.hpp"

namespace thalweg {
namespace {

SymmetricMap map_of(const Matrix& a) {
  return {a.rows(), [a](const Matrix& x, Matrix& ax) { ax.noalias() = a * x; }};
}

Matrix orthogonal(Index n, std::uint64_t seed) {
  const Vector entries = test::normals(n * n, seed);
  return Eigen::HouseholderQR<Matrix>(Eigen::Map<const Matrix>(entries.data(), n, n)).householderQ();
}

/// A symmetric matrix with these eigenvalues.
Matrix with_spectrum(const Vector& values, std::uint64_t seed) {
  const Matrix q = orthogonal(values.size(), seed);
  return q * values.asDiagonal() * q.transpose();
}

EigenSettings asking(int count, SpectrumEnd end = SpectrumEnd::top) {
  EigenSettings settings;
  settings.count = count;
  settings.end = end;
  return settings;
}

/// The network of 337 parameters on which everything dense is still cheap, partly trained.
struct Trained {
  test::Network net{{.hidden = {16, 16}}, 2, 60};
  Vector theta = net.model.start(3);
  Matrix dense;

  Trained() {
    Vector g(theta.size());
    for (int step = 0; step < 200; ++step) {
      net.risk.gradient(theta, {}, g);
      theta -= .2 * g;
    }
    net.risk.hvps(theta, {}, Matrix::Identity(theta.size(), theta.size()), dense);
  }
  Vector eigenvalues() const { return Eigen::SelfAdjointEigenSolver<Matrix>(dense).eigenvalues(); }
};

TEST(Eigenpairs, OfANetworkAreThoseOfItsDenseHessian) {
  const Trained t;
  ASSERT_EQ(t.theta.size(), 337);
  const Vector exact = t.eigenvalues();
  for (const SpectrumEnd end : {SpectrumEnd::top, SpectrumEnd::bottom}) {
    const Eigenpairs pairs = eigenpairs(hessian(t.net.risk, t.theta), asking(5, end));
    ASSERT_EQ(pairs.values.size(), 5);
    EXPECT_TRUE(pairs.complete);
    for (Index k = 0; k < 5; ++k) {
      EXPECT_NEAR(pairs.values[k], end == SpectrumEnd::top ? exact[336 - k] : exact[k], 1e-8) << k;
      EXPECT_LT(pairs.residuals[k], 1e-8 * exact.cwiseAbs().maxCoeff());
      const Vector v = pairs.vectors.col(k);
      EXPECT_NEAR((t.dense * v - pairs.values[k] * v).norm(), pairs.residuals[k], 1e-10);
    }
    // Krylov-Schur keeps its basis orthonormal to rounding.
    EXPECT_LT((pairs.vectors.transpose() * pairs.vectors - Matrix::Identity(5, 5)).norm(), 1e-12);
    EXPECT_LT(pairs.products, 337);
  }
}

// Three copies of a neuron: exchanges of the copies map eigenvectors to eigenvectors, so that the group's
// two-dimensional representation brings double eigenvalues, which one start vector sees once.
TEST(Eigenpairs, AreFoundAsOftenAsTheyRepeatWithDuplicatedNeurons) {
  const test::Network net({.hidden = {30}}, 2, 40);
  Vector theta = net.model.start(1);
  for (const Layer& l : net.model.layers()) {
    Eigen::Map<Matrix> w(theta.data() + l.weights, l.outputs, l.inputs);
    for (Index copy = 1; copy < 3; ++copy)
      for (Index unit = 0; unit < 10; ++unit) {
        if (l.hidden_outputs) {
          w.row(copy * 10 + unit) = w.row(unit);
          theta[l.biases + copy * 10 + unit] = theta[l.biases + unit];
        }
        if (l.hidden_inputs) w.col(copy * 10 + unit) = w.col(unit);
      }
  }
  Matrix dense;
  net.risk.hvps(theta, {}, Matrix::Identity(theta.size(), theta.size()), dense);
  const Vector exact = Eigen::SelfAdjointEigenSolver<Matrix>(dense).eigenvalues();
  const Index n = exact.size();
  const Eigenpairs pairs = eigenpairs(hessian(net.risk, theta), asking(12));
  int repeated = 0;
  for (Index k = 0; k < 12; ++k) {
    EXPECT_NEAR(pairs.values[k], exact[n - 1 - k], 1e-8) << k;
    repeated += exact[n - 1 - k] - exact[n - 2 - k] < 1e-10;
  }
  EXPECT_GE(repeated, 2);
}

TEST(Eigenpairs, ThatRepeatAreFoundAsOftenAsTheyDo) {
  Vector values = Vector::LinSpaced(200, -1, 1);
  values.tail(4).setConstant(3);
  values.head(3).setConstant(-2);
  const Matrix a = with_spectrum(values, 2);
  const Eigenpairs top = eigenpairs(map_of(a), asking(6)),
                   bottom = eigenpairs(map_of(a), asking(4, SpectrumEnd::bottom));
  for (Index k = 0; k < 4; ++k) EXPECT_NEAR(top.values[k], 3, 1e-12);
  EXPECT_NEAR(top.values[4], values[195], 1e-12);
  for (Index k = 0; k < 3; ++k) EXPECT_NEAR(bottom.values[k], -2, 1e-12);
  EXPECT_NEAR(bottom.values[3], values[3], 1e-12);
}

TEST(Eigenpairs, OfZeroAreZero) {
  const Eigenpairs pairs = eigenpairs(map_of(Matrix::Zero(100, 100)), asking(3));
  ASSERT_EQ(pairs.values.size(), 3);
  EXPECT_EQ(pairs.values.cwiseAbs().maxCoeff(), 0);
  EXPECT_EQ(pairs.residuals.maxCoeff(), 0);
}

TEST(Eigenpairs, OfAFewParametersAreAllThereAre) {
  const Matrix a = with_spectrum(Vector{{-3, 1}}, 1);
  const Eigenpairs pairs = eigenpairs(map_of(a), asking(2));
  EXPECT_NEAR(pairs.values[0], 1, 1e-14);
  EXPECT_NEAR(pairs.values[1], -3, 1e-14);
  EXPECT_THROW(eigenpairs(map_of(a), asking(3)), std::invalid_argument);
}

TEST(Eigenpairs, InAMetricSolveTheGeneralisedProblem) {
  const Index n = 150;
  const Matrix a = with_spectrum(Vector::LinSpaced(n, -4, 10), 5);
  const auto lattice = test::flat_lattice("ring", n);
  const MetricMap metric = sobolev_metric(*lattice, 2, 2);
  const Matrix root = Matrix::Identity(n, n) + 2 * test::dense(*lattice), m = root * root;
  const Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> exact(a, m);
  for (const SpectrumEnd end : {SpectrumEnd::top, SpectrumEnd::bottom}) {
    const Eigenpairs pairs = eigenpairs(map_of(a), asking(4, end), &metric);
    for (Index k = 0; k < 4; ++k) {
      EXPECT_NEAR(pairs.values[k], exact.eigenvalues()[end == SpectrumEnd::top ? n - 1 - k : k], 1e-8);
      EXPECT_NEAR(pairs.vectors.col(k).dot(m * pairs.vectors.col(k)), 1, 1e-10);
      EXPECT_LT(pairs.residuals[k], 1e-6);  // |M| = 81 scales a residual of M^-1 A
    }
  }
}

// The sixth eigenvalue is nearer to the fifth than a coarse search can tell.
TEST(Eigenpairs, AreNotConfusedByACloseNeighbour) {
  Vector values = Vector::LinSpaced(300, -1e-3, 1e-3);
  for (const double gap : {1e-1, 1e-3, 1e-6}) {
    values.tail(6) << 1 - gap, 1, 2, 3, 4, 5;
    const Eigenpairs pairs = eigenpairs(map_of(with_spectrum(values, 3)), asking(5));
    for (Index k = 0; k < 5; ++k) EXPECT_NEAR(pairs.values[k], 5. - static_cast<double>(k), 1e-12) << gap;
  }
}

TEST(Eigenpairs, OfANearbyMatrixSaveProducts) {
  const Trained t;
  const SymmetricMap map = hessian(t.net.risk, t.theta);
  const Eigenpairs cold = eigenpairs(map, asking(3));
  const Eigenpairs warm =
      eigenpairs(hessian(t.net.risk, t.theta + Vector::Constant(337, 1e-6)), asking(3), nullptr, cold.vectors);
  EXPECT_LT(warm.products, cold.products);
  EXPECT_NEAR(warm.values[0], cold.values[0], 1e-3);
}

// The Gauss-Newton matrix by its definition, through the Jacobian of the logits by central differences: h^2 and
// 1e-16/h.
TEST(GaussNewton, IsTheHessianOfTheLossSeenThroughTheJacobian) {
  for (const int classes : {2, 3}) {
    const test::Network net({.hidden = {5}, .activation = "sigmoid", .weight_decay = .3}, classes, 9);
    const Vector theta = net.model.start(2);
    const Matrix z = net.model.predict(theta, net.samples.x);
    Matrix expected = .3 * Matrix::Identity(theta.size(), theta.size());
    std::vector<Matrix> slopes;
    constexpr double h = 1e-5;
    for (Index p = 0; p < theta.size(); ++p) {
      const Vector e = Vector::Unit(theta.size(), p);
      slopes.push_back(
          (net.model.predict(theta + h * e, net.samples.x) - net.model.predict(theta - h * e, net.samples.x)) /
          (2 * h));
    }
    for (Index i = 0; i < z.rows(); ++i) {
      Matrix jacobian(z.cols(), theta.size());
      for (Index p = 0; p < theta.size(); ++p) jacobian.col(p) = slopes[static_cast<std::size_t>(p)].row(i);
      Matrix bend;
      if (z.cols() == 1) {
        const double s = 1 / (1 + std::exp(-z(i, 0)));
        bend = Matrix::Constant(1, 1, s * (1 - s));
      } else {
        const Vector e = z.row(i).array().exp(), s = e / e.sum();
        bend = Matrix(s.asDiagonal()) - s * s.transpose();
      }
      expected += jacobian.transpose() * bend * jacobian / 9.;
    }
    Matrix g;
    gauss_newton(net.risk, theta).apply(Matrix::Identity(theta.size(), theta.size()), g);
    EXPECT_LT((g - expected).norm() / expected.norm(), 1e-8) << classes;
  }
}

}  // namespace
}  // namespace thalweg
