#pragma once

#include <span>

#include "thalweg/data/dataset.hpp"

namespace thalweg {

/// The rows of `all` whose indices are listed, in that order.
Samples chosen(const Samples& all, std::span<const Index> rows);

/// low, high <- the smallest box that holds the points of every split.
void set_domain_to_points(Dataset& data);

}  // namespace thalweg
