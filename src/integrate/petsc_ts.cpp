#include "thalweg/integrate/petsc_ts.hpp"

#include <chrono>
#include <cmath>
#include <type_traits>

#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

using petsc::check;
using Steps = petsc::Handle<TS, TSDestroy>;
using Vec_ = petsc::Handle<Vec, VecDestroy>;
using Mat_ = petsc::Handle<Mat, MatDestroy>;

bool has_gradient(Part part) { return part == Part::slow || part == Part::all; }

Part complement(Part implicit) {
  switch (implicit) {
    case Part::none:
      return Part::all;
    case Part::stiff:
      return Part::slow;
    case Part::slow:
      return Part::stiff;
    case Part::all:
      return Part::none;
  }
  return Part::all;
}

/// A PETSc vector's entries as an Eigen map, for as long as it lives.
template <class Entry, PetscErrorCode (*get)(Vec, Entry**), PetscErrorCode (*restore)(Vec, Entry**)>
class Access {
 public:
  explicit Access(Vec vec) : vec_(vec) {
    PetscInt n = 0;
    check(VecGetLocalSize(vec, &n));
    check(get(vec, &data_));
    size_ = n;
  }
  ~Access() { restore(vec_, &data_); }
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  auto operator*() const {
    return Eigen::Map<std::conditional_t<std::is_const_v<Entry>, const Vector, Vector>>(data_, size_);
  }

 private:
  Vec vec_;
  Entry* data_ = nullptr;
  Index size_ = 0;
};
using Read = Access<const double, VecGetArrayRead, VecRestoreArrayRead>;
using Write = Access<double, VecGetArray, VecRestoreArray>;

/// y' = v(y) for PETSc: v_complement is the right-hand side, y' - v_implicit the left one with the matrix-free
/// Jacobian shift I - dv/dy, preconditioned (or, where only the stiff part is implicit, solved) by the flow's own
/// direct solve.
class PetscStepper final : public Stepper {
 public:
  PetscStepper(const PetscScheme& scheme, const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : scheme_(scheme), flow_(flow), batches_(settings.batch, flow.samples()), y_(y0) {
    const auto n = static_cast<PetscInt>(y_.size());
    check(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, n, y_.data(), solution_.out()));
    check(TSCreate(PETSC_COMM_SELF, ts_.out()));
    check(TSSetProblemType(ts_, TS_NONLINEAR));
    check(TSSetType(ts_, scheme.type));
    if (scheme.choose) scheme.choose(ts_);
    if (scheme.implicit != Part::all) check(TSSetRHSFunction(ts_, nullptr, right_side, this));
    if (scheme.implicit != Part::none) set_implicit_side(n);
    set_steps(settings, horizon);
    check(TSSetFromOptions(ts_));
    check(TSSetSolution(ts_, solution_));
    check(TSSetUp(ts_));
  }

  Advance advance() override {
    const auto start = std::chrono::steady_clock::now();
    now_.batch = batches_.at(now_.step);
    if (scheme_.reuses_last_stage && !batches_.whole()) check(TSRestartStep(ts_));
    const Advance result = step();
    count();
    work_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
  }
  const Instant& now() const override { return now_; }
  const Vector& state() const override { return y_; }
  const Work& work() const override { return work_; }

