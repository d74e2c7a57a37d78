#pragma once

#include <cstdint>
#include <optional>

#include "thalweg/core/core.hpp"
#include "thalweg/energy/functional.hpp"

namespace thalweg {

/// Where in training a call happens. All randomness of a step is a function of it.
struct Instant {
  double time = 0;  // training time: one descent step of size eta spans eta of it
  std::int64_t step = 0;
  Batch batch;  // the samples this step sees; empty: all
};

/// The terms of a right-hand side: what a scheme treats explicitly and implicitly. `all` is the sum of the other two.
enum class Part { none, slow, stiff, all };

class Flow;

/// theta'' + friction theta' = force(theta), the velocity of `force` at theta.
struct SecondOrder {
  const Flow& force;
  double friction;
};

/// An autonomous evolution dy = v(y) dt + B dW in R^n, v = slow + stiff, with a linear stiff part that can be solved
/// directly and noise that does not depend on y; B = 0 for most.
class Flow {
 public:
  virtual ~Flow() = default;

  virtual Index size() const = 0;
  /// The number of samples that a batch draws from; 0: the flow ignores batches.
  virtual Index samples() const { return 0; }
  /// v <- the velocity's `part` at y.
  virtual void velocity(Part part, const Instant& at, In y, Out v) const = 0;
  /// vw <- (d velocity/d y) w of `part`.
  virtual void jvp(Part part, const Instant& at, In y, In w, Out vw) const = 0;
  /// x <- (I - h J)^-1 x for the Jacobian J of the stiff part; h > 0.
  virtual void solve_stiff(double /*h*/, Out /*x*/) const {}
  /// x <- phi_k(h J) x for the same J, k from 0 to 3, h >= 0 (core/phi.hpp). Throws std::invalid_argument where a flow
  /// with a stiff part does not know how.
  virtual void phi_stiff(int k, double h, Out x) const;
  /// Whether the stiff part is anything but zero.
  virtual bool stiff() const { return false; }
  /// Whether the Jacobian is symmetric, so that conjugate gradients may solve with it.
  virtual bool symmetric() const { return false; }
  /// Whether M times the Jacobian is symmetric for the metric M of lower(): the Jacobian's eigenvalues are then real.
  virtual bool self_adjoint() const { return symmetric(); }
  /// x <- M x.
  virtual void lower(Out) const {}
  /// Gradients of the objective that one velocity takes, and products that one jvp does.
  virtual std::int64_t evaluations() const { return 1; }
  /// Whether B is anything but zero.
  virtual bool noisy() const { return false; }
  /// xi <- B xi; for a gradient flow B B' = 2 tau M^-1.
  virtual void colour(Out) const {}
  /// Where the flow is of second order, with (theta, theta') as its state y: what it is made of.
  virtual std::optional<SecondOrder> second_order() const { return std::nullopt; }
  /// How many entries of y are parameters, the first ones: what a run is watched by and ends in.
  Index parameters() const { return second_order() ? size() / 2 : size(); }
  /// The energy that the noise-free flow never raises, where there is one.
  virtual std::optional<double> energy(In) const { return std::nullopt; }
  /// The same as the mean over the samples that `at` sees.
  virtual std::optional<double> batch_energy(const Instant&, In y) const { return energy(y); }
};

}  // namespace thalweg
