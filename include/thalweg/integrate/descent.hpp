#pragma once

#include <memory>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg {

/// y <- y + eta v_B(y): stochastic gradient descent; on a Sobolev metric Laplacian smoothing (Osher et al. 2018).
std::unique_ptr<Stepper> explicit_descent(const Flow& flow, const SchemeSettings& settings, In y0, double horizon);

/// y <- (I - eta J_stiff)^-1 (y + eta v_slow(y)): the stiff part implicit (IMEX Euler).
std::unique_ptr<Stepper> semi_implicit_descent(const Flow& flow, const SchemeSettings& settings, In y0, double horizon);

/// u <- beta u + eta v_B(y), y <- y + u (Polyak 1964).
std::unique_ptr<Stepper> heavy_ball_descent(const Flow& flow, const SchemeSettings& settings, In y0, double horizon);

}  // namespace thalweg