 private:
  void set_implicit_side(PetscInt n) {
    check(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, this, jacobian_.out()));
    check(MatShellSetOperation(jacobian_, MATOP_MULT, reinterpret_cast<void (*)()>(multiply)));
    check(MatSetOption(jacobian_, MAT_SYMMETRIC, flow_.symmetric() ? PETSC_TRUE : PETSC_FALSE));
    check(TSSetIFunction(ts_, nullptr, left_side, this));
    check(TSSetIJacobian(ts_, jacobian_, jacobian_, linearise, this));
    SNES snes = nullptr;
    KSP ksp = nullptr;
    PC pc = nullptr;
    check(TSGetSNES(ts_, &snes));
    check(SNESGetKSP(snes, &ksp));
    check(KSPGetPC(ksp, &pc));
    const bool direct = scheme_.implicit == Part::stiff;
    if (direct || flow_.stiff()) {
      check(PCSetType(pc, PCSHELL));
      check(PCShellSetContext(pc, this));
      check(PCShellSetApply(pc, solve_stiff));
    } else {
      check(PCSetType(pc, PCNONE));
    }
    if (direct) {
      check(SNESSetType(snes, SNESKSPONLY));
      check(KSPSetType(ksp, KSPPREONLY));
      return;
    }
    // Inexact Newton: the residual of a step is of the size of the step, so eight digits below it stay under the
    // error of every scheme in the table; each Newton step gains three.
    check(SNESSetTolerances(snes, 1e-14, 1e-8, 1e-9, 50, 10000));
    check(KSPSetType(ksp, flow_.symmetric() ? KSPCG : KSPGMRES));
    check(KSPSetTolerances(ksp, 1e-3, PETSC_DEFAULT, PETSC_DEFAULT, 200));
    // A failed solve shortens the step; only repeated rejection of one step ends the run.
    check(TSSetMaxSNESFailures(ts_, -1));
  }

  void set_steps(const SchemeSettings& settings, double horizon) {
    check(TSSetTime(ts_, 0));
    check(TSSetTimeStep(ts_, std::min(settings.step, horizon)));
    check(TSSetMaxSteps(ts_, PETSC_MAX_INT - 1));  // the largest itself means "not set"
    const bool ends = std::isfinite(horizon);
    check(TSSetMaxTime(ts_, ends ? horizon : PETSC_MAX_REAL));
    check(TSSetExactFinalTime(ts_, ends ? TS_EXACTFINALTIME_MATCHSTEP : TS_EXACTFINALTIME_STEPOVER));
    check(TSSetErrorIfStepFails(ts_, PETSC_FALSE));
    TSAdapt adapt = nullptr;
    check(TSGetAdapt(ts_, &adapt));
    const bool adaptive = settings.rtol || settings.atol;
    check(TSAdaptSetType(adapt, adaptive ? TSADAPTBASIC : TSADAPTNONE));
    if (!adaptive) return;
    check(TSSetTolerances(ts_, settings.atol.value_or(1e-9), nullptr, settings.rtol.value_or(0), nullptr));
    // The 2-norm would dilute one stiff direction among many parameters.
    PetscBool given = PETSC_FALSE;
    check(PetscOptionsHasName(nullptr, nullptr, "-ts_adapt_wnormtype", &given));
    if (!given) check(PetscOptionsSetValue(nullptr, "-ts_adapt_wnormtype", "infinity"));
  }

  Advance step() {
    try {
      bridge_.check(TSStep(ts_));
    } catch (const petsc::Error& error) {
      return {false, error.what(), error.code == PETSC_ERR_FP};
    }
    TSConvergedReason reason = TS_CONVERGED_ITERATING;
    check(TSGetConvergedReason(ts_, &reason));
    if (reason >= 0) {
      check(TSGetTime(ts_, &now_.time));
      ++now_.step;
      return {};
    }
    return {false,
            std::string("PETSc gave up: ") + TSConvergedReasons[reason] +
                "; try a smaller scheme.step or a looser tolerance",
            false};
  }

  void count() {
    PetscInt rejected = 0, nonlinear = 0, linear = 0;
    check(TSGetStepRejections(ts_, &rejected));
    check(TSGetSNESIterations(ts_, &nonlinear));
    check(TSGetKSPIterations(ts_, &linear));
    work_.steps = now_.step;
    work_.rejected = rejected;
    work_.nonlinear_iterations = nonlinear;
    work_.linear_iterations = scheme_.implicit == Part::all ? linear : 0;
  }

  Instant at(double time) const { return {time, now_.step, now_.batch}; }

  static PetscErrorCode right_side(TS, PetscReal time, Vec y, Vec v, void* context) {
    auto& self = *static_cast<PetscStepper*>(context);
    return self.bridge_.guard([&] {
      const Part part = complement(self.scheme_.implicit);
      Write out(v);
      auto map = *out;
      self.flow_.velocity(part, self.at(time), *Read(y), map);
      self.work_.gradients += has_gradient(part);
    });
  }

  static PetscErrorCode left_side(TS, PetscReal time, Vec y, Vec ydot, Vec residual, void* context) {
    auto& self = *static_cast<PetscStepper*>(context);
    return self.bridge_.guard([&] {
      Write out(residual);
      auto map = *out;
      self.flow_.velocity(self.scheme_.implicit, self.at(time), *Read(y), map);
      map = *Read(ydot) - map;
      self.work_.gradients += has_gradient(self.scheme_.implicit);
    });
  }

  static PetscErrorCode linearise(TS, PetscReal time, Vec y, Vec, PetscReal shift, Mat, Mat matrix, void* context) {
    auto& self = *static_cast<PetscStepper*>(context);
    return self.bridge_.guard([&] {
      self.shift_ = shift;
      self.linearised_at_ = self.at(time);
      self.linearised_y_ = *Read(y);
      // Without these TS accumulates its own shift on the shell.
      check(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
      check(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
    });
  }

  static PetscErrorCode multiply(Mat matrix, Vec w, Vec jw) {
    void* context = nullptr;
    if (const PetscErrorCode code = MatShellGetContext(matrix, &context)) return code;
    auto& self = *static_cast<PetscStepper*>(context);
    return self.bridge_.guard([&] {
      Read from(w);
      Write out(jw);
      auto map = *out;
      self.flow_.jvp(self.scheme_.implicit, self.linearised_at_, self.linearised_y_, *from, map);
      map = self.shift_ * *from - map;
      self.work_.products += has_gradient(self.scheme_.implicit);
    });
  }

  static PetscErrorCode solve_stiff(PC pc, Vec r, Vec z) {
    void* context = nullptr;
    if (const PetscErrorCode code = PCShellGetContext(pc, &context)) return code;
    auto& self = *static_cast<PetscStepper*>(context);
    return self.bridge_.guard([&] {
      Write out(z);
      auto map = *out;
      map = *Read(r);
      self.flow_.solve_stiff(self.shift_, map);
    });
  }

  const PetscScheme& scheme_;
  const Flow& flow_;
  Batches batches_;
  Instant now_;
  Work work_;
  Vector y_;  // the memory of solution_
  Vec_ solution_;
  Mat_ jacobian_;
  Steps ts_;
  petsc::Bridge bridge_;
  double shift_ = 0;
  Instant linearised_at_;
  Vector linearised_y_;
};

}  // namespace

std::unique_ptr<Stepper> petsc_stepper(const PetscScheme& scheme, const Flow& flow, const SchemeSettings& settings,
                                       In y0, double horizon) {
  return std::make_unique<PetscStepper>(scheme, flow, settings, y0, horizon);
}

std::vector<std::string> read_options(const Scheme& scheme, const Flow& flow) {
  if (petsc::unused_options().empty()) return {};
  const auto configure = [&] {
    try {
      scheme.row.make(flow, scheme.settings, Vector::Zero(flow.size()), 1);
    } catch (const petsc::Error& error) {
      // Nothing has run yet, so only a value of the options can be at fault.
      throw std::invalid_argument(error.what());
    }
  };
  using Configure = decltype(configure);
  return petsc::options_asked([](void* c) { (*static_cast<const Configure*>(c))(); },
                              const_cast<void*>(static_cast<const void*>(&configure)));
}

void require_options_used(const std::vector<std::string>& asked) {
  const auto unused = petsc::unused_options();
  if (unused.empty()) return;
  std::string message = "PETSc does not use " + unused.front() + " here";
  if (!nearest(unused.front(), asked).empty()) message += "; " + suggestion(unused.front(), asked);
  throw std::invalid_argument(message);
}

}  // namespace thalweg
