#pragma once

#include <petscts.h>

#include "thalweg/flow/flow.hpp"
#include "thalweg/integrate/petsc_ts.hpp"

namespace thalweg {

inline bool has_gradient(Part part) { return part == Part::slow || part == Part::all; }

/// shift I - dv/dy of one part of a flow, matrix-free, with PETSc's solvers set up for it. The stiff part alone is
/// solved directly; beside the slow one it is the preconditioner.
class ShiftedJacobian {
 public:
  /// Counts its products in `work`; exceptions of the flow go over `bridge`.
  ShiftedJacobian(const Flow& flow, Part part, Work& work, petsc::Bridge& bridge)
      : flow_(flow), part_(part), work_(work), bridge_(bridge) {}
  ShiftedJacobian(const ShiftedJacobian&) = delete;
  ShiftedJacobian& operator=(const ShiftedJacobian&) = delete;

  /// Makes the matrix and tells the solvers of `ts`; `linear`: one linear solve a stage.
  void attach(TS ts, bool linear);
  Mat matrix() const { return matrix_; }
  /// The matrix becomes the one at (shift, at, y).
  void move(double shift, const Instant& at, In y);
  /// Whether it has turned out not to be positive definite there, in the metric of a self-adjoint flow: a product then
  /// fails the linear solve.
  bool indefinite() const { return indefinite_; }

 private:
  void set_solvers(TS ts, bool linear);
  void set_preconditioner(KSP ksp);
  static PetscErrorCode multiply(Mat matrix, Vec w, Vec jw);
  static PetscErrorCode solve_stiff(PC pc, Vec r, Vec z);

  const Flow& flow_;
  Part part_;
  Work& work_;
  petsc::Bridge& bridge_;
  petsc::Handle<Mat, MatDestroy> matrix_;
  double shift_ = 0;
  Instant at_;
  Vector y_;
  bool indefinite_ = false;
};

}  // namespace thalweg
