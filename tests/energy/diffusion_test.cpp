#include "thalweg/energy/diffusion.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "../network.hpp"

namespace thalweg {
namespace {

using std::numbers::pi;
using test::dense;
using test::flat_lattice;

__extension__ using Quad = __float128;

/// (I + c K)^-1 b by Gaussian elimination in quadruple precision: I + c K is positive definite and needs no pivots, and
/// with c K up to 1e9 the result keeps 25 digits.
Vector eliminate(const Matrix& k, double c, const Vector& b) {
  const Index n = k.rows();
  Eigen::Matrix<Quad, Eigen::Dynamic, Eigen::Dynamic> a(n, n + 1);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) a(i, j) = (i == j ? Quad(1) : Quad(0)) + Quad(c) * Quad(k(i, j));
    a(i, n) = Quad(b[i]);
  }
  for (Index p = 0; p < n; ++p)
    for (Index i = p + 1; i < n; ++i) {
      const Quad factor = a(i, p) / a(p, p);
      for (Index j = p; factor != 0 && j <= n; ++j) a(i, j) -= factor * a(p, j);
    }
  Vector x(n);
  for (Index i = n; i-- > 0;) {
    for (Index j = i + 1; j < n; ++j) a(i, n) -= a(i, j) * a(j, n);
    a(i, n) /= a(i, i);
    x[i] = static_cast<double>(a(i, n));
  }
  return x;
}

/// The matrix of the graph with these weighted edges: K = sum weight (e_i - e_j)(e_i - e_j)'.
class Graph {
 public:
  explicit Graph(Index n) : k_(Matrix::Zero(n, n)) {}
  void join(Index i, Index j, double weight) {
    k_(i, i) += weight;
    k_(j, j) += weight;
    k_(i, j) -= weight;
    k_(j, i) -= weight;
  }
  const Matrix& laplacian() const { return k_; }

 private:
  Matrix k_;
};

/// Edges between the hidden units that are neighbours, of weight 1/h^2 = n^2.
Matrix neuron_laplacian(const Mlp& model) {
  Graph graph(model.size());
  for (const Layer& l : model.layers()) {
    const auto entry = [&](Index row, Index column) { return l.weights + column * l.outputs + row; };
    const auto n = static_cast<double>(l.outputs), m = static_cast<double>(l.inputs);
    for (Index i = 0; l.hidden_outputs && i + 1 < l.outputs; ++i) {
      for (Index j = 0; j < l.inputs; ++j) graph.join(entry(i, j), entry(i + 1, j), n * n);
      graph.join(l.biases + i, l.biases + i + 1, n * n);
    }
    for (Index j = 0; l.hidden_inputs && j + 1 < l.inputs; ++j)
      for (Index i = 0; i < l.outputs; ++i) graph.join(entry(i, j), entry(i, j + 1), m * m);
  }
  return graph.laplacian();
}

/// The piece of the lattice to which each entry belongs.
std::vector<Index> pieces(const Matrix& k) {
  std::vector<Index> piece(static_cast<std::size_t>(k.rows()), -1);
  const auto flood = [&](auto&& self, Index i, Index label) -> void {
    auto& mark = piece[static_cast<std::size_t>(i)];
    if (mark >= 0) return;
    mark = label;
    for (Index j = 0; j < k.rows(); ++j)
      if (j != i && k(i, j) != 0) self(self, j, label);
  };
  for (Index i = 0; i < k.rows(); ++i) flood(flood, i, i);
  return piece;
}

struct Shape {
  std::vector<Index> hidden;
  Index outputs;
};

using Case = std::tuple<std::string, Shape>;

class LatticeOfEveryKind : public testing::TestWithParam<Case> {
 protected:
  const Mlp model{
      {std::get<1>(GetParam()).hidden, "tanh", "auto", "standard", 0, 0}, 2, std::get<1>(GetParam()).outputs};
  const std::unique_ptr<Lattice> lattice =
      find(lattices(), std::get<0>(GetParam()), "flow.lattice").make(model.layers(), model.size(), 7);
  const Matrix k = dense(*lattice);
};

TEST_P(LatticeOfEveryKind, IsSymmetricAndPositiveSemidefinite) {
  EXPECT_EQ(lattice->size(), model.size());
  EXPECT_EQ(k, k.transpose());
  // Weyl: the rounding of the matrix moves an eigenvalue by its norm times 1e-16 and the dimension.
  const Vector spectrum = k.selfadjointView<Eigen::Lower>().eigenvalues();
  EXPECT_GE(spectrum.minCoeff(), -1e-14 * spectrum.maxCoeff());
}

TEST_P(LatticeOfEveryKind, AppliesItsMatrix) {
  const Vector y = test::normals(model.size(), 1);
  Vector ky = Vector::Constant(y.size(), NAN);
  lattice->apply(y, ky);
  EXPECT_LE((ky - k * y).cwiseAbs().maxCoeff(), 1e-14 * k.cwiseAbs().rowwise().sum().maxCoeff());
}

