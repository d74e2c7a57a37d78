#include "thalweg/energy/landscapes.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

/// A sum in the order of the indices, whatever the alignment of the memory.
double dot(const double* a, const double* b, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// y <- y + s x.
void add(double s, const double* x, double* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] += s * x[i];
}

// Heat of time s averages over normal displacements of variance v = 2 s. Each landscape carries the terms this adds,
// all zero for v = 0.

/// E = sum_i e(y_i) with e, e', e'' of `Term`.
template <class Term>
class Separable final : public Functional {
 public:
  explicit Separable(const LandscapeSpec& spec) : size_(spec.dimension), term_{2 * spec.heat} {}

  Index size() const override { return size_; }
  double value(In y, Batch) const override {
    double sum = 0;
    for (Index i = 0; i < size_; ++i) sum += term_.value(y[i]);
    return sum;
  }
  double gradient(In y, Batch, Out g) const override {
    for (Index i = 0; i < size_; ++i) g[i] = term_.slope(y[i]);
    return value(y, {});
  }
  void hvp(In y, Batch, In w, Out hw) const override {
    for (Index i = 0; i < size_; ++i) hw[i] = term_.bend(y[i]) * w[i];
  }

 private:
  Index size_;
  Term term_;
};

struct DoubleWell {
  double v;
  double value(double x) const { return ((x * x - 1) * (x * x - 1) + v * (6 * x * x - 2 + 3 * v)) / 4; }
  double slope(double x) const { return x * (x * x - 1 + 3 * v); }
  double bend(double x) const { return 3 * x * x - 1 + 3 * v; }
};

struct Rastrigin {
  static constexpr double k = 2 * std::numbers::pi;
  double v, dents = 10 * std::exp(-k * k * v / 2);
  double value(double x) const { return 10 + x * x + v - dents * std::cos(k * x); }
  double slope(double x) const { return 2 * x + dents * k * std::sin(k * x); }
  double bend(double x) const { return 2 + dents * k * k * std::cos(k * x); }
};

/// E and its first and second derivatives at a point of the plane.
struct Jet {
  double value = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
};

template <Jet (*formula)(double x, double y, double v)>
class Planar final : public Functional {
 public:
  explicit Planar(double heat) : v_(2 * heat) {}

  Index size() const override { return 2; }
  double value(In y, Batch) const override { return formula(y[0], y[1], v_).value; }
  double gradient(In y, Batch, Out g) const override {
    const Jet e = formula(y[0], y[1], v_);
    g << e.x, e.y;
    return e.value;
  }
  void hvp(In y, Batch, In w, Out hw) const override {
    const Jet e = formula(y[0], y[1], v_);
    hw << e.xx * w[0] + e.xy * w[1], e.xy * w[0] + e.yy * w[1];
  }

 private:
  double v_;
};

Jet factorisation(double x, double y, double v) {
  const double r = 1 - x * y;
  return {(r * r + v * (x * x + y * y + v)) / 2, v * x - r * y, v * y - r * x, y * y + v, 2 * x * y - 1, x * x + v};
}

/// sum_k A_k exp(a_k dx^2 + b_k dx dy + c_k dy^2) about four centres (Mueller, Brown 1979). Heat makes of a term
/// exp(d'M d) the term det(N)^(-1/2) exp(d'M N^-1 d), N = I - 2 v M, as long as N is positive definite.
Jet mueller_brown(double x, double y, double v) {
  struct Gaussian {
    double amplitude, a, b, c, x, y;
  };
  constexpr Gaussian terms[] = {
      {-200, -1, 0, -10, 1, 0}, {-100, -1, 0, -10, 0, .5}, {-170, -6.5, 11, -6.5, -.5, 1.5}, {15, .7, .6, .7, -1, 1}};
  Jet e;
  for (const auto& [amplitude, a0, b0, c0, x0, y0] : terms) {
    const double minor = a0 * c0 - b0 * b0 / 4, det = 1 - 2 * v * (a0 + c0) + 4 * v * v * minor;
    const double a = (a0 - 2 * v * minor) / det, b = b0 / det, c = (c0 - 2 * v * minor) / det;
    const double dx = x - x0, dy = y - y0;
    const double f = amplitude / std::sqrt(det) * std::exp(a * dx * dx + b * dx * dy + c * dy * dy);
    const double p = 2 * a * dx + b * dy, q = b * dx + 2 * c * dy;
    e.value += f;
    e.x += f * p;
    e.y += f * q;
    e.xx += f * (p * p + 2 * a);
    e.xy += f * (p * q + b);
    e.yy += f * (q * q + 2 * c);
  }
  return e;
}

