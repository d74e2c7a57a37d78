#pragma once

#include "generators.hpp"
#include "thalweg/data/dataset.hpp"

namespace thalweg {

/// Draws the training labels from the clean ones as `spec` says, and sets the nominal and the realised rate.
/// `distance` to the decision boundary may be empty where the data set has none. Other splits stay clean.
void add_label_noise(const DataSpec& spec, const BoundaryDistance& distance, Dataset& data);

/// Share of the samples whose label is not the clean one; 0 for none.
double wrong_share(const Samples& samples);

}  // namespace thalweg