// Integer entries: exactly.
TEST_P(LatticeOfEveryKind, AnnulsConstantsOnEveryPiece) {
  const auto piece = pieces(k);
  for (Index label = 0; label < k.rows(); ++label) {
    Vector constant = Vector::Zero(k.rows()), image = constant;
    for (Index i = 0; i < k.rows(); ++i) constant[i] = piece[static_cast<std::size_t>(i)] == label ? 1 : 0;
    lattice->apply(constant, image);
    EXPECT_TRUE(image.isZero(0));
  }
}

TEST_P(LatticeOfEveryKind, SolvesWhatItApplies) {
  const Vector b = test::normals(model.size(), 2);
  for (const double c : {0., 1e-3, 1., 1e3, 1e6}) {
    Vector x = b;
    lattice->solve(c, x);
    EXPECT_LT(test::distance(x, eliminate(k, c, b)), 1e-12) << "c = " << c;
  }
}

TEST_P(LatticeOfEveryKind, KnowsItsSpectrum) {
  Vector known = lattice->eigenvalues(), computed = k.selfadjointView<Eigen::Lower>().eigenvalues();
  std::sort(known.begin(), known.end());
  std::sort(computed.begin(), computed.end());
  ASSERT_EQ(known.size(), computed.size());
  EXPECT_LE((known - computed).cwiseAbs().maxCoeff(), 1e-13 * std::max(1., computed.maxCoeff()));
}

/// f(K) x through dense eigenvectors.
Vector through_eigenvectors(const Matrix& k, const std::function<double(double)>& f, const Vector& x) {
  const Eigen::SelfAdjointEigenSolver<Matrix> modes(k);
  const Vector factors = modes.eigenvalues().unaryExpr(f);
  return modes.eigenvectors() * factors.cwiseProduct(modes.eigenvectors().transpose() * x);
}

// The dense eigenvalues, up to 200, are right to 1e-13, which the slopes of these functions (at most 0.3) pass on.
TEST_P(LatticeOfEveryKind, TransformsByFunctionsOfItsMatrix) {
  const Vector b = test::normals(model.size(), 5);
  const std::function<double(double)> functions[] = {[](double l) { return std::exp(-.3 * l); },
                                                     [](double l) { return std::cos(.1 * l); },
                                                     [](double l) { return 1 / (2 + .2 * l); }};
  for (const auto& f : functions) {
    Vector x = b;
    lattice->transform(f, x);
    EXPECT_LT((x - through_eigenvectors(k, f, b)).cwiseAbs().maxCoeff(), 2e-13);
  }
}

std::string title(const testing::TestParamInfo<Case>& kind) {
  const auto& [name, shape] = kind.param;
  std::string text = name + "_2";
  for (const Index n : shape.hidden) text += "_" + std::to_string(n);
  return text + "_" + std::to_string(shape.outputs);
}

INSTANTIATE_TEST_SUITE_P(Table, LatticeOfEveryKind,
                         testing::Combine(testing::ValuesIn(names(lattices())),
                                          testing::Values(Shape{{}, 1}, Shape{{1}, 1}, Shape{{2}, 3}, Shape{{5}, 1},
                                                          Shape{{5, 2}, 1}, Shape{{1, 5}, 2}, Shape{{2, 5, 1}, 1},
                                                          Shape{{5, 5, 2}, 3}, Shape{{5}, 9})),
                         title);

TEST(NeuronLattice, IsMinusTheSecondDifferenceOverHiddenUnits) {
  for (const auto& hidden : std::vector<std::vector<Index>>{{}, {1}, {5}, {5, 2}, {2, 5, 5}}) {
    const test::Network net({hidden, "tanh", "auto", "standard", 0, 0}, 3, 3);
    EXPECT_EQ(dense(*net.lattice), neuron_laplacian(net.model));
  }
}

// Lengths with small prime factors, with one large one, and primes; the solve is exact to 1e-15.
TEST(FlatLattice, TransformsLinesOfEveryLength) {
  for (const std::string name : {"chain", "ring", "permuted"})
    for (const Index n : {1, 2, 3, 30, 99, 101, 128, 202, 509, 1185, 2 * 3 * 5 * 7 * 11, 4481}) {
      const auto lattice = flat_lattice(name, n);
      const Vector b = test::normals(n, 6);
      Vector solved = b, transformed = b;
      lattice->solve(3, solved);
      lattice->transform([](double l) { return 1 / (1 + 3 * l); }, transformed);
      EXPECT_LT((transformed - solved).cwiseAbs().maxCoeff(), 1e-14) << name << " of " << n;
    }
}

