#pragma once

#include <span>
#include <string_view>

#include "thalweg/study/settings.hpp"

namespace thalweg {

/// A level of the study's method factor: a name for a set of keys.
struct Method {
  std::string_view name, what;
  std::string_view keys;  // "section.key=value ...", applied over the study's own settings
  std::string_view gain;  // its mean gain on a white gradient
  int evaluations = 1;    // of what the flow descends in a step
};
std::span<const Method> methods();

/// What the compared methods have in common.
struct Matching {
  std::string_view name, what;
};
std::span<const Matching> matchings();

/// Applies blank-separated assignments; throws std::invalid_argument as set_key does.
void apply_keys(Settings& settings, std::string_view assignments);

class Experiment;

/// The step whose product with the method's mean gain on a white gradient is scheme.step: trace(A)/P where it steps
/// along A g, 1/(1 - beta) for momentum, 1 where there is none.
double matched_step(const Settings& settings, const Experiment& experiment);

}  // namespace thalweg