class Rosenbrock final : public Functional {
 public:
  explicit Rosenbrock(const LandscapeSpec& spec) : size_(spec.dimension), v_(2 * spec.heat) {}

  Index size() const override { return size_; }
  double value(In y, Batch) const override {
    double sum = 0;
    for (Index i = 0; i + 1 < size_; ++i) {
      const double r = y[i + 1] - y[i] * y[i];
      sum += 100 * r * r + (1 - y[i]) * (1 - y[i]);
      sum += v_ * (101 + 100 * (6 * y[i] * y[i] - 2 * y[i + 1] + 3 * v_));
    }
    return sum;
  }
  double gradient(In y, Batch, Out g) const override {
    g.setZero();
    for (Index i = 0; i + 1 < size_; ++i) {
      const double r = y[i + 1] - y[i] * y[i];
      g[i] += -400 * y[i] * (r - 3 * v_) - 2 * (1 - y[i]);
      g[i + 1] += 200 * (r - v_);
    }
    return value(y, {});
  }
  void hvp(In y, Batch, In w, Out hw) const override {
    hw.setZero();
    for (Index i = 0; i + 1 < size_; ++i) {
      hw[i] += (1200 * (y[i] * y[i] + v_) - 400 * y[i + 1] + 2) * w[i] - 400 * y[i] * w[i + 1];
      hw[i + 1] += 200 * w[i + 1] - 400 * y[i] * w[i];
    }
  }

 private:
  Index size_;
  double v_;
};

/// Orthonormal columns from normal ones (Gram-Schmidt, twice: Giraud et al. 2005).
Matrix random_rotation(Index n, std::uint64_t seed) {
  Stream draw(seed, Purpose::direction);
  Matrix q = Matrix::NullaryExpr(n, n, [&](Index, Index) { return draw.normal(); });
  for (Index j = 0; j < n; ++j) {
    double* column = q.col(j).data();
    for (int pass = 0; pass < 2; ++pass)
      for (Index k = 0; k < j; ++k) add(-dot(q.col(k).data(), column, n), q.col(k).data(), column, n);
    const double norm = std::sqrt(dot(column, column, n));
    for (Index i = 0; i < n; ++i) column[i] /= norm;
  }
  return q;
}

/// E = y'A y/2 with eigenvalues condition^(k/(n-1)), k < n, along the axes or along the columns of a rotation.
class Quadratic final : public Functional {
 public:
  explicit Quadratic(const LandscapeSpec& spec) : eigenvalues_(spec.dimension) {
    const Index n = spec.dimension;
    for (Index k = 0; k < n; ++k)
      eigenvalues_[k] =
          std::pow(spec.condition, static_cast<double>(k) / static_cast<double>(std::max<Index>(n - 1, 1)));
    for (const double eigenvalue : eigenvalues_) lift_ += spec.heat * eigenvalue;
    if (!spec.rotated) return;
    const Matrix q = random_rotation(n, spec.seed);
    matrix_.setZero(n, n);
    for (Index k = 0; k < n; ++k)
      for (Index j = 0; j < n; ++j) add(eigenvalues_[k] * q(j, k), q.col(k).data(), matrix_.col(j).data(), n);
  }

  Index size() const override { return eigenvalues_.size(); }
  double value(In y, Batch) const override {
    Vector g(size());
    return gradient(y, {}, g);
  }
  double gradient(In y, Batch, Out g) const override {
    hvp(y, {}, y, g);
    return dot(y.data(), g.data(), size()) / 2 + lift_;
  }
  void hvp(In, Batch, In w, Out hw) const override {
    hw.setZero();
    if (matrix_.size() == 0) {
      for (Index i = 0; i < size(); ++i) hw[i] = eigenvalues_[i] * w[i];
      return;
    }
    for (Index j = 0; j < size(); ++j) add(w[j], matrix_.col(j).data(), hw.data(), size());
  }

