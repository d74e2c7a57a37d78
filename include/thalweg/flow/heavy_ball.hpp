#pragma once

#include "thalweg/flow/flow.hpp"

namespace thalweg {

/// The heavy ball (Polyak 1964) M theta'' + gamma M theta' = -grad E in phase space: y = (theta, u) with
/// theta' = u, u' = v(theta) - gamma u, where v is the velocity of the gradient flow M theta' = -grad E.
/// Stiff part: (u, v_stiff - gamma u), linear; slow part: (0, v_slow).
/// The energy E + u'Mu/2 falls at the rate gamma u'Mu. The gradient flow must outlive it.
class HeavyBall final : public Flow {
 public:
  /// Throws std::invalid_argument on a negative friction (1/time) and on a flow with noise.
  HeavyBall(const Flow& descent, double friction);

  Index size() const override { return 2 * n_; }
  Index samples() const override { return descent_.samples(); }
  void velocity(Part part, const Instant& at, In y, Out v) const override;
  void jvp(Part part, const Instant& at, In y, In w, Out vw) const override;
  void solve_stiff(double h, Out x) const override;
  bool stiff() const override { return true; }
  std::int64_t evaluations() const override { return descent_.evaluations(); }
  std::optional<SecondOrder> second_order() const override { return SecondOrder{descent_, friction_}; }
  std::optional<double> energy(In y) const override { return batch_energy({}, y); }
  std::optional<double> batch_energy(const Instant& at, In y) const override;

 private:
  /// x <- x + (u, -gamma u) where `part` has it.
  void add_motion(Part part, In u, Out x) const;

  const Flow& descent_;
  double friction_;
  Index n_;
};

}  // namespace thalweg
