#include "thalweg/energy/diffusion.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "../model/kernel.hpp"
#include "line_spectrum.hpp"
#include "square_solve.hpp"
#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

/// Scratch memory, one a thread, so that lattices stay const and solves allocate nothing; no result depends on it.
double* scratch(Index size) {
  thread_local std::vector<double> memory;
  if (static_cast<Index>(memory.size()) < size) memory.resize(static_cast<std::size_t>(size));
  return memory.data();
}

/// I + c K on a line factors as (c/r)(1 - r S)(1 - r S') with the shift S and the root r < 1 of
/// c r^2 - (1 + 2 c) r + c = 0: two first-order recursions (Unser, Aldroubi, Eden 1993 for splines).
struct Recursion {
  double pole, gain;

  explicit Recursion(double c) {
    // r = 2c/((1 + 2c) + sqrt(1 + 4c)) is free of cancellation.
    pole = 2 * c / (1 + 2 * c + std::sqrt(1 + 4 * c));
    // Equals r/c, and in this form keeps constants to rounding whatever the rounding of r.
    gain = (1 - pole) * (1 - pole);
  }
};

/// Entries x[0], x[stride], ... of one field along a line of `n` points.
struct Line {
  double* x;
  Index n, stride;

  double& operator[](Index i) const { return x[i * stride]; }
};

/// K y on a line with Neumann ends: y_i - y_{i-1} + y_i - y_{i+1}, neighbours that are missing left out.
void add_path_laplacian(Index n, Index stride, double weight, const double* y, double* ky) {
  for (Index i = 0; i + 1 < n; ++i) {
    const double flux = weight * (y[i * stride] - y[(i + 1) * stride]);
    ky[i * stride] += flux;
    ky[(i + 1) * stride] -= flux;
  }
}

/// Terms r^k below this share of the first no longer change a double.
Index terms(double pole, Index most) {
  if (pole == 0) return 1;
  return std::min(most, static_cast<Index>(std::ceil(std::log(1e-18) / std::log(pole))) + 1);
}

/// x_i <- x_i + r x_{i-1} with x_{-1} = before. Each of eight segments begins with what the few entries before it have
/// become, so that the eight chains run side by side instead of waiting for their own additions.
void recur(double r, double before, Line x) {
  constexpr int segments = 8;
  const Index length = x.n / segments, few = terms(r, x.n);
  Index done = 0;
  if (few <= length) {
    using Chains = Eigen::Array<double, segments, 1>;
    using Across = Eigen::Map<Chains, 0, Eigen::InnerStride<>>;
    const Eigen::InnerStride<> apart(length * x.stride);
    Chains carry = Chains::Zero();
    for (Index k = few; k > 0; --k) {
      const Eigen::Map<Eigen::Array<double, segments - 1, 1>, 0, Eigen::InnerStride<>> row(&x[length - k], apart);
      carry.tail<segments - 1>() = row + r * carry.tail<segments - 1>();
    }
    carry[0] = before;
    for (Index i = 0; i < length; ++i) {
      Across row(&x[i], apart);
      row = carry = row + r * carry;
    }
    done = segments * length;
    before = carry[segments - 1];
  }
  for (Index i = done; i < x.n; ++i) before = x[i] += r * before;
}

Line reversed(Line x) { return {&x[x.n - 1], x.n, -x.stride}; }

void scale(double factor, Line x) {
  for (Index i = 0; i < x.n; ++i) x[i] *= factor;
}

/// (I + c K)^-1 on a path: the even extension across both ends makes it a ring of 2 n points.
void solve_path(double c, Line x) {
  if (c == 0 || x.n == 1) return;
  const auto [r, gain] = Recursion(c);
  const Index n = x.n, few = terms(r, n);
  double before = 0, power = 1;
  for (Index k = 0; k < few; ++k, power *= r) before += power * x[k];
  if (few == n) {
    for (Index k = n; k-- > 0; power *= r) before += power * x[k];
    before /= 1 - power;
  }
  recur(r, before, x);
  recur(r, x[n - 1] / (1 - r), reversed(x));
  scale(gain, x);
}

