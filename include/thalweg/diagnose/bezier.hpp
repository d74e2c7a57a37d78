#pragma once

#include "thalweg/energy/functional.hpp"

namespace thalweg {

/// The quadratic Bezier curve (1-t)^2 a + 2 t (1-t) c + t^2 b.
struct Bezier {
  Vector a, b, c;
  Vector at(double t) const { return (1 - t) * (1 - t) * a + 2 * t * (1 - t) * c + t * t * b; }
};

/// The mean of a functional along the curve from a to b as a function of the bend c (Garipov et al. 2018),
/// E(c) = integral over t in [0, 1] of L((1-t)^2 a + 2 t (1-t) c + t^2 b), by the midpoint rule of `nodes` points: its
/// minimisers are paths of low loss between two minima. The functional must outlive it.
class BezierRisk final : public Functional {
 public:
  BezierRisk(const Functional& functional, In a, In b, int nodes);

  Index size() const override { return a_.size(); }
  Index samples() const override { return functional_.samples(); }
  double value(In c, Batch batch) const override;
  double gradient(In c, Batch batch, Out g) const override;
  void hvp(In c, Batch batch, In w, Out hw) const override;

 private:
  double place(int node) const { return (node + .5) / nodes_; }

  const Functional& functional_;
  const Vector a_, b_;
  const int nodes_;
};

}  // namespace thalweg
