#include "thalweg/integrate/petsc_ts.hpp"

#include <algorithm>

#include "petsc_stepper.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

using petsc::check;
using petsc::Read;
using petsc::Write;

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

/// y' = v(y) for PETSc: v_complement is the right-hand side, y' - v_implicit the left one.
class FirstOrderStepper final : public PetscStepper {
 public:
  FirstOrderStepper(const PetscScheme& scheme, const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : PetscStepper(scheme, flow, flow, scheme.implicit, settings, y0, horizon),
        solution_(petsc::view(y_, 0, y_.size())) {
    if (scheme.implicit != Part::all) check(TSSetRHSFunction(ts_, nullptr, right_side, this));
    if (scheme.implicit != Part::none) {
      jacobian_.attach(ts_, scheme.linear);
      check(TSSetIFunction(ts_, nullptr, left_side, this));
      check(TSSetIJacobian(ts_, jacobian_.matrix(), jacobian_.matrix(), linearise, this));
    }
    check(TSSetSolution(ts_, solution_));
    start(settings);
    // An adaptive scheme starts at low order with short steps, a fixed step needs its history at once.
    if (scheme.starter && !settings.rtol && !settings.atol) {
      starter_ = std::make_unique<FirstOrderStepper>(*scheme.starter, flow, settings, y0, INFINITY);
      starts_ = scheme.starts;
    }
  }

  Snapshot snapshot() const override {
    Snapshot all = PetscStepper::snapshot();
    if (scheme_.global_error) all.vectors.push_back(second_component());
    return all;
  }
  void resume(const Snapshot& from) override {
    PetscStepper::resume(from);
    if (starter_) starter_->resume({from.time, from.step, {}, from.y, {{}, {}}, {step_}});
    if (scheme_.global_error) set_second_component(from.vectors.back());
  }

 private:
  /// TSGLEE's state is y and another vector, which y and its error make up.
  Vector second_component() const {
    petsc::OwnVec second;
    check(VecDuplicate(solution_, second.out()));
    PetscInt index = 1;
    Vec raw = second;
    check(TSGetSolutionComponents(ts_, &index, &raw));
    return *Read(raw);
  }
  void set_second_component(const Vector& second) {
    Vector copy = second;
    const Vector y = y_;
    const petsc::OwnVec error = petsc::view(copy, 0, copy.size());
    *Write(solution_) = Vector::Zero(y.size());  // the component is made of both
    check(TSSetTimeError(ts_, error));
    *Write(solution_) = y;
  }

  Advance finish_step(double length) override {
    if (scheme_.global_error) estimate_error();
    return now_.step < starts_ ? replace(length) : Advance{};
  }

  /// The state becomes the starter's, before it enters the history. What both cost is counted.
  Advance replace(double length) {
    const Work before = starter_->work();
    starter_->step_ = length;
    const Advance made = starter_->advance();
    *Write(solution_) = starter_->state();
    work_.gradients += starter_->work().gradients - before.gradients;
    work_.products += starter_->work().products - before.products;
    starts_work_ = starter_->work();
    return made;
  }

  void estimate_error() {
    if (!error_) check(VecDuplicate(solution_, error_.out()));
    Vec error = error_;
    check(TSGetTimeError(ts_, 0, &error));
    work_.error = (*Read(error)).norm();
  }

  static PetscErrorCode right_side(TS, PetscReal time, Vec y, Vec v, void* context) {
    auto& self = *static_cast<FirstOrderStepper*>(context);
    return self.bridge_.guard([&] {
      const Part part = complement(self.scheme_.implicit);
      Write out(v);
      auto map = *out;
      if (self.replaying_) {
        map = self.last_velocity_;
        return;
      }
      self.flow_.velocity(part, self.at(time), *Read(y), map);
      self.work_.gradients += has_gradient(part);
      if (self.scheme_.type == std::string_view(TSRK)) self.last_velocity_ = map;
    });
  }

  static PetscErrorCode left_side(TS, PetscReal time, Vec y, Vec ydot, Vec residual, void* context) {
    auto& self = *static_cast<FirstOrderStepper*>(context);
    return self.bridge_.guard([&] {
      Write out(residual);
      auto map = *out;
      if (self.replaying_) {
        map.setZero();
        return;
      }
      self.flow_.velocity(self.scheme_.implicit, self.at(time), *Read(y), map);
      map = *Read(ydot) - map;
      self.work_.gradients += has_gradient(self.scheme_.implicit);
    });
  }

  static PetscErrorCode linearise(TS, PetscReal time, Vec y, Vec, PetscReal shift, Mat, Mat, void* context) {
    auto& self = *static_cast<FirstOrderStepper*>(context);
    return self.bridge_.guard([&] { self.jacobian_.move(shift, self.at(time), *Read(y)); });
  }

  petsc::OwnVec solution_, error_;
  std::unique_ptr<FirstOrderStepper> starter_;
  int starts_ = 0;
};

}  // namespace

std::unique_ptr<Stepper> petsc_stepper(const PetscScheme& scheme, const Flow& flow, const SchemeSettings& settings,
                                       In y0, double horizon) {
  return std::make_unique<FirstOrderStepper>(scheme, flow, settings, y0, horizon);
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

void require_options_used(std::vector<std::string> asked) {
  std::sort(asked.begin(), asked.end());
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  const auto unused = petsc::unused_options();
  if (unused.empty()) return;
  std::string message = "PETSc does not use " + unused.front() + " here";
  if (!nearest(unused.front(), asked).empty()) message += "; " + suggestion(unused.front(), asked);
  throw std::invalid_argument(message);
}

}  // namespace thalweg
