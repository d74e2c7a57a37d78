#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "thalweg/diagnose/spectrum.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {

/// The matrix of a point whose spectrum is asked for.
struct SpectrumKind {
  std::string_view name, what;
  /// The experiment must outlive the map.
  SymmetricMap (*map)(const Experiment&, In y);
};
std::span<const SpectrumKind> spectra();

/// The sharpness that a run's steps feel: the largest eigenvalue of minus the Jacobian of what the scheme treats
/// explicitly, of the whole flow where it treats everything implicitly. For M^-1 (scale H + nu K) this is the problem
/// (scale H + nu K) v = lambda M v; `start` warms it up. No pair where the Jacobian is not self-adjoint in the metric.
Eigenpairs felt_sharpness(const Experiment& experiment, In y, double tolerance, const Matrix& start = {});

/// step x sharpness below which the scheme is stable, and the step; nan where it knows no bound or adapts its step.
struct StabilityLimit {
  double limit, step;
};
StabilityLimit stability_limit(const Scheme& scheme);

/// `count` of `states` indices, evenly spread, first and last included; all where there are fewer.
std::vector<std::size_t> spread(std::size_t states, int count);

}  // namespace thalweg