TEST(ChainLattice, JoinsNeighboursOfTheFlatVector) {
  Graph graph(6);
  for (Index i = 0; i + 1 < 6; ++i) graph.join(i, i + 1, 1);
  EXPECT_EQ(dense(*flat_lattice("chain", 6)), graph.laplacian());
}

TEST(ChainLattice, OfOnePointIsZero) {
  EXPECT_EQ(dense(*flat_lattice("chain", 1)), Matrix::Zero(1, 1));
  EXPECT_EQ(flat_lattice("chain", 1)->eigenvalues(), Vector::Zero(1));
}

TEST(RingLattice, JoinsTheEndsOfTheChain) {
  Graph graph(6);
  for (Index i = 0; i < 6; ++i) graph.join(i, (i + 1) % 6, 1);
  EXPECT_EQ(dense(*flat_lattice("ring", 6)), graph.laplacian());
}

// Going round, two points meet twice and one point meets itself.
TEST(RingLattice, OfFewPointsIsTheQuotientOfTheLine) {
  EXPECT_EQ(dense(*flat_lattice("ring", 1)), Matrix::Zero(1, 1));
  EXPECT_EQ(dense(*flat_lattice("ring", 2)), (Matrix{{2, -2}, {-2, 2}}));
  EXPECT_EQ(dense(*flat_lattice("ring", 3)), (Matrix{{2, -1, -1}, {-1, 2, -1}, {-1, -1, 2}}));
  for (const Index n : {1, 2, 3})
    for (const double c : {1e-3, 1., 1e6}) {
      const auto ring = flat_lattice("ring", n);
      const Vector b = test::normals(n, 3);
      Vector x = b;
      ring->solve(c, x);
      EXPECT_LT(test::distance(x, eliminate(dense(*ring), c, b)), 1e-12) << n << " points, c = " << c;
    }
}

TEST(PermutedLattice, IsOneRingInAnotherOrder) {
  constexpr Index n = 30;
  const Matrix k = dense(*flat_lattice("permuted", n));
  EXPECT_EQ(k.diagonal(), Vector::Constant(n, 2));
  EXPECT_EQ((k.array() == -1).rowwise().count().cast<int>().matrix(), Eigen::VectorXi::Constant(n, 2));
  EXPECT_EQ(pieces(k), std::vector<Index>(n, 0));
  EXPECT_NE(k, dense(*flat_lattice("ring", n)));
}

TEST(PermutedLattice, IsAFunctionOfTheSeed) {
  const auto& row = find(lattices(), "permuted", "flow.lattice");
  EXPECT_EQ(dense(*row.make({}, 20, 1)), dense(*row.make({}, 20, 1)));
  EXPECT_NE(dense(*row.make({}, 20, 1)), dense(*row.make({}, 20, 2)));
}

// Osher et al. 2018: I + sigma K on a ring of m points has the eigenvalues 1 + 2 sigma (1 - cos(2 pi k/m)).
TEST(RingLattice, HasTheSpectrumOfTheCirculantMatrix) {
  constexpr Index m = 12;
  const Vector spectrum = flat_lattice("ring", m)->eigenvalues();
  for (Index k = 0; k < m; ++k)
    EXPECT_NEAR(spectrum[k], 2 * (1 - std::cos(2 * pi * static_cast<double>(k) / m)), 1e-14);
}

// The mean of a hundred entries of size one, each rounded some ten times at 1e-16 on its way.
TEST(LatticeSolve, PreservesTheMean) {
  for (const std::string name : {"chain", "ring", "permuted"})
    for (const double c : {.1, 1., 1e3, 1e6, 1e9}) {
      Vector x = test::normals(100, 4);
      const double mean = x.mean();
      flat_lattice(name, 100)->solve(c, x);
      EXPECT_NEAR(x.mean(), mean, 5e-15) << name << " c = " << c;
    }
}

// Independent entries of variance one have after smoothing the variance trace (I + s K)^-2/m. On a ring all rows are
// alike, so that it is the squared length of one column; the sum over the ring differs from the integral over the
// circle by r^m with r < 0.5.
TEST(LatticeSolve, ShrinksVarianceOnARingByItsClosedForm) {
  for (const double s : {.1, .5, 1.}) {
    Vector column = Vector::Unit(200, 0);
    flat_lattice("ring", 200)->solve(s, column);
    const double trace = (1 + s * flat_lattice("ring", 200)->eigenvalues().array()).square().inverse().mean();
    const double factor = (1 + 2 * s) / std::pow(1 + 4 * s, 1.5);
    EXPECT_NEAR(column.squaredNorm(), factor, 1e-15);
    EXPECT_NEAR(trace, factor, 1e-15);
    if (s == 1) {
      EXPECT_NEAR(factor, .268328, 5e-7);
    }
  }
}

}  // namespace
}  // namespace thalweg
