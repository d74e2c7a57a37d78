#include "thalweg/diagnose/bezier.hpp"

namespace thalweg {

BezierRisk::BezierRisk(const Functional& functional, In a, In b, int nodes)
    : functional_(functional), a_(a), b_(b), nodes_(nodes) {
  require(a.size() == functional.size() && b.size() == functional.size(), "a curve needs two points of the functional");
  require(nodes >= 1, "a curve needs at least one node");
}

double BezierRisk::value(In c, Batch batch) const {
  double sum = 0;
  for (int k = 0; k < nodes_; ++k) sum += functional_.value(Bezier{a_, b_, c}.at(place(k)), batch);
  return sum / nodes_;
}

double BezierRisk::gradient(In c, Batch batch, Out g) const {
  double sum = 0;
  Vector slope(c.size());
  g.setZero();
  for (int k = 0; k < nodes_; ++k) {
    const double t = place(k);
    sum += functional_.gradient(Bezier{a_, b_, c}.at(t), batch, slope);
    g += 2 * t * (1 - t) / nodes_ * slope;
  }
  return sum / nodes_;
}

void BezierRisk::hvp(In c, Batch batch, In w, Out hw) const {
  Vector product(c.size());
  hw.setZero();
  for (int k = 0; k < nodes_; ++k) {
    const double t = place(k), weight = 2 * t * (1 - t);
    functional_.hvp(Bezier{a_, b_, c}.at(t), batch, w, product);
    hw += weight * weight / nodes_ * product;
  }
}

}  // namespace thalweg
