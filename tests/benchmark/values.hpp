#pragma once

#include "../network.hpp"

namespace thalweg::bench {

/// Arguments of an elementary function and room for its values and slopes, all within the first-level cache.
class Values {
 public:
  static constexpr Index count = 1024;

  /// Standard normal arguments.
  Values() : memory_(3 * spacing) { memory_.head(count) = test::normals(count, 3); }

  Eigen::Map<Vector> arguments() { return {memory_.data(), count}; }
  double* values() { return memory_.data() + spacing; }
  double* slopes() { return memory_.data() + 2 * spacing; }

 private:
  // A load waits for an earlier store to the same place of another 4 KiB page, so that each array has a place of its
  // own.
  static constexpr Index spacing = count + 384;

  Vector memory_;
};

}  // namespace thalweg::bench
