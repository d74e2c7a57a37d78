#pragma once

#include "thalweg/core/core.hpp"

namespace thalweg {

/// x <- f(K) x on a path of n points x[0], x[stride], ... with Neumann ends, given factors[j] = f(lambda_j) for
/// lambda_j = 2 - 2 cos(pi j/n), by DCT-II; O(n log n).
void transform_path(const double* factors, Index n, Index stride, double* x);

/// x <- f(K) x on a ring of n adjacent points, given factors[k] = f(lambda_k) for lambda_k = 2 - 2 cos(2 pi k/n), by
/// the discrete Fourier transform; O(n log n).
void transform_ring(const double* factors, Index n, double* x);

}  // namespace thalweg
