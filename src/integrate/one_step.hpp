#pragma once

#include <memory>
#include <string>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg {

/// Where an attempted step has led.
struct Attempt {
  bool ok = true;
  std::string message = {};  // what failed and what to try
  /// The largest component of the local error, O(h^3), over its tolerance; where tolerances are given.
  double error = 0;
};

/// What our own schemes share that go from one state to the next: batch, time, counters, the landing on the horizon
/// and, given tolerances, the choice of the step. A scheme says how to attempt a step.
class OneStep : public Stepper {
 public:
  Advance advance() final;
  const Instant& now() const final { return now_; }
  const Vector& state() const final { return y_; }
  const Work& work() const final { return work_; }
  Snapshot snapshot() const final;
  void resume(const Snapshot& snapshot) final;

 protected:
  OneStep(const Flow& flow, const SchemeSettings& settings, In y0, double horizon);

  /// next_ <- the state to which a step of size h leads from y_.
  virtual Attempt attempt(double h) = 0;
  /// The last attempt counts: next_ is about to become y_.
  virtual void accept() {}
  /// Appends what a scheme keeps from step to step to a snapshot's vectors and numbers, and takes it back from there.
  virtual void save(std::vector<Vector>&, std::vector<double>&) const {}
  virtual void load(std::span<const Vector>, std::span<const double>) {}

  bool adaptive() const { return rtol_ > 0 || atol_ > 0; }
  /// The largest component of `error` over atol + rtol max(|y|, |next|).
  double scaled(In error) const;
  /// Of one component, at most atol + rtol |y|.
  double smallest_tolerance() const { return atol_ + rtol_ * y_.cwiseAbs().minCoeff(); }
  /// Counted calls of the flow in the present instant.
  void velocity(Part part, In y, Out v);
  void jvp(Part part, In y, In w, Out vw);

  const Flow& flow_;
  Instant now_;
  Work work_;
  Vector y_, next_;

 private:
  struct Leap {
    double size, end;
  };
  Leap fixed_leap() const;
  Leap adapted_leap() const;
  void take(Leap leap);
  Advance step();
  Advance adapted_step();

  Batches batches_;
  double step_, horizon_, rtol_, atol_;
};

/// The factory of a scheme for its row.
template <class Scheme>
std::unique_ptr<Stepper> make_stepper(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return std::make_unique<Scheme>(flow, settings, y0, horizon);
}

}  // namespace thalweg
