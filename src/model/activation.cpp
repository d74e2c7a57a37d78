#include <cmath>
#include <numbers>

#include "thalweg/model/mlp.hpp"

namespace thalweg {
namespace {

struct Jet {
  double value, slope, curvature;
};

Jet tanh_jet(double z) {
  const double t = std::tanh(z), s = 1 - t * t;
  return {t, s, -2 * t * s};
}

/// The derivative at the kink is that of its left side.
Jet relu_jet(double z) { return z > 0 ? Jet{z, 1, 0} : Jet{0, 0, 0}; }

/// z Phi(z) with the exact normal distribution function (Hendrycks and Gimpel 2016).
Jet gelu_jet(double z) {
  const double mass = std::erfc(-z / std::numbers::sqrt2) / 2;
  const double density = std::exp(-z * z / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  return {z * mass, mass + z * density, density * (2 - z * z)};
}

/// e = exp(-|z|) never overflows; 1 - s is formed without cancellation.
Jet sigmoid_jet(double z) {
  const double e = std::exp(-std::abs(z)), small = e / (1 + e), large = 1 / (1 + e);
  const double slope = small * large;
  return {z >= 0 ? large : small, slope, slope * (z >= 0 ? small - large : large - small)};
}

Jet softplus_jet(double z) {
  const Jet s = sigmoid_jet(z);
  return {std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))), s.value, s.slope};
}

Jet sin_jet(double z) {
  const double s = std::sin(z);
  return {s, std::cos(z), -s};
}

Jet identity_jet(double z) { return {z, 1, 0}; }

template <Jet jet(double)>
void evaluate(Index n, const double* z, double* f, double* f1, double* f2) {
  for (Index i = 0; i < n; ++i) {
    const Jet j = jet(z[i]);
    if (f) f[i] = j.value;
    if (f1) f1[i] = j.slope;
    if (f2) f2[i] = j.curvature;
  }
}

// He et al. 2015: half of the signal's variance is lost where half of the units are silent.
constexpr double rectified = std::numbers::sqrt2;

constexpr Activation rows[] = {
    {"tanh", "hyperbolic tangent", 1, evaluate<tanh_jet>},
    {"relu", "max(z, 0)", rectified, evaluate<relu_jet>},
    {"gelu", "z Phi(z), Phi the normal distribution function", rectified, evaluate<gelu_jet>},
    {"softplus", "ln(1 + e^z)", 1, evaluate<softplus_jet>},
    {"sigmoid", "1/(1 + e^-z)", 1, evaluate<sigmoid_jet>},
    {"sin", "sine", 1, evaluate<sin_jet>},
    {"identity", "z: a deep linear network", 1, evaluate<identity_jet>},
};

}  // namespace

std::span<const Activation> activations() { return rows; }

}  // namespace thalweg
