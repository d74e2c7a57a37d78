#include <algorithm>
#include <numbers>

#include "kernel.hpp"
#include "thalweg/model/mlp.hpp"

namespace thalweg {
namespace {

// He et al. 2015: half of the signal's variance is lost where half of the units are silent.
constexpr double rectified = std::numbers::sqrt2;

constexpr Activation rows[] = {
    {"tanh", "hyperbolic tangent", 1, kernel::Function::tanh},
    {"relu", "max(z, 0)", rectified, kernel::Function::relu},
    {"gelu", "z Phi(z), Phi the normal distribution function", rectified, kernel::Function::gelu},
    {"softplus", "ln(1 + e^z)", 1, kernel::Function::softplus},
    {"sigmoid", "1/(1 + e^-z)", 1, kernel::Function::sigmoid},
    {"sin", "sine", 1, kernel::Function::sin},
    {"identity", "z: a deep linear network", 1, kernel::Function::identity},
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