/// Where a line lies in an array.
struct Place {
  Index first, stride;
};

/// Lines of as many points each, solved eight at a time: their recursions run side by side.
struct Bundle {
  static constexpr Index most = 8;

  Index points;
  std::vector<Place> lines;
};

/// solve_path on up to eight lines of `data`; `memory` holds their points.
void solve_paths(double c, Index n, std::span<const Place> lines, double* data, double* memory) {
  if (c == 0 || n == 1) return;
  using Points = Eigen::Array<double, Bundle::most, 1>;
  Eigen::Map<Eigen::Array<double, Bundle::most, Eigen::Dynamic>> x(memory, Bundle::most, n);
  x.setZero();
  for (std::size_t l = 0; l < lines.size(); ++l)
    for (Index i = 0; i < n; ++i) x(static_cast<Index>(l), i) = data[lines[l].first + i * lines[l].stride];
  const auto [r, gain] = Recursion(c);
  const Index few = terms(r, n);
  Points before = Points::Zero(), behind = Points::Zero();
  double power = 1;
  for (Index k = 0; k < few; ++k, power *= r) {
    before += power * x.col(k);
    if (few == n) behind += power * x.col(n - 1 - k);
  }
  if (few == n) before = (before + power * behind) / (1 - power * power);
  // Two entries at a time, the second from the same carry as the first: a step waits for half as many operations.
  const double square = r * r;
  Index k = 0;
  for (; k + 1 < n; k += 2) {
    const Points first = x.col(k), pair = x.col(k + 1) + r * first;
    x.col(k) = first + r * before;
    x.col(k + 1) = before = pair + square * before;
  }
  if (k < n) x.col(k) = before = x.col(k) + r * before;
  before /= 1 - r;
  for (k = n; k >= 2; k -= 2) {
    const Points first = x.col(k - 1), pair = x.col(k - 2) + r * first;
    x.col(k - 1) = gain * (first + r * before);
    before = pair + square * before;
    x.col(k - 2) = gain * before;
  }
  if (k > 0) x.col(0) = gain * (x.col(0) + r * before);
  for (std::size_t l = 0; l < lines.size(); ++l)
    for (Index i = 0; i < n; ++i) data[lines[l].first + i * lines[l].stride] = x(static_cast<Index>(l), i);
}

/// sum_k r^k x[n - 1 - k] of the line continued periodically: what comes before its first entry.
double periodic_sum(double r, Line x) {
  const Index few = terms(r, x.n);
  double sum = 0, power = 1;
  for (Index k = 0; k < few; ++k, power *= r) sum += power * x[x.n - 1 - k];
  // Where few terms are enough, what the next turn would add is lost in rounding.
  return few < x.n ? sum : sum / (1 - std::pow(r, static_cast<double>(x.n)));
}

/// (I + c K)^-1 on a ring: both recursions start from their own periodic sum.
void solve_ring(double c, Line x) {
  if (c == 0) return;
  const auto [r, gain] = Recursion(c);
  recur(r, periodic_sum(r, x), x);
  recur(r, periodic_sum(r, reversed(x)), reversed(x));
  scale(gain, x);
}

/// Eigenvalues 2 - 2 cos(pi j/n), j < n, of the path's K; the vectors are cosines (DCT-II).
double path_eigenvalue(Index j, Index n) {
  const double s = std::sin(std::numbers::pi * static_cast<double>(j) / (2 * static_cast<double>(n)));
  return 4 * s * s;
}

/// f at the path's eigenvalues times `weight`.
Vector path_factors(const std::function<double(double)>& f, Index n, double weight) {
  return Vector::NullaryExpr(n, [&](Index j) { return f(weight * path_eigenvalue(j, n)); });
}

