#include "thalweg/diagnose/trace.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/QR>
#include <boost/math/distributions/students_t.hpp>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

/// Columns first, first + 1, ... of the endless matrix of random signs of this seed.
Matrix signs(Index n, Index first, Index count, std::uint64_t seed) {
  Matrix z(n, count);
  for (Index k = 0; k < count; ++k) {
    Stream draw(seed, Purpose::trace, static_cast<std::uint64_t>(first + k));
    for (Index i = 0; i < n; ++i) z(i, k) = (draw() >> 63) != 0 ? 1 : -1;
  }
  return z;
}

/// The mean of independent samples.
TraceEstimate mean_of(const Vector& samples) {
  const auto m = static_cast<double>(samples.size());
  const double mean = samples.mean(), variance = (samples.array() - mean).square().sum() / (m - 1);
  const boost::math::students_t student(m - 1);
  constexpr double two_sigma = 0.9772498680518208;  // the normal distribution function at 2
  return {mean, boost::math::quantile(student, two_sigma) / 2 * std::sqrt(variance / m), samples.size()};
}

void remove(const Matrix& q, Matrix& x) { x -= q * (q.transpose() * x); }

/// z'Az for random signs z, less their components in the columns of q; as many at once as fit into 128 MB.
Vector forms(const SymmetricMap& a, const Matrix& q, Index first, Index count, std::uint64_t seed) {
  const Index block = std::max<Index>(4, (Index{1} << 24) / a.size);
  Vector samples(count);
  for (Index done = 0; done < count; done += block) {
    const Index columns = std::min(block, count - done);
    Matrix z = signs(a.size, first + done, columns, seed), az(a.size, columns);
    if (q.cols() > 0) remove(q, z);
    a.apply(z, az);
    for (Index k = 0; k < columns; ++k) samples[done + k] = z.col(k).dot(az.col(k));
  }
  return samples;
}

}  // namespace

TraceEstimate hutchinson(const SymmetricMap& a, int probes, std::uint64_t seed) {
  require(probes >= 2, "spectrum.probes: an error needs at least 2 probes, not " + std::to_string(probes));
  return mean_of(forms(a, {}, 0, probes, seed));
}

TraceEstimate hutch_plus_plus(const SymmetricMap& a, int probes, std::uint64_t seed) {
  require(probes >= 6, "spectrum.probes: Hutch++ needs at least 6 products, not " + std::to_string(probes));
  const Index rank = std::min<Index>(probes / 3, a.size);
  Matrix sketch(a.size, rank), aq(a.size, rank);
  a.apply(signs(a.size, 0, rank, seed), sketch);
  const Eigen::HouseholderQR<Matrix> factored(sketch);
  const Matrix q = factored.householderQ() * Matrix::Identity(a.size, rank);
  a.apply(q, aq);
  TraceEstimate rest = mean_of(forms(a, q, rank, probes - 2 * (probes / 3), seed));
  return {q.cwiseProduct(aq).sum() + rest.value, rest.error, rest.products + 2 * rank};
}

}  // namespace thalweg
