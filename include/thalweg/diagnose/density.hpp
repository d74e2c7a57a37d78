#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "thalweg/diagnose/symmetric_map.hpp"

namespace thalweg {

/// A measure of mass 1 on the line: weight[i] at node[i].
struct Quadrature {
  Vector nodes, weights;
};

/// Gauss rules of the spectral measures of `probes` random vectors, by so many Lanczos steps each with full
/// reorthogonalisation (Golub and Welsch 1969; Ubaru, Chen, Saad 2017). The recurrences advance side by side, so that
/// the products of a step share their primal pass. Fewer steps where the Krylov space ends.
std::vector<Quadrature> lanczos_quadratures(const SymmetricMap& a, int probes, int steps, std::uint64_t seed);

/// The spectral density (1/n) sum_i delta(x - lambda_i), seen through a Gaussian of standard deviation `bandwidth`.
struct SpectralDensity {
  Vector at, value;
  Vector error;  // standard error over the probes; nan for a single one
  double bandwidth;
};

/// On `points` equally spaced points that reach four bandwidths beyond the nodes. A bandwidth that is not given is a
/// hundredth of their range.
SpectralDensity smoothed(std::span<const Quadrature> rules, std::optional<double> bandwidth, int points);

}  // namespace thalweg