/// Orthonormal DCT-II: column j is cos(pi j (i + 1/2)/n).
Matrix cosine_basis(Index n) {
  Matrix q(n, n);
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < n; ++i)
      q(i, j) =
          std::cos(std::numbers::pi * static_cast<double>(j) * (static_cast<double>(i) + .5) / static_cast<double>(n)) *
          std::sqrt((j == 0 ? 1 : 2) / static_cast<double>(n));
  return q;
}

/// Every array with a hidden axis of n units is a field on the cell-centred grid s_i = (i + 1/2)/n: second
/// differences over h^2 = 1/n^2 along each hidden axis, Neumann ends.
class NeuronLattice final : public Lattice {
 public:
  NeuronLattice(std::span<const Layer> layers, Index size) : size_(size) {
    for (const Layer& l : layers) {
      fields_.push_back({l.weights, l.outputs, l.inputs, l.hidden_outputs, l.hidden_inputs, {}, {}, {}, {}});
      if (l.hidden_inputs && l.hidden_outputs) diagonalise(fields_.back());
      fields_.push_back({l.biases, l.outputs, 1, l.hidden_outputs, false, {}, {}, {}, {}});
    }
    for (const Field& f : fields_)
      if (f.over_rows != f.over_columns) bundle(f);
  }

  Index size() const override { return size_; }

  void apply(In y, Out ky) const override {
    ky.setZero();
    for (const Field& f : fields_) {
      const double* from = y.data() + f.offset;
      double* to = ky.data() + f.offset;
      if (f.over_rows)
        for (Index j = 0; j < f.columns; ++j)
          add_path_laplacian(f.rows, 1, squared(f.rows), from + j * f.rows, to + j * f.rows);
      if (f.over_columns)
        for (Index i = 0; i < f.rows; ++i) add_path_laplacian(f.columns, f.rows, squared(f.columns), from + i, to + i);
    }
  }

  void solve(double c, Out x) const override {
    for (const Field& f : fields_)
      if (f.square)
        f.square->solve(c * squared(f.rows), c * squared(f.columns), x.data() + f.offset, scratch(f.square->scratch()));
    for (const Bundle& b : bundles_)
      solve_paths(c * squared(b.points), b.points, b.lines, x.data(), scratch(Bundle::most * b.points));
  }

  void transform(const std::function<double(double)>& f, Out x) const override {
    for (const Field& field : fields_) {
      double* data = x.data() + field.offset;
      const Index n = field.rows, m = field.columns;
      if (field.over_rows && field.over_columns) {
        in_modes(field, data, [&](auto modes) { modes *= field.eigenvalues.unaryExpr(f); });
      } else if (field.over_rows) {
        const Vector factors = path_factors(f, n, squared(n));
        for (Index j = 0; j < m; ++j) transform_path(factors.data(), n, 1, data + j * n);
      } else if (field.over_columns) {
        const Vector factors = path_factors(f, m, squared(m));
        for (Index i = 0; i < n; ++i) transform_path(factors.data(), m, n, data + i);
      } else {
        scale(f(0), {data, n * m, 1});
      }
    }
  }

  Vector eigenvalues() const override {
    Vector all(size_);
    for (const Field& f : fields_)
      for (Index j = 0; j < f.columns; ++j)
        for (Index i = 0; i < f.rows; ++i) all[f.offset + j * f.rows + i] = eigenvalue(f, i, j);
    return all;
  }

 private:
  struct Field {
    Index offset, rows, columns;
    bool over_rows, over_columns;
    Matrix row_basis, column_basis;
    std::optional<SquareSolve> square;
    Eigen::ArrayXd eigenvalues;  // of the modes as in_modes lays them out; where both axes count hidden units
  };

  /// Adds the lines of a field with one axis of hidden units to the bundles.
  void bundle(const Field& f) {
    const Index points = f.over_rows ? f.rows : f.columns;
    for (Index k = 0; k < (f.over_rows ? f.columns : f.rows); ++k) {
      auto open = std::ranges::find_if(
          bundles_, [&](const Bundle& b) { return b.points == points && std::ssize(b.lines) < Bundle::most; });
      if (open == bundles_.end()) open = bundles_.insert(open, {points, {}});
      open->lines.push_back(f.over_rows ? Place{f.offset + k * f.rows, 1} : Place{f.offset + k, f.rows});
    }
  }

