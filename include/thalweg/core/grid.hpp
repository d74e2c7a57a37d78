#pragma once

#include <array>
#include <cstddef>

namespace thalweg {

/// A uniform node-centred tensor grid in up to three dimensions; x runs fastest, then y, then z.
struct Grid {
  std::array<int, 3> nodes{1, 1, 1};      // along x, y, z; 1 where the axis is absent
  std::array<double, 3> origin{0, 0, 0};  // of node (0, 0, 0)
  std::array<double, 3> spacing{1, 1, 1};

  std::size_t size() const {
    return static_cast<std::size_t>(nodes[0]) * static_cast<std::size_t>(nodes[1]) * static_cast<std::size_t>(nodes[2]);
  }
  double coordinate(int axis, int node) const {
    const auto a = static_cast<std::size_t>(axis);
    return origin[a] + spacing[a] * node;
  }
  std::size_t index(int i, int j, int k = 0) const {
    return static_cast<std::size_t>(i) +
           static_cast<std::size_t>(nodes[0]) *
               (static_cast<std::size_t>(j) + static_cast<std::size_t>(nodes[1]) * static_cast<std::size_t>(k));
  }
};

}  // namespace thalweg
