#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernel.hpp"
#include "thalweg/model/mlp.hpp"

namespace thalweg {
namespace {

// He et al. 2015: half of the signal's variance is lost where half of the units are silent.
constexpr double rectified = std::numbers::sqrt2;

/// The third derivative elementwise by `formula`(z, act, act', act'').
template <double (*formula)(double, double, double, double)>
void each(Index n, const double* z, const double* f, const double* f1, const double* f2, double* f3) {
  for (Index i = 0; i < n; ++i) f3[i] = formula(z[i], f[i], f1[i], f2[i]);
}

double zero(double, double, double, double) { return 0; }

/// From act' = 1 - act^2.
double third_of_tanh(double, double f, double f1, double f2) { return -2 * (f1 * f1 + f * f2); }

/// phi(z) z (z^2 - 4) with the normal density phi.
double third_of_gelu(double z, double, double, double) {
  constexpr double peak = 0.39894228040143268;
  return z * (z * z - 4) * (peak * std::exp(-z * z / 2));
}

/// From act'' = act' (1 - act').
double third_of_softplus(double, double, double f1, double f2) { return f2 * (1 - 2 * f1); }

/// From act'' = act' (1 - 2 act).
double third_of_sigmoid(double, double f, double f1, double f2) { return f2 * (1 - 2 * f) - 2 * f1 * f1; }

double third_of_sin(double, double, double f1, double) { return -f1; }

using kernel::Function;

constexpr Activation rows[] = {
    {"tanh", "hyperbolic tangent", 1, Function::tanh, each<third_of_tanh>},
    {"relu", "max(z, 0)", rectified, Function::relu, each<zero>},
    {"gelu", "z Phi(z), Phi the normal distribution function", rectified, Function::gelu, each<third_of_gelu>},
    {"softplus", "ln(1 + e^z)", 1, Function::softplus, each<third_of_softplus>},
    {"sigmoid", "1/(1 + e^-z)", 1, Function::sigmoid, each<third_of_sigmoid>},
    {"sin", "sine", 1, Function::sin, each<third_of_sin>},
    {"identity", "z: a deep linear network", 1, Function::identity, each<zero>},
};

}  // namespace

void Activation::evaluate(Index n, const double* z, double* f, double* f1, double* f2) const {
  constexpr Index chunk = 64;  // a multiple of every kernel's lanes
  for (Index first = 0; first < n; first += chunk) {
    const Index count = std::min(chunk, n - first);
    double in[chunk] = {}, value[chunk], slope[chunk], curvature[chunk];
    std::copy_n(z + first, count, in);
    kernel::best().activate(function, 1, chunk, chunk, in, value, slope, curvature);
    std::copy_n(value, count, f + first);
    std::copy_n(slope, count, f1 + first);
    std::copy_n(curvature, count, f2 + first);
  }
}

std::span<const Activation> activations() { return rows; }

}  // namespace thalweg
