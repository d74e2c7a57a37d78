#pragma once

#include <vector>

#include "thalweg/integrate/integrate.hpp"

namespace thalweg {

/// A path of a flow, tight enough to measure others against, at any time: quintic Hermite interpolation between the
/// steps of a solve, with v = y' and J v = y'' of the flow itself (error O(step^6)).
class Reference {
 public:
  /// Solves up to `end`; `outcome` says whether it got there. The flow must outlive it.
  Reference(const Flow& flow, const Scheme& scheme, In y0, double end, const std::function<bool()>& interrupted = {});

  bool reached() const { return outcome_.status == Status::time; }
  const Outcome& outcome() const { return outcome_; }
  /// The state at 0 <= time <= end; costs two gradients and two products.
  Vector at(double time) const;
  const Vector& last() const { return outcome_.y; }

 private:
  const Flow& flow_;
  Trajectory path_;
  Outcome outcome_;
};

}  // namespace thalweg
