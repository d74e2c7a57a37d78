#include "thalweg/diagnose/symmetric_map.hpp"

#include <memory>

#include "thalweg/energy/risk_hessian.hpp"

namespace thalweg {

SymmetricMap hessian(const Functional& functional, In y) {
  return {functional.size(),
          [&functional, at = Vector(y)](const Matrix& x, Matrix& ax) { functional.hvps(at, {}, x, ax); }};
}

SymmetricMap hessian(const Risk& risk, In y) {
  if (RiskHessian::bytes(risk) > 5e8) return hessian(static_cast<const Functional&>(risk), y);
  const auto kept = std::make_shared<RiskHessian>(risk, y);
  return {risk.size(), [kept](const Matrix& x, Matrix& ax) { kept->apply(x, ax); }};
}

SymmetricMap gauss_newton(const Risk& risk, In y) {
  return {risk.size(), [&risk, at = Vector(y)](const Matrix& x, Matrix& ax) { risk.gauss_newton(at, {}, x, ax); }};
}

MetricMap sobolev_metric(const Lattice& lattice, double sigma, int power) {
  const auto apply = [&lattice, sigma, power](In x, Out y) {
    Vector kx(x.size());
    y = x;
    for (int m = 0; m < power; ++m) {
      lattice.apply(y, kx);
      y += sigma * kx;
    }
  };
  const auto solve = [&lattice, sigma, power](Out y) {
    for (int m = 0; m < power; ++m) lattice.solve(sigma, y);
  };
  return {apply, solve};
}

}  // namespace thalweg
