#pragma once

#include <memory>

#include "thalweg/energy/smoothing.hpp"
#include "thalweg/study/learning.hpp"
#include "thalweg/study/settings.hpp"

namespace thalweg {

/// What flow.diffusion makes of an objective before lattice, metric and noise: L + (mu/2) D where `output` diffuses,
/// and how that is diffused over parameter space. The objective must outlive it.
struct Terms {
  /// `learning` is null for an analytic landscape, whose heat smoothing is exact. Throws std::invalid_argument where
  /// there is no learned function to smooth.
  Terms(const Settings& settings, const Learning* learning, const Functional& objective);
  Terms(const Terms&) = delete;
  Terms& operator=(const Terms&) = delete;

  const Matrix points;  // uniform collocation points; empty where D is taken on the data
  const std::unique_ptr<const Functional> dirichlet, replaced;  // null where nothing takes the objective's place
  const std::unique_ptr<const Smoothing> smoothing;             // null where gradients are taken where the state is
  const Functional& energy;                                     // what the flow descends
};

/// Whether flow.diffusion, a +-joined list, fills that slot.
bool diffuses(const FlowSpec& flow, std::string_view slot);

/// Gradients of a batch behind one evaluation of what the flow descends: the draws or the inner chain of a smoothing.
std::int64_t gradients_an_evaluation(const Settings& settings);

/// The dials of an analytic landscape, with the seed of its rotation.
LandscapeSpec landscape_spec(const Settings& settings);

/// Refuses slots that do not go together or with what is trained, naming the key and the reason.
void require_combinable(const Settings& settings);

}  // namespace thalweg
