#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/energy/diffusion.hpp"
#include "thalweg/energy/smoothing.hpp"
#include "thalweg/flow/flow.hpp"

namespace thalweg {

/// What diffuses: which slot of (energy, metric, noise) is filled.
struct Diffusion {
  std::string_view name, what, equation;
};
std::span<const Diffusion> diffusions();

/// Strengths of the filled slots; zero leaves a slot empty. `output` is a term of the objective itself.
struct Slots {
  double nu = 0;                         // weights: E gains (nu/2) theta' K theta, its stiff part
  double sigma = 0;                      // gradient: the metric is M = (I + sigma K)^power
  int power = 1;                         // 1 or 2
  double tau = 0;                        // law: the temperature of the noise
  const Smoothing* smoothing = nullptr;  // landscape, local-entropy: S takes L's place; must outlive the flow
};

/// M dy = -grad E(y) dt + sqrt(2 tau) M^(1/2) dW with E = scale S + (nu/2) y' K y and M = (I + sigma K)^m, S the
/// objective L or its diffused version. Slow part: -M^-1 scale grad S; stiff part: -nu M^-1 K y. K and M commute, so
/// that every solve is direct. Without noise dE/dt = -<grad E, M^-1 grad E> <= 0; with it the law exp(-E/tau) is kept
/// whatever the metric. The functional and the lattice must outlive the flow.
class GradientFlow final : public Flow {
 public:
  /// `lattice` may be null where no slot needs it. Throws std::invalid_argument on a negative strength, a power other
  /// than 1 and 2, or sizes that do not match.
  GradientFlow(const Functional& objective, const Lattice* lattice, const Slots& slots, double scale = 1);

  Index size() const override { return objective_.size(); }
  Index samples() const override { return objective_.samples(); }
  void velocity(Part part, const Instant& at, In y, Out v) const override;
  void jvp(Part part, const Instant& at, In y, In w, Out vw) const override;
  void solve_stiff(double h, Out x) const override;
  void phi_stiff(int k, double h, Out x) const override;
  bool stiff() const override { return slots_.nu > 0; }
  bool symmetric() const override { return slots_.sigma == 0 && self_adjoint(); }
  bool self_adjoint() const override { return !slots_.smoothing || slots_.smoothing->symmetric(); }
  void lower(Out x) const override;
  std::optional<double> energy(In y) const override { return batch_energy({}, y); }
  std::optional<double> batch_energy(const Instant& at, In y) const override;
  std::int64_t evaluations() const override { return slots_.smoothing ? slots_.smoothing->gradients() : 1; }
  bool noisy() const override { return slots_.tau > 0; }
  /// xi <- sqrt(2 tau) M^(-1/2) xi.
  void colour(Out xi) const override;

  /// g <- M^-1 g.
  void raise(Out g) const;

 private:
  void subtract_diffusion(In y, Out v) const;

  const Functional& objective_;
  const Lattice* lattice_;
  Slots slots_;
  double scale_;
};

}  // namespace thalweg
