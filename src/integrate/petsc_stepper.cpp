#include "petsc_stepper.hpp"

#include <cmath>

#include "petsc_refusals.hpp"

namespace thalweg {

using petsc::check;

PetscErrorCode PetscStepper::renew_jacobian(TS ts, PetscReal, PetscInt, Vec*) {
  SNES snes = nullptr;
  SNESConvergedReason reason = SNES_CONVERGED_ITERATING;
  if (const PetscErrorCode code = TSGetSNES(ts, &snes)) return code;
  if (const PetscErrorCode code = SNESGetConvergedReason(snes, &reason)) return code;
  return reason < 0 ? SNESSetLagJacobian(snes, 1) : 0;
}

PetscErrorCode PetscStepper::forget_failure(TS ts, PetscReal) {
  SNES snes = nullptr;
  if (const PetscErrorCode code = TSGetSNES(ts, &snes)) return code;
  return SNESSetConvergedReason(snes, SNES_CONVERGED_ITERATING);
}

PetscStepper::PetscStepper(const PetscScheme& scheme, const Flow& flow, const Flow& solved, Part part,
                           const SchemeSettings& settings, In y0, double horizon)
    : scheme_(scheme),
      flow_(flow),
      batches_(settings.batch, flow.samples()),
      y_(y0),
      jacobian_(solved, part, work_, bridge_),
      step_(settings.step),
      horizon_(horizon),
      adaptive_(settings.rtol || settings.atol),
      last_(settings.step) {
  check(TSCreate(PETSC_COMM_SELF, ts_.out()));
  check(TSSetProblemType(ts_, TS_NONLINEAR));
  check(TSSetType(ts_, scheme.type));
}

void PetscStepper::start(const SchemeSettings& settings) {
  require_sound_options();
  check(TSSetApplicationContext(ts_, this));
  if (scheme_.implicit != Part::none) check(TSSetPreStage(ts_, forget_failure));
  if (scheme_.linear) check(TSSetPostStage(ts_, renew_jacobian));
  if (scheme_.type == std::string_view(TSBDF)) check(TSSetPostStage(ts_, after_stage));
  // A failed solve shortens the step; only repeated rejection of one step ends the run.
  check(TSSetMaxSNESFailures(ts_, -1));
  check(TSSetErrorIfStepFails(ts_, PETSC_FALSE));
  set_times();
  TSAdapt adapt = nullptr;
  check(TSGetAdapt(ts_, &adapt));
  check(TSAdaptSetType(adapt, adaptive_ ? settings.adapt.c_str() : TSADAPTNONE));
  if (adaptive_) set_tolerances(settings);
  check(TSSetFromOptions(ts_));
  // Last, because TSGLEE's options set its default type.
  if (scheme_.choose) scheme_.choose(ts_, settings);
  check(TSSetUp(ts_));
}

void PetscStepper::set_times() {
  check(TSSetTime(ts_, 0));
  check(TSSetTimeStep(ts_, std::min(step_, horizon_)));
  check(TSSetMaxSteps(ts_, PETSC_MAX_INT - 1));  // the largest itself means "not set"
  const bool ends = std::isfinite(horizon_);
  check(TSSetMaxTime(ts_, ends ? horizon_ : PETSC_MAX_REAL));
  check(TSSetExactFinalTime(ts_, adaptive_ && ends ? TS_EXACTFINALTIME_MATCHSTEP : TS_EXACTFINALTIME_STEPOVER));
}

void PetscStepper::set_tolerances(const SchemeSettings& settings) {
  check(TSSetTolerances(ts_, settings.atol.value_or(1e-9), nullptr, settings.rtol.value_or(0), nullptr));
  if (scheme_.blind_start) check(TSSetTimeStep(ts_, cautious_step(settings)));
  // The 2-norm would dilute one stiff direction among many parameters.
  PetscBool given = PETSC_FALSE;
  check(PetscOptionsHasName(nullptr, nullptr, "-ts_adapt_wnormtype", &given));
  if (!given) check(PetscOptionsSetValue(nullptr, "-ts_adapt_wnormtype", "infinity"));
}

/// A step so short that no entry of y moves by more than its tolerance.
double PetscStepper::cautious_step(const SchemeSettings& settings) {
  Vector v(y_.size());
  flow_.velocity(Part::all, {}, y_, v);
  ++work_.gradients;
  const Eigen::ArrayXd tolerance = settings.atol.value_or(1e-9) + settings.rtol.value_or(0) * y_.array().abs();
  const double fastest = (v.array().abs() / tolerance).maxCoeff();
  const double first = std::min(step_, horizon_);
  return fastest * first > 1 ? 1 / fastest : first;
}

/// The fixed step; a rest below two steps is shared evenly, and one within a hundredth of a step taken whole. After a
/// step that had to be shortened it is reached again by doubling: multistep formulas bear no faster growth.
double PetscStepper::next_step() const {
  const double step = std::min(step_, 2 * last_), rest = horizon_ - now_.time;
  if (rest <= 1.01 * step) return rest;
  return rest < 2 * step ? rest / 2 : step;
}

Advance PetscStepper::advance() {
  now_.batch = batches_.at(now_.step);
  kept_ = y_;
  const double before = now_.time;
  if (!adaptive_) {
    check(TSSetTimeStep(ts_, next_step()));
    begin_step(next_step());
  }
  // A new batch makes what TSRK keeps of the last step, its last stage, useless.
  if (!batches_.whole() && scheme_.type == std::string_view(TSRK)) check(TSRestartStep(ts_));
  const Advance result = take_step();
  if (result.ok)
    remember(before);
  else
    y_ = kept_;
  count();
  return result;
}

Advance PetscStepper::take_step() {
  TSConvergedReason reason = TS_CONVERGED_ITERATING;
  constexpr int most_starts = 10;
  for (int start = 0; start < most_starts; ++start) {
    try {
      bridge_.check(TSStep(ts_));
    } catch (const petsc::Error& error) {
      return {false, error.what(), error.code == PETSC_ERR_FP};
    }
    check(TSGetConvergedReason(ts_, &reason));
    if (reason >= 0 || now_.step > 0 || !scheme_.rigid_start) break;
    double step = 0;
    check(TSGetTimeStep(ts_, &step));
    check(TSSetTimeStep(ts_, step / 4));
  }
  if (reason < 0) return {false, failure(), false};
  double time = 0;
  check(TSGetTime(ts_, &time));
  last_ = time - now_.time;
  // What PETSc's ten rejections leave of a whole step; without a bound they might go on for ever, step by step.
  constexpr double shortest = 1e-6;
  if (!adaptive_ && last_ < shortest * step_ && last_ < horizon_ - now_.time)
    return {false, "PETSc gave up after t = " + to_text(now_.time) + ": the steps had to be cut to nothing", false};
  const Advance finished = finish_step(last_);
  // The sum of steps is off by rounding.
  now_.time = std::abs(horizon_ - time) <= 1e-9 * step_ ? horizon_ : time;
  ++now_.step;
  return finished;
}

void PetscStepper::count() {
  PetscInt rejected = 0, nonlinear = 0, linear = 0;
  check(TSGetStepRejections(ts_, &rejected));
  check(TSGetSNESIterations(ts_, &nonlinear));
  check(TSGetKSPIterations(ts_, &linear));
  work_.steps = now_.step;
  work_.rejected = rejected + starts_work_.rejected + before_.rejected;
  work_.nonlinear_iterations = nonlinear + starts_work_.nonlinear_iterations + before_.nonlinear_iterations;
  work_.linear_iterations =
      (scheme_.implicit == Part::all ? linear : 0) + starts_work_.linear_iterations + before_.linear_iterations;
}

/// PETSc's reasons, from the time stepper down to the linear solver, and what to try.
std::string PetscStepper::failure() const {
  TSConvergedReason steps = TS_CONVERGED_ITERATING;
  check(TSGetConvergedReason(ts_, &steps));
  std::string text = "PETSc gave up after t = " + to_text(now_.time) + ": " + TSConvergedReasons[steps];
  if (scheme_.implicit == Part::none) return text + "; try a looser tolerance or an implicit scheme";
  SNES snes = nullptr;
  KSP ksp = nullptr;
  SNESConvergedReason newton = SNES_CONVERGED_ITERATING;
  KSPConvergedReason linear = KSP_CONVERGED_ITERATING;
  check(TSGetSNES(ts_, &snes));
  check(SNESGetKSP(snes, &ksp));
  check(SNESGetConvergedReason(snes, &newton));
  check(KSPGetConvergedReason(ksp, &linear));
  if (newton < 0) text += std::string(", Newton's method: ") + SNESConvergedReasons[newton];
  if (jacobian_.indefinite())
    return text + "; the energy is not convex here: try a scheme.step below 1/|its least curvature|";
  if (linear < 0) text += std::string(", linear solver: ") + KSPConvergedReasons[linear];
  if (newton < 0) return text + "; try a smaller scheme.step, or -snes_max_it and -ksp_max_it after --";
  return text + "; try a smaller scheme.step or a looser tolerance";
}

}  // namespace thalweg
