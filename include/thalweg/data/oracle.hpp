#pragma once

#include <string>
#include <utility>
#include <vector>

#include "thalweg/data/dataset.hpp"

/// What is known about the generated data in closed form. Probabilities, or the data's own unit of length.
namespace thalweg {

/// Φ(−d/(2s)): the least error on two equally likely isotropic Gaussians of std s whose centres lie d apart.
double bayes_error_gaussians(double distance, double spread);

/// (1 − q²)/2, q = Σ_k (−1)^k [Φ((k + 1/2)/s) − Φ((k − 1/2)/s)]: how often a blob's point of std s has a nearest
/// lattice point of the other parity. Along one axis the parity is right with probability (1 + q)/2. Cost O(1 + s).
double parity_error_islands(double spread);

/// 1 − ρ: accuracy on clean test labels of a memoriser, which repeats a training label that is wrong at rate ρ
/// (binary).
double memoriser_clean(double noise);

/// (1 − ρ)² + ρ²: its accuracy on test labels that are themselves wrong at rate ρ.
double memoriser_noisy(double noise);

/// −ρ ln ρ − (1 − ρ) ln(1 − ρ): the least mean cross-entropy on binary labels that are wrong at rate ρ; 0 at ρ = 0.
double noisy_cross_entropy(double noise);

/// The largest curvature of x₂ = A sin(2πk x₁) over x₁ ∈ [−1, 1]: A (2πk)² at its crests, or, where k < 1/4 leaves
/// these outside, that of the ends; 1/length.
double curvature_sine(double amplitude, double frequency);

/// Arc length of x₂ = A sin(2πk x₁) over x₁ ∈ [−1, 1], k > 0. With m = 2πkA and κ² = m²/(1 + m²) it is
/// 2 √(1 + m²) E(2πk; κ)/(2πk), E the elliptic integral of the second kind: (4/π) √(1 + m²) E(κ), the complete one, at
/// integer k.
double boundary_length_sine(double amplitude, double frequency);

/// (2 + a²)/(c (1 + a²)^(3/2)): the curvature of the Archimedean spiral r = c a at angle a; 1/length.
double curvature_archimedean(double c, double angle);

/// π c: the radial distance from an arm r = c a to the next arm of the other class, which is its reflection.
double arm_gap_archimedean(double c);

/// The numbers known for `spec`, by name: bayes_error, parity_error, boundary_length, largest_curvature, arm_gap, and
/// memoriser_clean, memoriser_noisy, noisy_cross_entropy for `symmetric` noise on a generated kind (two classes).
/// Throws std::invalid_argument on an unknown kind or a bad dial.
std::vector<std::pair<std::string, double>> oracles(const DataSpec& spec);

}  // namespace thalweg
