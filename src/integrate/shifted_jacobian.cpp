#include "shifted_jacobian.hpp"

#include <limits>

#include "curvature.hpp"
#include "petsc_vector.hpp"

namespace thalweg {

using petsc::check;
using petsc::Read;
using petsc::Write;

void ShiftedJacobian::attach(TS ts, bool linear) {
  const auto n = static_cast<PetscInt>(flow_.size());
  check(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, this, matrix_.out()));
  check(MatShellSetOperation(matrix_, MATOP_MULT, reinterpret_cast<void (*)()>(multiply)));
  check(MatSetOption(matrix_, MAT_SYMMETRIC, flow_.symmetric() ? PETSC_TRUE : PETSC_FALSE));
  set_solvers(ts, linear);
}

void ShiftedJacobian::set_solvers(TS ts, bool linear) {
  SNES snes = nullptr;
  KSP ksp = nullptr;
  check(TSGetSNES(ts, &snes));
  check(SNESGetKSP(snes, &ksp));
  set_preconditioner(ksp);
  const bool direct = part_ == Part::stiff;
  if (direct || linear) check(SNESSetType(snes, SNESKSPONLY));
  if (direct) {
    check(KSPSetType(ksp, KSPPREONLY));
    return;
  }
  // The residual of a step is of the size of the step, so eight digits below it stay under the error of every scheme
  // in the table; Newton's method takes three of them at a time.
  constexpr double digits = 1e-8;
  check(SNESSetTolerances(snes, 1e-14, digits, 1e-9, 50, 10000));
  check(KSPSetType(ksp, flow_.symmetric() ? KSPCG : KSPGMRES));
  check(KSPSetTolerances(ksp, linear ? digits : 1e-3, PETSC_DEFAULT, PETSC_DEFAULT, 200));
}

void ShiftedJacobian::set_preconditioner(KSP ksp) {
  PC pc = nullptr;
  check(KSPGetPC(ksp, &pc));
  if (!flow_.stiff() && part_ != Part::stiff) {
    check(PCSetType(pc, PCNONE));
    return;
  }
  check(PCSetType(pc, PCSHELL));
  check(PCShellSetContext(pc, this));
  check(PCShellSetApply(pc, solve_stiff));
}

void ShiftedJacobian::move(double shift, const Instant& at, In y) {
  shift_ = shift;
  at_ = at;
  y_ = y;
  indefinite_ = false;
  // Without these TS accumulates its own shift on the shell.
  check(MatAssemblyBegin(matrix_, MAT_FINAL_ASSEMBLY));
  check(MatAssemblyEnd(matrix_, MAT_FINAL_ASSEMBLY));
}

PetscErrorCode ShiftedJacobian::multiply(Mat matrix, Vec w, Vec jw) {
  void* context = nullptr;
  if (const PetscErrorCode code = MatShellGetContext(matrix, &context)) return code;
  auto& self = *static_cast<ShiftedJacobian*>(context);
  return self.bridge_.guard([&] {
    Read from(w);
    Write out(jw);
    auto map = *out;
    self.flow_.jvp(self.part_, self.at_, self.y_, *from, map);
    map = self.shift_ * *from - map;
    self.work_.products += has_gradient(self.part_);
    // TSROSW multiplies by -J where a stage is explicit.
    if (self.shift_ <= 0 || positive_along(self.flow_, *from, map)) return;
    // The one answer that every linear solver of PETSc takes for a failure.
    self.indefinite_ = true;
    map.setConstant(std::numeric_limits<double>::quiet_NaN());
  });
}

PetscErrorCode ShiftedJacobian::solve_stiff(PC pc, Vec r, Vec z) {
  void* context = nullptr;
  if (const PetscErrorCode code = PCShellGetContext(pc, &context)) return code;
  auto& self = *static_cast<ShiftedJacobian*>(context);
  return self.bridge_.guard([&] {
    Write out(z);
    auto map = *out;
    map = 1 / self.shift_ * *Read(r);
    self.flow_.solve_stiff(1 / self.shift_, map);
  });
}

}  // namespace thalweg
