#pragma once

#include "thalweg/integrate/schemes.hpp"

namespace thalweg {

/// y' = (J - growth I) y with the Jacobian J of a flow at a point, split into the same parts, the shift into the slow
/// one. The flow must outlive it.
class Linearisation final : public Flow {
 public:
  Linearisation(const Flow& flow, Vector at, double growth = 0) : flow_(flow), at_(std::move(at)), growth_(growth) {}

  Index size() const override { return flow_.size(); }
  void velocity(Part part, const Instant&, In y, Out v) const override {
    flow_.jvp(part, {}, at_, y, v);
    if (part == Part::slow || part == Part::all) v -= growth_ * y;
  }
  void jvp(Part part, const Instant& at, In, In w, Out vw) const override { velocity(part, at, w, vw); }
  void solve_stiff(double h, Out x) const override { flow_.solve_stiff(h, x); }
  void phi_stiff(int k, double h, Out x) const override { flow_.phi_stiff(k, h, x); }
  bool stiff() const override { return flow_.stiff(); }
  bool symmetric() const override { return flow_.symmetric(); }
  bool self_adjoint() const override { return flow_.self_adjoint(); }
  void lower(Out x) const override { flow_.lower(x); }
  /// -<y, (J - growth I) y>/2, which the flow lowers where it is self-adjoint.
  std::optional<double> energy(In y) const override {
    if (!self_adjoint()) return std::nullopt;
    Vector v(y.size());
    velocity(Part::all, {}, y, v);
    lower(v);
    return -y.dot(v) / 2;
  }

 private:
  const Flow& flow_;
  const Vector at_;
  double growth_;
};

/// The largest eigenvalue of the Jacobian of a flow at y, 0 where none is positive: the rate of the fastest mode that
/// grows by itself. Throws as sharpness() does.
double growth_rate(const Flow& flow, In y);

/// About what a search for the largest stable step costs, in steps: 300 where there is no bound, else fifteen times
/// that.
inline double stability_steps(const SchemeRow& row) { return row.implicit == Part::all ? 300 : 15 * 300; }

/// The largest step with which a scheme stays bounded on a linear flow without growing modes whose fastest decay is
/// `sharpness`: by bisection to a hundredth, over 300 steps from a vector of its fastest modes, bounded being a growth
/// below 30; infinity where even 1000/sharpness is stable.
double largest_stable_step(const Flow& linear, const Scheme& scheme, double sharpness);

}  // namespace thalweg
