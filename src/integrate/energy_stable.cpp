#include "energy_stable.hpp"

namespace thalweg {
namespace {

std::unique_ptr<Stepper> sav_euler(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return std::make_unique<ScalarAuxiliaryVariable>(flow, settings, y0, horizon, 1);
}

std::unique_ptr<Stepper> sav_crank_nicolson(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return std::make_unique<ScalarAuxiliaryVariable>(flow, settings, y0, horizon, .5);
}

constexpr SchemeRow rows[] = {
    {.name = "discrete-gradient",
     .family = "energy-stable",
     .what = "midpoint rule corrected so that E falls by |step|^2/h (Gonzalez 1996)",
     .order = 2,
     .implicit = Part::all,
     .adaptive = true,
     .make = discrete_gradient},
    {.name = "sav-euler",
     .family = "energy-stable",
     .what = "scalar auxiliary variable, backward Euler; a modified energy never rises",
     .order = 1,
     .implicit = Part::stiff,
     .carries_energy = true,
     .make = sav_euler},
    {.name = "sav-crank-nicolson",
     .family = "energy-stable",
     .what = "scalar auxiliary variable, Crank-Nicolson (Shen, Xu, Yang 2018)",
     .order = 2,
     .implicit = Part::stiff,
     .carries_energy = true,
     .make = sav_crank_nicolson},
};

}  // namespace

std::span<const SchemeRow> energy_stable_schemes() { return rows; }

}  // namespace thalweg