  static void diagonalise(Field& f) {
    f.square.emplace(f.rows, f.columns);
    f.row_basis = cosine_basis(f.rows);
    f.column_basis = cosine_basis(f.columns);
    const Index width = padded(f.columns);
    f.eigenvalues.setZero(f.rows * width);
    for (Index i = 0; i < f.rows; ++i)
      for (Index j = 0; j < f.columns; ++j) f.eigenvalues[i * width + j] = eigenvalue(f, i, j);
  }

  static double squared(Index n) { return static_cast<double>(n) * static_cast<double>(n); }

  static double eigenvalue(const Field& f, Index i, Index j) {
    return (f.over_rows ? squared(f.rows) * path_eigenvalue(i, f.rows) : 0) +
           (f.over_columns ? squared(f.columns) * path_eigenvalue(j, f.columns) : 0);
  }

  /// Fast diagonalisation (Lynch, Rice, Thomas 1964): X <- Q_R [change(Q_R' X Q_C)] Q_C'. Each factor acts from the
  /// right on an array whose contiguous index waits, so the array is transposed in between.
  template <class Change>
  static void in_modes(const Field& f, double* data, Change change) {
    const Index n = f.rows, m = f.columns, wide_n = padded(n), wide_m = padded(m);
    double* x = scratch(2 * wide_n * wide_m);
    double* y = x + wide_n * wide_m;
    for (Index j = 0; j < m; ++j) {
      std::copy_n(data + j * n, n, x + j * wide_n);
      std::fill_n(x + j * wide_n + n, wide_n - n, 0);
    }
    multiply(f.column_basis, true, x, wide_n, y);
    transpose(y, m, n, wide_n, x, wide_m);
    multiply(f.row_basis, true, x, wide_m, y);
    change(Eigen::Map<Eigen::ArrayXd>(y, n * wide_m));
    multiply(f.row_basis, false, y, wide_m, x);
    transpose(x, n, m, wide_m, y, wide_n);
    multiply(f.column_basis, false, y, wide_n, x);
    for (Index j = 0; j < m; ++j) std::copy_n(x + j * wide_n, n, data + j * n);
  }

  static Index padded(Index n) {
    const Index lanes = kernel::best().lanes;
    return (n + lanes - 1) / lanes * lanes;
  }

  /// Row i of y <- sum_k q(k, i) x_k (to modes) or sum_k q(i, k) x_k (back), for rows of `width` values.
  static void multiply(const Matrix& q, bool to_modes, const double* x, Index width, double* y) {
    const Index n = q.rows();
    const kernel::Source<double> source{q.data(), to_modes ? n : 1, to_modes ? 1 : n, x, width, n};
    kernel::best().products(&source, 1, n, width, {.out = y, .stride = width});
  }

  /// y <- the transpose of `rows` rows of `columns` values, padded by zeros.
  static void transpose(const double* x, Index rows, Index columns, Index x_width, double* y, Index y_width) {
    for (Index j = 0; j < columns; ++j) {
      for (Index i = 0; i < rows; ++i) y[j * y_width + i] = x[i * x_width + j];
      std::fill_n(y + j * y_width + rows, y_width - rows, 0);
    }
  }

  Index size_;
  std::vector<Field> fields_;
  std::vector<Bundle> bundles_;  // of the lines of fields with one axis of hidden units
};

