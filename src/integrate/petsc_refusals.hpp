#pragma once

#include "thalweg/core/petsc.hpp"

namespace thalweg {

/// Throws std::invalid_argument where PETSc's data base holds an option that would make a scheme silently wrong or
/// another one than its row says, with the reason and what to take in its place.
void require_sound_options();

}  // namespace thalweg
