#pragma once

#include <memory>

#include "one_step.hpp"

namespace thalweg {

/// The discrete-gradient scheme: E falls by |step|^2/h at every step (discrete_gradient.cpp).
std::unique_ptr<Stepper> discrete_gradient(const Flow& flow, const SchemeSettings& settings, In y0, double horizon);

/// Scalar auxiliary variable (Shen, Xu, Yang 2018): for M y' = -K y - grad E_1(y), K the stiff part's, carries
/// r = sqrt(E_1(y) + C) along by r' = <grad E_1, y'>/(2 sqrt(E_1 + C)). A step costs two solves with the stiff part,
/// no iteration, and lowers the modified energy y'Ky/2 + r^2 whatever its size.
class ScalarAuxiliaryVariable final : public OneStep {
 public:
  /// weight 1: backward Euler, grad E_1 at the start; 1/2: Crank-Nicolson, at a predicted midpoint.
  ScalarAuxiliaryVariable(const Flow& flow, const SchemeSettings& settings, In y0, double horizon, double weight);

  /// y'Ky/2 + r^2 - C: E itself while r is true to its definition.
  double modified_energy() const { return stiff_energy(y_) + r_ * r_ - constant_; }

 private:
  Attempt attempt(double h) override;
  void accept() override;
  void save(std::vector<Vector>&, std::vector<double>& numbers) const override;
  void load(std::span<const Vector>, std::span<const double> numbers) override;

  double stiff_energy(In y) const;
  double slow_energy(In y) const;
  Vector predicted(double h);

  double weight_, constant_, r_, next_r_, next_energy_ = 0;
};

}  // namespace thalweg
