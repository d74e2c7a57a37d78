#include "sundials_arkode.hpp"

#include <array>
#include <cmath>

#include <arkode/arkode_arkstep.h>

#include "sundials.hpp"

namespace thalweg::sundials {
namespace {

struct FreeArkode {
  void operator()(void* memory) const { ARKStepFree(&memory); }
};

/// Kennedy and Carpenter's PID controller as ARKODE has it, whose history is a value: h (e1^-.58 e2^.21 e3^-.1)^(1/p).
struct Controller {
  double last = 1;
  std::array<double, 2> before{1, 1};

  double step(double h, double error, int p) const {
    constexpr double tiny = 1e-10;  // ARKODE's floor of an error
    return h * std::pow(std::max(error, tiny), -.58 / p) * std::pow(std::max(before[0], tiny), .21 / p) *
           std::pow(std::max(before[1], tiny), -.1 / p);
  }
  void accept() { before = {last, before[0]}; }
};

class ArkodeStepper final : public Integrator {
 public:
  ArkodeStepper(const Tableaus& tableaus, const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : Integrator(flow, settings, y0, horizon), length_(settings.step) {
    const bool has_implicit = tableaus.implicit != ARKODE_DIRK_NONE,
               has_explicit = tableaus.explicit_ != ARKODE_ERK_NONE;
    additive_ = has_implicit && has_explicit;
    explicit_ = !has_explicit ? nullptr : additive_ ? velocity<Part::slow> : velocity<Part::all>;
    implicit_ = !has_implicit ? nullptr : additive_ ? velocity<Part::stiff> : velocity<Part::all>;
    memory_.reset(ARKStepCreate(explicit_, implicit_, 0, next_.get(), context_.get()));
    void* const ark = memory_.get();
    check(ARKStepSetErrHandlerFn(ark, complain, this));
    check(ARKStepSetUserData(ark, static_cast<Integrator*>(this)));
    check(ARKStepSetTableNum(ark, tableaus.implicit, tableaus.explicit_));
    // Hermite's would cost a gradient a step; nobody interpolates here.
    check(ARKStepSetInterpolantType(ark, ARK_INTERP_LAGRANGE));
    const Tolerances tolerance = tolerances(settings);
    check(ARKStepSStolerances(ark, tolerance.rtol, tolerance.atol));
    if (adaptive()) {
      check(ARKStepSetAdaptivityFn(ark, choose, &controller_));
      check(ARKStepSetMaxFirstGrowth(ark, 20));  // each step is a first one to ARKODE: as it bounds all later ones
      check(ARKStepSetMaxErrTestFails(ark, 20));
    }
    if (has_implicit) set_solver();
  }

  Snapshot snapshot() const override {
    return {now_.time, now_.step, work_, y_, {}, {length_, controller_.before[0], controller_.before[1]}};
  }
  void resume(const Snapshot& from) override {
    now_ = {from.time, from.step, {}};
    work_ = from.work;
    y_ = from.y;
    length_ = from.numbers[0];
    controller_.before = {from.numbers[1], from.numbers[2]};
  }

 private:
  void set_solver() {
    void* const ark = memory_.get();
    if (additive_) {
      solver_.reset(SUNLinSolNewEmpty(context_.get()));
      solver_->content = this;
      solver_->ops->gettype = [](SUNLinearSolver) { return SUNLINEARSOLVER_MATRIX_EMBEDDED; };
      solver_->ops->solve = [](SUNLinearSolver self, SUNMatrix, N_Vector x, N_Vector b, realtype) {
        return static_cast<ArkodeStepper*>(self->content)->solve_stage(b, x);
      };
      solver_->ops->free = [](SUNLinearSolver self) {
        SUNLinSolFreeEmpty(self);
        return 0;
      };
      check(ARKStepSetLinearSolver(ark, solver_.get(), nullptr));
      check(ARKStepSetLinear(ark, 0));
      check(ARKStepSetEpsLin(ark, 1e-12));  // no residual is too small to be solved for
      return;
    }
    solver_ = krylov();
    check(ARKStepSetLinearSolver(ark, solver_.get(), nullptr));
    check(ARKStepSetJacTimes(ark, nullptr, product));
    if (flow_.stiff()) check(ARKStepSetPreconditioner(ark, nullptr, precondition));
    // Of the error that Newton's test allows, a twentieth: its default, a two-hundredth, costs products only.
    check(ARKStepSetEpsLin(ark, .5));
    check(ARKStepSetLSNormFactor(ark, 1));       // 2-norm to maximum norm
    check(ARKStepSetLSetupFrequency(ark, -1));   // nothing lags, so that no solve remembers another
    check(ARKStepSetDeduceImplicitRhs(ark, 1));  // a stage's velocity is (y_stage - y)/h a: no gradient for it
    check(ARKStepSetMaxNonlinIters(ark, 20));
  }

  std::pair<int, double> step() override {
    void* const ark = memory_.get();
    entries(next_.get()) = y_;
    check(ARKStepReInit(ark, explicit_, implicit_, now_.time, next_.get()));
    // Times are multiples of the step, free of accumulated rounding; a rest below 1e-9 of a step is rounding.
    const double next = settings_.step * static_cast<double>(now_.step + 1);
    const bool last = next > horizon_ - 1e-9 * settings_.step;
    if (!adaptive()) {
      check(ARKStepSetFixedStep(ark, last ? horizon_ - now_.time : settings_.step));
    } else {
      check(ARKStepSetInitStep(ark, std::min(length_, horizon_ - now_.time)));
      if (std::isfinite(horizon_)) check(ARKStepSetStopTime(ark, horizon_));
    }
    double time = now_.time;
    const int flag = ARKStepEvolve(ark, now_.time + settings_.step, next_.get(), &time, ARK_ONE_STEP);
    if (flag >= 0) {
      check(ARKStepGetCurrentStep(ark, &length_));
      controller_.accept();
    }
    return {flag, adaptive() ? time : last ? horizon_ : next};
  }

  std::string title(int flag) const override {
    const std::unique_ptr<char, Destroy<std::free>> name(ARKStepGetReturnFlagName(flag));
    return std::string("ARKODE gave up, ") + name.get();
  }

  double gamma() const override {
    double gamma = 0;
    ARKStepGetCurrentGamma(memory_.get(), &gamma);
    return gamma;
  }

  void count(Work& work) override {
    void* const ark = memory_.get();
    long errors = 0, failures = 0, nonlinear = 0, linear = 0;
    ARKStepGetNumErrTestFails(ark, &errors);
    ARKStepGetNumStepSolveFails(ark, &failures);
    if (implicit_) {
      ARKStepGetNumNonlinSolvIters(ark, &nonlinear);
      if (!additive_) ARKStepGetNumLinIters(ark, &linear);
    }
    work.rejected += errors + failures;
    work.nonlinear_iterations += nonlinear;
    work.linear_iterations += linear;
  }

  int solve_stage(N_Vector b, N_Vector x) { return solve_stiff(gamma(), b, x); }

  static int choose(N_Vector, realtype, realtype h, realtype, realtype, realtype error, realtype, realtype, int, int p,
                    realtype* next, void* self) {
    auto& controller = *static_cast<Controller*>(self);
    controller.last = error;
    *next = controller.step(h, error, p);
    return 0;
  }

  double length_;
  Controller controller_;
  bool additive_;
  ARKRhsFn explicit_, implicit_;
  LinearSolver solver_;
  std::unique_ptr<void, FreeArkode> memory_;
};

}  // namespace

std::unique_ptr<Stepper> arkode_stepper(const Tableaus& tableaus, const Flow& flow, const SchemeSettings& settings,
                                        In y0, double horizon) {
  return std::make_unique<ArkodeStepper>(tableaus, flow, settings, y0, horizon);
}

}  // namespace thalweg::sundials
