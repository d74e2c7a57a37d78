#include "thalweg/diagnose/density.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <Eigen/Eigenvalues>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

/// One Lanczos recurrence with all its vectors.
class Recurrence {
 public:
  Recurrence(Index n, Index steps, Stream draw) : basis_(n, steps) {
    basis_.col(0) = Vector::NullaryExpr(n, [&draw](Index) { return draw.normal(); }).normalized();
  }

  bool open() const { return open_; }
  auto vector() const { return basis_.col(static_cast<Index>(diagonal_.size())); }

  /// Takes A times vector() and goes on to the next one.
  void take(Vector image) {
    const auto k = static_cast<Index>(diagonal_.size());
    diagonal_.push_back(basis_.col(k).dot(image));
    size_ = std::max(size_, image.norm());
    // Twice is enough (Parlett): once leaves rounding that later steps amplify into copies of eigenvalues.
    for (int pass = 0; pass < 2; ++pass) image -= basis_.leftCols(k + 1) * (basis_.leftCols(k + 1).transpose() * image);
    const double rest = image.norm();
    open_ = k + 1 < basis_.cols() && rest > 1e-13 * size_;  // below lies rounding: the Krylov space is complete
    if (!open_) return;
    below_.push_back(rest);
    basis_.col(k + 1) = image / rest;
  }

  Quadrature rule() const {
    const auto m = static_cast<Index>(diagonal_.size());
    Eigen::SelfAdjointEigenSolver<Matrix> jacobi;
    jacobi.computeFromTridiagonal(Vector::Map(diagonal_.data(), m), Vector::Map(below_.data(), m - 1));
    return {jacobi.eigenvalues(), jacobi.eigenvectors().row(0).transpose().cwiseAbs2()};
  }

 private:
  Matrix basis_;
  std::vector<double> diagonal_, below_;
  double size_ = 0;
  bool open_ = true;
};

void advance(const SymmetricMap& a, std::vector<Recurrence>& all) {
  std::vector<Recurrence*> open;
  for (Recurrence& r : all)
    if (r.open()) open.push_back(&r);
  const auto count = static_cast<Index>(open.size());
  Matrix x(a.size, count), ax(a.size, count);
  for (Index k = 0; k < count; ++k) x.col(k) = open[static_cast<std::size_t>(k)]->vector();
  if (count > 0) a.apply(x, ax);
  for (Index k = 0; k < count; ++k) open[static_cast<std::size_t>(k)]->take(ax.col(k));
}

}  // namespace

std::vector<Quadrature> lanczos_quadratures(const SymmetricMap& a, int probes, int steps, std::uint64_t seed) {
  require(probes >= 1, "spectrum.probes: " + std::to_string(probes) + " is not at least 1");
  require(steps >= 1, "spectrum.steps: " + std::to_string(steps) + " is not at least 1");
  const Index most = std::min<Index>(steps, a.size);
  // As many side by side as fit into a gigabyte of vectors.
  const Index fitting = std::max<Index>(1, (Index{1} << 27) / (a.size * most));
  std::vector<Quadrature> rules;
  for (int first = 0; first < probes; first += static_cast<int>(fitting)) {
    std::vector<Recurrence> group;
    for (int k = first; k < std::min<Index>(probes, first + fitting); ++k)
      group.emplace_back(a.size, most, Stream(seed, Purpose::probe, static_cast<std::uint64_t>(k)));
    for (Index step = 0; step < most; ++step) advance(a, group);
    for (const Recurrence& r : group) rules.push_back(r.rule());
  }
  return rules;
}

SpectralDensity smoothed(std::span<const Quadrature> rules, std::optional<double> bandwidth, int points) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Quadrature& rule : rules) {
    low = std::min(low, rule.nodes.minCoeff());
    high = std::max(high, rule.nodes.maxCoeff());
  }
  const double range = high - low;
  // A single point, such as the spectrum of zero, still needs a width to be seen.
  const double width = bandwidth.value_or(range > 0 ? range / 100 : std::max(std::abs(high), 1.) / 100);
  SpectralDensity density{Vector::LinSpaced(points, low - 4 * width, high + 4 * width), Vector::Zero(points),
                          Vector::Zero(points), width};
  Matrix each(points, static_cast<Index>(rules.size()));
  const double top = 1 / (width * std::sqrt(2 * std::numbers::pi));
  for (std::size_t r = 0; r < rules.size(); ++r)
    for (Index i = 0; i < points; ++i)
      each(i, static_cast<Index>(r)) =
          top *
          ((((density.at[i] - rules[r].nodes.array()) / width).square() / -2).exp() * rules[r].weights.array()).sum();
  const auto m = static_cast<double>(rules.size());
  density.value = each.rowwise().mean();
  density.error = ((each.colwise() - density.value).rowwise().squaredNorm() / (m * (m - 1))).cwiseSqrt();
  return density;
}

}  // namespace thalweg
