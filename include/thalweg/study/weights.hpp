#pragma once

#include <filesystem>
#include <vector>

#include "thalweg/model/mlp.hpp"

namespace thalweg {

/// One row a parameter in the order of theta: layer, kind (weight or bias), row (output unit), column (input unit,
/// 0 for a bias), value. Indices count from 0.
void write_weights(const std::filesystem::path& file, const Mlp& model, In theta);

/// The same for an analytic landscape: layer 0, kind parameter, row i, column 0.
void write_parameters(const std::filesystem::path& file, In theta);

struct Weights {
  std::vector<Index> widths;  // inputs, hidden layers, outputs; empty for an analytic landscape
  Vector theta;
};
/// Reads what write_weights or write_parameters wrote, in any order of rows; the widths follow from the indices.
/// Throws std::invalid_argument that names the line of a malformed, doubled or missing entry.
Weights read_weights(const std::filesystem::path& file);

}  // namespace thalweg
