#include <algorithm>

#include "petsc_stepper.hpp"

// What TS remembers from step to step lies in structures that no public function sets. It is put there again by
// stepping a fresh TS through the last states: the callbacks answer so that each solve ends at once, and the state of
// the step is written over what comes out. The history then holds the same bits.

namespace thalweg {

using petsc::check;

/// How many states before the present one the next step depends on.
std::size_t PetscStepper::depth() const {
  const std::string_view type = scheme_.type;
  if (type == TSBDF) {
    PetscInt order = 0;
    check(TSBDFGetOrder(ts_, &order));
    return static_cast<std::size_t>(order);
  }
  // TSRK has its last stage; the theta methods estimate errors from three states.
  const bool theta = type == TSTHETA || type == TSBEULER || type == TSCN;
  return type == TSRK || (theta && adaptive_) ? 1 : 0;
}

void PetscStepper::remember(double time) {
  const std::size_t depth = this->depth();
  if (depth == 0) return;
  if (past_.size() < depth) {
    past_.push_back({time, kept_});
    return;
  }
  std::rotate(past_.begin(), past_.begin() + 1, past_.end());
  past_.back().time = time;
  past_.back().y = kept_;
}

bool PetscStepper::restarts() const {
  TSAdapt adapt = nullptr;
  TSAdaptType controller = nullptr;
  check(TSGetAdapt(ts_, &adapt));
  check(TSAdaptGetType(adapt, &controller));
  // TSALPHA carries a velocity, the digital filter all errors since the start.
  return scheme_.type == std::string_view(TSALPHA) || scheme_.type == std::string_view(TSALPHA2) ||
         controller == std::string_view(TSADAPTDSP);
}

Snapshot PetscStepper::snapshot() const {
  double step = 0;
  check(TSGetTimeStep(ts_, &step));
  Snapshot all{now_.time, now_.step, work_, y_, {last_velocity_, half_}, {step}};
  for (const Past& past : past_) {
    all.numbers.push_back(past.time);
    all.vectors.push_back(past.y);
  }
  return all;
}

void PetscStepper::resume(const Snapshot& from) {
  last_velocity_ = from.vectors[0];
  half_ = from.vectors[1];
  past_.clear();
  for (std::size_t k = 1; k < from.numbers.size(); ++k) past_.push_back({from.numbers[k], from.vectors[k + 1]});
  if (!restarts()) replay(from);
  check(TSSetTime(ts_, from.time));
  check(TSSetStepNumber(ts_, static_cast<PetscInt>(from.step)));
  check(TSSetTimeStep(ts_, from.numbers[0]));
  now_ = {from.time, from.step, {}};
  starts_work_ = {};
  work_ = {};
  before_ = {};
  count();  // what the replay seems to have cost
  before_.rejected = from.work.rejected - work_.rejected;
  before_.nonlinear_iterations = from.work.nonlinear_iterations - work_.nonlinear_iterations;
  before_.linear_iterations = from.work.linear_iterations - work_.linear_iterations;
  work_ = from.work;
}

void PetscStepper::replay(const Snapshot& from) {
  Vec solution = nullptr;
  TSAdapt adapt = nullptr;
  check(TSGetSolution(ts_, &solution));
  check(TSGetAdapt(ts_, &adapt));
  check(TSAdaptSetAlwaysAccept(adapt, PETSC_TRUE));
  check(TSSetStepNumber(ts_, static_cast<PetscInt>(from.step) - static_cast<PetscInt>(past_.size())));
  replaying_ = true;
  for (std::size_t k = 0; k < past_.size(); ++k) {
    const bool last = k + 1 == past_.size();
    *petsc::Write(solution) = past_[k].y;
    answer_ = last ? &from.y : &past_[k + 1].y;
    check(TSSetTime(ts_, past_[k].time));
    check(TSSetTimeStep(ts_, (last ? from.time : past_[k + 1].time) - past_[k].time));
    bridge_.check(TSStep(ts_));
  }
  replaying_ = false;
  check(TSAdaptSetAlwaysAccept(adapt, PETSC_FALSE));
  *petsc::Write(solution) = from.y;
}

/// TSBDF begins with a state amid its first step, which stays in its history for some steps.
PetscErrorCode PetscStepper::after_stage(TS ts, PetscReal time, PetscInt, Vec* stages) {
  void* context = nullptr;
  if (const PetscErrorCode code = TSGetApplicationContext(ts, &context)) return code;
  auto& self = *static_cast<PetscStepper*>(context);
  return self.bridge_.guard([&] {
    double begin = 0, length = 0;
    check(TSGetTime(ts, &begin));
    check(TSGetTimeStep(ts, &length));
    const bool half = time < begin + .75 * length;
    if (self.replaying_)
      *petsc::Write(stages[0]) = half ? self.half_ : *self.answer_;
    else if (half && self.now_.step == 0)
      self.half_ = *petsc::Read(stages[0]);
  });
}

}  // namespace thalweg
