#pragma once

#include <memory>
#include <vector>

#include "thalweg/integrate/schemes.hpp"
#include "thalweg/integrate/transforms.hpp"

namespace thalweg {

/// The links of a descent in the order in which they act: gradient [ascent] [clip] [adam] [decay] step. Clipping cuts
/// what the gradient gave, before any memory sees it; decay is part of neither gradient nor memory; the schedule scales
/// step and decay alike.
using Chain = std::vector<std::unique_ptr<Transform>>;

/// A descent that takes the steps of settings.schedule through `chain`. A step of size eta spans eta of training time;
/// the last one is shortened to land on the horizon. Batches are a function of (settings.batch, step) alone.
/// Throws std::invalid_argument where the steps never add up to a finite horizon.
std::unique_ptr<Stepper> descent(Chain chain, const Flow& flow, const SchemeSettings& settings, In y0, double horizon);

/// Throws std::invalid_argument that names the key where an option of descents is out of its range, or is given to
/// another scheme.
void require_descent_options(const SchemeRow& row, const SchemeSettings& settings);

}  // namespace thalweg
