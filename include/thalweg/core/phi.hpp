#pragma once

namespace thalweg {

/// phi_k(z) = sum_j z^j/(j + k)!: phi_0 = exp, phi_(k+1)(z) = (phi_k(z) - 1/k!)/z. To rounding, for all z that exp can
/// take and 0 <= k <= 4.
double phi(int k, double z);

}  // namespace thalweg
