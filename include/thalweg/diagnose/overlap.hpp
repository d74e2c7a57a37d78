#pragma once

#include "thalweg/energy/functional.hpp"

namespace thalweg {

/// The noise of stochastic gradients at a point, C = (1/N) sum_i (g_i - g)(g_i - g)', g_i the gradient of sample i.
struct GradientNoise {
  Vector along;  // v'Cv of every direction v
  double trace;  // tr C
};

/// Costs N gradients of one sample each. `directions`: n x k. Throws std::invalid_argument without samples.
GradientNoise gradient_noise(const Functional& functional, In y, const Matrix& directions);

/// The shares (g.v)^2/|g|^2 of the gradient in orthonormal directions (n x k); zero where the gradient is.
Vector gradient_shares(In gradient, const Matrix& directions);

}  // namespace thalweg