/// The path graph over the flat vector, unit spacing.
class ChainLattice final : public Lattice {
 public:
  explicit ChainLattice(Index size) : size_(size) {}
  Index size() const override { return size_; }
  void apply(In y, Out ky) const override {
    ky.setZero();
    add_path_laplacian(size_, 1, 1, y.data(), ky.data());
  }
  void solve(double c, Out x) const override { solve_path(c, {x.data(), size_, 1}); }
  void transform(const std::function<double(double)>& f, Out x) const override {
    transform_path(path_factors(f, size_, 1).data(), size_, 1, x.data());
  }
  Vector eigenvalues() const override {
    return Vector::NullaryExpr(size_, [this](Index j) { return path_eigenvalue(j, size_); });
  }

 private:
  Index size_;
};

/// The cycle graph over the flat vector, unit spacing, in the order `place` (Osher et al. 2018 where it is theta's).
class RingLattice final : public Lattice {
 public:
  explicit RingLattice(std::vector<Index> place)
      : place_(std::move(place)), in_order_(std::ranges::is_sorted(place_)) {}
  Index size() const override { return static_cast<Index>(place_.size()); }

  void apply(In y, Out ky) const override {
    const Index n = size();
    for (Index i = 0; i < n; ++i) {
      const double left = y[at(i == 0 ? n - 1 : i - 1)], right = y[at(i + 1 == n ? 0 : i + 1)];
      ky[at(i)] = 2 * y[at(i)] - left - right;
    }
  }

  void solve(double c, Out x) const override {
    if (in_order_) return solve_ring(c, {x.data(), size(), 1});
    double* ordered = scratch(size());
    for (Index i = 0; i < size(); ++i) ordered[i] = x[at(i)];
    solve_ring(c, {ordered, size(), 1});
    for (Index i = 0; i < size(); ++i) x[at(i)] = ordered[i];
  }

  void transform(const std::function<double(double)>& f, Out x) const override {
    const Vector factors = eigenvalues().unaryExpr(f);
    double* ordered = scratch(size());
    for (Index i = 0; i < size(); ++i) ordered[i] = x[at(i)];
    transform_ring(factors.data(), size(), ordered);
    for (Index i = 0; i < size(); ++i) x[at(i)] = ordered[i];
  }

  Vector eigenvalues() const override {
    return Vector::NullaryExpr(size(), [this](Index k) { return path_eigenvalue(2 * k, size()); });
  }

 private:
  Index at(Index i) const { return place_[static_cast<std::size_t>(i)]; }

  std::vector<Index> place_;
  bool in_order_;
};

std::vector<Index> in_order(Index size) {
  std::vector<Index> place(static_cast<std::size_t>(size));
  std::iota(place.begin(), place.end(), Index{0});
  return place;
}

std::vector<Index> permuted(Index size, std::uint64_t seed) {
  auto place = in_order(size);
  Stream draw(seed, Purpose::permutation);
  for (std::size_t i = place.size(); i > 1; --i) std::swap(place[i - 1], place[draw.below(i)]);
  return place;
}

constexpr LatticeKind rows[] = {
    {"neurons", "each hidden layer is a uniform grid on [0,1]; fields over its units, Neumann ends",
     [](std::span<const Layer> layers, Index size, std::uint64_t) -> std::unique_ptr<Lattice> {
       return std::make_unique<NeuronLattice>(layers, size);
     }},
    {"chain", "path graph over the flat parameter vector, unit spacing",
     [](std::span<const Layer>, Index size, std::uint64_t) -> std::unique_ptr<Lattice> {
       return std::make_unique<ChainLattice>(size);
     }},
    {"ring", "periodic chain: the operator of Laplacian smoothing gradient descent",
     [](std::span<const Layer>, Index size, std::uint64_t) -> std::unique_ptr<Lattice> {
       return std::make_unique<RingLattice>(in_order(size));
     }},
    {"permuted", "ring after a fixed random permutation: the control that asks whether the order matters",
     [](std::span<const Layer>, Index size, std::uint64_t seed) -> std::unique_ptr<Lattice> {
       return std::make_unique<RingLattice>(permuted(size, seed));
     }},
};

}  // namespace

std::span<const LatticeKind> lattices() { return rows; }

}  // namespace thalweg
