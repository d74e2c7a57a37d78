#pragma once

#include <memory>
#include <vector>

#include "thalweg/observe/observer.hpp"

namespace thalweg {

/// One step of a descent on its way through the chain.
struct Move {
  const Flow& flow;
  const Instant& at;
  double eta;  // the step's size, 1 time
  Vector& y;   // the state; the last link moves it
  Vector& v;   // the direction, minus a gradient at first
  Work& work;
};

/// A link of a descent: turns the direction, or takes the step along it. Keeps what memory it needs; no call allocates.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual void apply(Move& move) = 0;
  /// What it keeps from step to step, for a snapshot to read and to set; empty before the first step.
  virtual std::vector<Vector*> memory() { return {}; }
};

/// v <- the velocity's `part` at y on the step's batch. One gradient.
std::unique_ptr<Transform> gradient(Part part);

/// v <- velocity at y - rho v/|v|, the worst point at distance rho to first order (Foret et al. 2021); follows
/// gradient(). One gradient more; none where v = 0.
std::unique_ptr<Transform> ascent(double rho);

/// v <- v min(1, norm/|v|) (Pascanu et al. 2013); norm > 0.
std::unique_ptr<Transform> clip(double norm);

/// m <- beta1 m + (1 - beta1) v, s <- beta2 s + (1 - beta2) v^2, v <- m^/(sqrt(s^) + epsilon), entry by entry, with
/// m^ = m/(1 - beta1^k), s^ = s/(1 - beta2^k) at step k = 1, 2, ... (Kingma and Ba 2015).
std::unique_ptr<Transform> adam(double beta1, double beta2, double epsilon);

/// y <- (1 - eta rate) y, behind the gradient and before the step (Loshchilov and Hutter 2019); rate: 1/time.
std::unique_ptr<Transform> decay(double rate);

/// y <- y + eta v.
std::unique_ptr<Transform> explicit_step();

/// y <- y + eta v + sqrt(eta) B xi with the normal numbers xi of (seed, noise, step): unadjusted Langevin, the
/// Euler-Maruyama step.
std::unique_ptr<Transform> langevin_step(std::uint64_t seed);

/// y <- (I - eta J_stiff)^-1 (y + eta v): v holds the slow part (IMEX Euler).
std::unique_ptr<Transform> implicit_step();

/// u <- beta u + eta v, y <- y + u (Polyak 1964).
std::unique_ptr<Transform> heavy_ball_step(double beta);

/// u <- beta u + eta v, y <- y + beta u + eta v (Nesterov 1983, as Sutskever et al. 2013 write it at the point where
/// the gradient is taken).
std::unique_ptr<Transform> nesterov_step(double beta);

}  // namespace thalweg
