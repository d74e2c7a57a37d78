#pragma once

#include <functional>
#include <string>
#include <vector>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg {

/// R(z) = sum_k c_k z^k of a Runge-Kutta scheme of PETSc, by its tableau: c_0 = 1, c_k = b'A^(k-1) 1. Returns c.
std::vector<double> stability_polynomial(const std::string& rk_type);

/// The smallest x > 0 where |factor| of a step of length x on y' = -y grows past 1.
double real_stability_limit(const std::function<double(double)>& factor);

using MakeStepper = std::unique_ptr<Stepper> (*)(const Flow&, const SchemeSettings&, In y0, double horizon);

/// The same limit of a one-step scheme, whose factor is what one step makes of 1.
double one_step_limit(MakeStepper make, const SchemeSettings& settings);

/// The same limit of a scheme that carries an error estimate e along, linear in (y, e): the spectral radius of a step.
double with_error_limit(MakeStepper make, const SchemeSettings& settings);

}  // namespace thalweg