 private:
  Vector eigenvalues_;
  double lift_ = 0;  // s tr A
  Matrix matrix_;    // empty where A is diagonal
};

template <class Kind>
std::unique_ptr<Functional> sized(const LandscapeSpec& spec) {
  return std::make_unique<Kind>(spec);
}

template <Jet (*formula)(double, double, double)>
std::unique_ptr<Functional> planar(const LandscapeSpec& spec) {
  return std::make_unique<Planar<formula>>(spec.heat);
}

/// (even, odd, even, ...).
Vector alternating(Index n, double even, double odd) {
  return Vector::NullaryExpr(n, [=](Index i) { return i % 2 == 0 ? even : odd; });
}

/// One along every eigenvector.
Vector quadratic_start(const LandscapeSpec& spec) {
  if (!spec.rotated) return Vector::Ones(spec.dimension);
  const Matrix q = random_rotation(spec.dimension, spec.seed);
  Vector start = Vector::Zero(spec.dimension);
  for (Index k = 0; k < q.cols(); ++k) add(1, q.col(k).data(), start.data(), q.rows());
  return start;
}

constexpr Index any_number = std::numeric_limits<Index>::max();

constexpr Landscape rows[] = {
    {"quadratic", "y'A y/2", "dimension condition rotated",
     "eigenvalues 1 to the condition number, evenly spaced in their logarithms", 1, any_number,
     [](const LandscapeSpec& spec) -> std::unique_ptr<Functional> { return std::make_unique<Quadratic>(spec); },
     quadratic_start},
    {"double-well", "sum_i (x_i^2 - 1)^2/4", "dimension", "a minimum in every orthant", 1, any_number,
     sized<Separable<DoubleWell>>, [](const LandscapeSpec& spec) { return alternating(spec.dimension, 2, -.5); }},
    {"rosenbrock", "sum_i 100 (x_i+1 - x_i^2)^2 + (1 - x_i)^2", "dimension", "a curved, flat and stiff valley", 2,
     any_number, sized<Rosenbrock>, [](const LandscapeSpec& spec) { return alternating(spec.dimension, -1.2, 1); }},
    {"rastrigin", "sum_i 10 + x_i^2 - 10 cos(2 pi x_i)", "dimension", "a bowl full of dents", 1, any_number,
     sized<Separable<Rastrigin>>, [](const LandscapeSpec& spec) { return alternating(spec.dimension, 1.4, -.7); }},
    {"mueller-brown", "sum_k A_k exp(quadratic_k(x, y))", "", "three minima and two saddles along a bent path", 2, 2,
     planar<mueller_brown>,
     [](const LandscapeSpec&) {
       return Vector{{-.7, .8}};
     }},
    {"factorisation", "(1 - x y)^2/2", "", "a hyperbola of minima; the flow keeps x^2 - y^2", 2, 2,
     planar<factorisation>,
     [](const LandscapeSpec&) {
       return Vector{{1.5, -.5}};
     }},
};

}  // namespace

std::span<const Landscape> landscapes() { return rows; }

const Landscape& landscape_for(std::string_view name, const LandscapeSpec& spec) {
  const Landscape& row = find(landscapes(), name, "model.kind");
  const std::string given = "model.dimension: " + std::to_string(spec.dimension) + ", but " + std::string(name);
  require(spec.dimension >= row.least, given + " has at least " + std::to_string(row.least) + " parameters");
  require(spec.dimension <= row.most, given + " has " + std::to_string(row.most) + " parameters");
  require(spec.condition >= 1, "model.condition: " + to_text(spec.condition) + " is below 1");
  require(spec.heat >= 0, "flow.heat: " + to_text(spec.heat) + " is negative");
  // The fourth Gaussian grows like exp(x^2) along a diagonal.
  require(row.name != "mueller-brown" || spec.heat < .25,
          "flow.heat: " + to_text(spec.heat) + ", but the heat flow of mueller-brown ends at 0.25");
  return row;
}

}  // namespace thalweg
