#include "thalweg/data/oracle.hpp"

#include <algorithm>
#include <boost/math/special_functions/ellint_2.hpp>
#include <cmath>
#include <numbers>

#include "generators.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

using std::numbers::pi;

/// Φ(−z), accurate in the tail.
double upper_tail(double z) { return std::erfc(z / std::numbers::sqrt2) / 2; }

double entropy_term(double p) { return p > 0 ? -p * std::log(p) : 0; }

}  // namespace

double bayes_error_gaussians(double distance, double spread) { return upper_tail(distance / (2 * spread)); }

double parity_error_islands(double spread) {
  // The terms of k and −k are alike; beyond 40 std the tail is 0 in double precision.
  double q = 1 - 2 * upper_tail(0.5 / spread), sign = -1;
  for (double k = 1; k - 0.5 < 40 * spread; ++k, sign = -sign)
    q += 2 * sign * (upper_tail((k - 0.5) / spread) - upper_tail((k + 0.5) / spread));
  return (1 - q * q) / 2;
}

double memoriser_clean(double noise) { return 1 - noise; }

double memoriser_noisy(double noise) { return (1 - noise) * (1 - noise) + noise * noise; }

double noisy_cross_entropy(double noise) { return entropy_term(noise) + entropy_term(1 - noise); }

double curvature_sine(double amplitude, double frequency) {
  const double w = 2 * pi * frequency, phase = std::min(w, pi / 2), slope = amplitude * w * std::cos(phase);
  return amplitude * w * w * std::sin(phase) / std::pow(1 + slope * slope, 1.5);
}

double boundary_length_sine(double amplitude, double frequency) {
  const double phase = 2 * pi * frequency, m = phase * amplitude, stretch = std::hypot(1, m);
  return 2 * stretch * boost::math::ellint_2(m / stretch, phase) / phase;
}

double curvature_archimedean(double c, double angle) {
  const double square = angle * angle;
  return (2 + square) / (c * std::pow(1 + square, 1.5));
}

double arm_gap_archimedean(double c) { return pi * c; }

std::vector<std::pair<std::string, double>> oracles(const DataSpec& spec) {
  const Generator& row = find(generators(), spec.kind, "data.kind");
  if (row.law == nullptr) return {};
  auto known = row.law(spec).known;
  if (spec.noise_kind == "symmetric")
    known.insert(known.end(), {{"memoriser_clean", memoriser_clean(spec.noise)},
                               {"memoriser_noisy", memoriser_noisy(spec.noise)},
                               {"noisy_cross_entropy", noisy_cross_entropy(spec.noise)}});
  return known;
}

}  // namespace thalweg
