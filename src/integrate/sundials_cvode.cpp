#include "sundials_cvode.hpp"

#include <cmath>

#include <cvode/cvode.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include "sundials.hpp"

namespace thalweg::sundials {
namespace {

struct FreeCvode {
  void operator()(void* memory) const { CVodeFree(&memory); }
};
using NonlinearSolver = std::unique_ptr<_generic_SUNNonlinearSolver, Destroy<SUNNonlinSolFree>>;

class CvodeStepper final : public Integrator {
 public:
  CvodeStepper(Multistep method, const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : Integrator(flow, settings, y0, horizon),
        newton_(method == Multistep::bdf),
        memory_(CVodeCreate(newton_ ? CV_BDF : CV_ADAMS, context_.get())) {
    void* const cvode = memory_.get();
    check(CVodeSetErrHandlerFn(cvode, complain, this));
    check(CVodeInit(cvode, velocity<Part::all>, 0, next_.get()));
    check(CVodeSetUserData(cvode, static_cast<Integrator*>(this)));
    const Tolerances tolerance = tolerances(settings);
    check(CVodeSStolerances(cvode, tolerance.rtol, tolerance.atol));
    check(CVodeSetMaxErrTestFails(cvode, 20));
    if (newton_) {
      linear_ = krylov();
      check(CVodeSetLinearSolver(cvode, linear_.get(), nullptr));
      check(CVodeSetJacTimes(cvode, nullptr, product));
      if (flow.stiff()) check(CVodeSetPreconditioner(cvode, nullptr, precondition));
      check(CVodeSetLSNormFactor(cvode, 1));  // 2-norm to maximum norm
    } else {
      nonlinear_.reset(SUNNonlinSol_FixedPoint(next_.get(), 0, context_.get()));
      check(CVodeSetNonlinearSolver(cvode, nonlinear_.get()));
    }
    begin(settings.step);
  }

  Snapshot snapshot() const override { return {now_.time, now_.step, work_, y_}; }
  bool restarts() const override { return true; }
  void resume(const Snapshot& from) override {
    now_ = {from.time, from.step, {}};
    work_ = before_ = from.work;
    y_ = from.y;
    entries(next_.get()) = y_;
    check(CVodeReInit(memory_.get(), now_.time, next_.get()));
    begin(0);  // CVODE estimates the first step: the last one was too long for order 1
  }

 private:
  void begin(double length) {
    if (std::isfinite(horizon_)) check(CVodeSetStopTime(memory_.get(), horizon_));
    check(CVodeSetInitStep(memory_.get(), std::min(length, horizon_ - now_.time)));
  }

  std::pair<int, double> step() override {
    double time = now_.time;
    const double towards = std::isfinite(horizon_) ? horizon_ : now_.time + settings_.step;
    const int flag = CVode(memory_.get(), towards, next_.get(), &time, CV_ONE_STEP);
    return {flag, time};
  }

  std::string title(int flag) const override {
    const std::unique_ptr<char, Destroy<std::free>> name(CVodeGetReturnFlagName(flag));
    return std::string("CVODE gave up, ") + name.get();
  }

  double gamma() const override {
    double gamma = 0;
    CVodeGetCurrentGamma(memory_.get(), &gamma);
    return gamma;
  }

  void count(Work& work) override {
    long errors = 0, failures = 0, nonlinear = 0, linear = 0;
    CVodeGetNumErrTestFails(memory_.get(), &errors);
    CVodeGetNumStepSolveFails(memory_.get(), &failures);
    CVodeGetNumNonlinSolvIters(memory_.get(), &nonlinear);
    if (newton_) CVodeGetNumLinIters(memory_.get(), &linear);
    work.rejected = before_.rejected + errors + failures;
    work.nonlinear_iterations = before_.nonlinear_iterations + nonlinear;
    work.linear_iterations = before_.linear_iterations + linear;
  }

  bool newton_;
  Work before_;  // of an earlier process
  LinearSolver linear_;
  NonlinearSolver nonlinear_;
  std::unique_ptr<void, FreeCvode> memory_;
};

}  // namespace

std::unique_ptr<Stepper> cvode_stepper(Multistep method, const Flow& flow, const SchemeSettings& settings, In y0,
                                       double horizon) {
  return std::make_unique<CvodeStepper>(method, flow, settings, y0, horizon);
}

}  // namespace thalweg::sundials
