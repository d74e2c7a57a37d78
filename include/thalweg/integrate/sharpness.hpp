#pragma once

#include <cstdint>

#include "thalweg/flow/flow.hpp"

namespace thalweg {

struct Sharpness {
  double value;           // largest eigenvalue of -J, from below
  double error;           // -J has an eigenvalue in [value - error, value + error]
  std::int64_t products;  // Jacobian-vector products that it took
  /// What a step has to be stable for.
  double bound() const { return value + error; }
};

/// The largest eigenvalue of -J, J the Jacobian of a part of the velocity at y: the Hessian's, raised by the metric, in
/// a gradient flow. By Lanczos in the flow's metric from a random start that is a function of (seed, at.step), until
/// the error bound is below `tolerance` times the value, the space is exhausted or it has `most` dimensions.
/// Throws std::invalid_argument where the Jacobian is not self-adjoint.
Sharpness sharpness(const Flow& flow, Part part, const Instant& at, In y, double tolerance = .01,
                    std::uint64_t seed = 0, Index most = 200);

/// The part whose sharpness limits the steps of a scheme: what it does not treat implicitly, all where that is nothing.
Part felt_part(Part implicit);

}  // namespace thalweg
