#pragma once

#include <deque>
#include <optional>

#include "petsc_vector.hpp"
#include "shifted_jacobian.hpp"

namespace thalweg {

/// What all PETSc steppers share: steps, landing, counters and the words for a failure. A derived class makes the
/// callbacks and then calls start().
class PetscStepper : public Stepper {
 public:
  Advance advance() override;
  const Instant& now() const override { return now_; }
  const Vector& state() const override { return y_; }
  const Work& work() const override { return work_; }
  Snapshot snapshot() const override;
  void resume(const Snapshot& from) override;
  bool restarts() const override;

 protected:
  /// `solved`: the flow whose shifted Jacobian implicit steps solve with, `part` of it.
  PetscStepper(const PetscScheme& scheme, const Flow& flow, const Flow& solved, Part part,
               const SchemeSettings& settings, In y0, double horizon);
  void start(const SchemeSettings& settings);

  Instant at(double time) const { return {time, now_.step, now_.batch}; }
  /// Before PETSc takes a fixed step of that length.
  virtual void begin_step(double) {}
  /// The step of that length that PETSc has just taken may be bettered.
  virtual Advance finish_step(double) { return {}; }

  const PetscScheme& scheme_;
  const Flow& flow_;
  Batches batches_;
  Instant now_;
  Work work_, starts_work_;  // starts_work_: of another stepper, as far as PETSc does not count it here
  Work before_;              // of an earlier process: what PETSc has not counted
  Vector y_;                 // the memory of PETSc's solution
  petsc::Handle<TS, TSDestroy> ts_;
  petsc::Bridge bridge_;
  ShiftedJacobian jacobian_;
  double step_, horizon_;
  /// While TS is stepped through its history again, callbacks take their answers from here.
  bool replaying_ = false;
  Vector last_velocity_;  // of TSRK's last stage, which may be the first of the next step

 private:
  /// A state that a multistep history may hold.
  struct Past {
    double time;
    Vector y;
  };
  std::size_t depth() const;
  void remember(double time);
  void replay(const Snapshot& from);
  static PetscErrorCode after_stage(TS ts, PetscReal time, PetscInt stage, Vec* stages);

  void set_times();
  void set_tolerances(const SchemeSettings& settings);
  double cautious_step(const SchemeSettings& settings);
  double next_step() const;
  Advance take_step();
  void count();
  /// A stage whose linear solve fails is tried again with a shorter step, for which TSROSW would keep the old Jacobian.
  static PetscErrorCode renew_jacobian(TS ts, PetscReal time, PetscInt stage, Vec* y);
  /// A stage without a solve would be rejected for the failure of the last one, without end.
  static PetscErrorCode forget_failure(TS ts, PetscReal time);
  std::string failure() const;

  bool adaptive_;
  double last_;                     // length of the last step
  Vector kept_;                     // y before the step
  std::deque<Past> past_;           // the last states before now_, oldest first
  Vector half_;                     // TSBDF's state amid its first step
  const Vector* answer_ = nullptr;  // the state at the end of a replayed step
};

}  // namespace thalweg
