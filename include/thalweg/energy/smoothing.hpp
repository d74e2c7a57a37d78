#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "thalweg/energy/functional.hpp"

namespace thalweg {

/// Normal vectors that come in antithetic pairs +xi, -xi: what is odd in them cancels, so that on a quadratic
/// functional no draw is seen at all.
struct Draws {
  Index pairs = 1;
  std::uint64_t seed = 0;
  bool fresh = true;  // new ones at every step, a function of (seed, step); otherwise the same throughout
};

/// A functional's diffused version in parameter space, estimated from its values elsewhere. The estimate of a step is a
/// smooth function of y whose derivative hvp gives.
class Smoothing {
 public:
  virtual ~Smoothing() = default;

  /// g <- grad of the diffused f at y.
  virtual void gradient(const Functional& f, In y, Batch batch, std::int64_t step, Out g) const = 0;
  /// hw <- (d gradient/d y) w.
  virtual void hvp(const Functional& f, In y, Batch batch, std::int64_t step, In w, Out hw) const = 0;
  /// The diffused value, of which `gradient` is the gradient at every step; nothing where there is none.
  virtual std::optional<double> value(const Functional& f, In y, Batch batch, std::int64_t step) const = 0;
  /// Whether hvp is symmetric, `gradient` being one; otherwise it estimates one.
  virtual bool symmetric() const = 0;
  /// Gradients of f that one gradient takes.
  virtual std::int64_t gradients() const = 0;
};

/// The heat semigroup: (G_s * f)(y) = E f(y + sqrt(2 s) xi) solves u_s = Laplacian u, u(0) = f; `heat`: s >= 0.
/// The mean over the draws, in 2 pairs evaluations. Throws std::invalid_argument on a bad value.
std::unique_ptr<Smoothing> heat_smoothing(double heat, const Draws& draws);

/// Local entropy (Chaudhari et al. 2017) F(x) = -tau ln E exp(-f(x + sqrt(tau gamma) xi)/tau): the solution at time
/// gamma of the viscous Hamilton-Jacobi equation u_t = -|grad u|^2/2 + (tau/2) Laplacian u, u(0) = f (Chaudhari et al.
/// 2018).
struct LocalEntropy {
  double scope = 1;      // gamma > 0, time: how far the neighbourhood reaches
  double tau = 0;        // >= 0, temperature: 0 takes the lowest point of f(y) + |y - x|^2/(2 gamma)
  int steps = 20;        // of the inner chain, at least 1
  double step = .1;      // its step h, time; stable while h times the sharpness of f + |.|^2/(2 gamma) is below 2
  double average = .75;  // weight alpha in [0, 1) that the running mean gives to what it knew
};

/// grad F(x) = (x - <y>)/gamma with the mean <y> of the law exp(-(f(y) + |y - x|^2/(2 gamma))/tau), estimated by
/// entropy-sgd's inner Langevin chain from x: y <- y - h (grad f(y) + (y - x)/gamma) + sqrt(2 tau h) xi and the running
/// mean m <- alpha m + (1 - alpha) y, averaged over the draws. 2 pairs steps gradients (steps of them where tau = 0);
/// the whole chain sees one batch.
std::unique_ptr<Smoothing> local_entropy(const LocalEntropy& spec, const Draws& draws);

}  // namespace thalweg
