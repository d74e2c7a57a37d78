#include <cmath>

#include "petsc_stepper.hpp"

namespace thalweg {
namespace {

using petsc::check;
using petsc::Read;
using petsc::Write;

SecondOrder parts(const Flow& flow) {
  const auto order = flow.second_order();
  require(order.has_value(), "this scheme steps flows of second order only: give flow.gamma");
  return *order;
}

/// theta'' + gamma theta' - force(theta) = 0 for TSALPHA2, with the Jacobian c I - d force/d theta where the step makes
/// theta'' and theta' depend on theta by a_shift and v_shift, c = a_shift + gamma v_shift.
class AlphaTwo final : public PetscStepper {
 public:
  AlphaTwo(const PetscScheme& scheme, const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : PetscStepper(scheme, flow, parts(flow).force, Part::all, settings, y0, horizon),
        force_(parts(flow).force),
        friction_(parts(flow).friction),
        theta_(petsc::view(y_, 0, force_.size())),
        velocity_(petsc::view(y_, force_.size(), force_.size())) {
    jacobian_.attach(ts_, false);
    check(TSSetI2Function(ts_, nullptr, balance, this));
    check(TSSetI2Jacobian(ts_, jacobian_.matrix(), jacobian_.matrix(), linearise, this));
    check(TS2SetSolution(ts_, theta_, velocity_));
    start(settings);
  }

 private:
  static PetscErrorCode balance(TS, PetscReal time, Vec theta, Vec velocity, Vec acceleration, Vec f, void* context) {
    auto& self = *static_cast<AlphaTwo*>(context);
    return self.bridge_.guard([&] {
      Write out(f);
      auto map = *out;
      self.force_.velocity(Part::all, self.at(time), *Read(theta), map);
      map = *Read(acceleration) + self.friction_ * *Read(velocity) - map;
      ++self.work_.gradients;
    });
  }

  static PetscErrorCode linearise(TS, PetscReal time, Vec theta, Vec, Vec, PetscReal v_shift, PetscReal a_shift, Mat,
                                  Mat, void* context) {
    auto& self = *static_cast<AlphaTwo*>(context);
    return self.bridge_.guard(
        [&] { self.jacobian_.move(a_shift + self.friction_ * v_shift, self.at(time), *Read(theta)); });
  }

  const Flow& force_;
  double friction_;
  petsc::OwnVec theta_, velocity_;
};

/// Kicks u += c h force(theta) and drifts theta += d h u by TSBASICSYMPLECTIC, between two half steps of friction,
/// u <- exp(-gamma h/2) u (Strang 1968). Inside the kicks friction would be integrated wrongly.
class Symplectic final : public PetscStepper {
 public:
  Symplectic(const PetscScheme& scheme, const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : PetscStepper(scheme, flow, parts(flow).force, Part::none, settings, y0, horizon),
        force_(parts(flow).force),
        friction_(parts(flow).friction),
        solution_(petsc::view(y_, 0, y_.size())) {
    const auto n = static_cast<PetscInt>(force_.size());
    check(ISCreateStride(PETSC_COMM_SELF, n, 0, 1, position_.out()));
    check(ISCreateStride(PETSC_COMM_SELF, n, n, 1, momentum_.out()));
    check(TSRHSSplitSetIS(ts_, "position", position_));
    check(TSRHSSplitSetIS(ts_, "momentum", momentum_));
    check(TSRHSSplitSetRHSFunction(ts_, "position", nullptr, drift, this));
    check(TSRHSSplitSetRHSFunction(ts_, "momentum", nullptr, kick, this));
    check(TSSetSolution(ts_, solution_));
    start(settings);
  }

 private:
  void begin_step(double length) override { rub(length / 2); }
  Advance finish_step(double length) override {
    rub(length / 2);
    return {};
  }

  void rub(double time) {
    if (friction_ > 0) (*Write(solution_)).tail(force_.size()) *= std::exp(-friction_ * time);
  }

  static PetscErrorCode drift(TS, PetscReal, Vec momentum, Vec v, void* context) {
    return static_cast<Symplectic*>(context)->bridge_.guard([&] { *Write(v) = *Read(momentum); });
  }

  static PetscErrorCode kick(TS, PetscReal time, Vec position, Vec v, void* context) {
    auto& self = *static_cast<Symplectic*>(context);
    return self.bridge_.guard([&] {
      Write out(v);
      auto map = *out;
      self.force_.velocity(Part::all, self.at(time), *Read(position), map);
      ++self.work_.gradients;
    });
  }

  const Flow& force_;
  double friction_;
  petsc::OwnVec solution_;
  petsc::Handle<IS, ISDestroy> position_, momentum_;
};

constexpr PetscScheme alpha2{.type = TSALPHA2,
                             .implicit = Part::all,
                             .choose = [](TS ts, const SchemeSettings&) { check(TSAlpha2SetRadius(ts, 1)); },
                             .rigid_start = true};

template <char subtype>
constexpr PetscScheme symplectic{.type = TSBASICSYMPLECTIC, .choose = [](TS ts, const SchemeSettings&) {
                                   const char name[] = {subtype, '\0'};
                                   check(TSBasicSymplecticSetType(ts, name));
                                 }};

template <class Kind, const PetscScheme& scheme>
std::unique_ptr<Stepper> make(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return std::make_unique<Kind>(scheme, flow, settings, y0, horizon);
}

template <char subtype>
constexpr SchemeRow row(std::string_view name, int order, std::string_view what) {
  return {.name = name,
          .family = "symplectic",
          .what = what,
          .order = order,
          .second_order = true,
          .make = make<Symplectic, symplectic<subtype>>};
}

constexpr SchemeRow rows[] = {
    {.name = "alpha2",
     .family = "generalised-alpha",
     .what = "heavy ball: Chung-Hulbert 1993 without numerical damping",
     .order = 2,
     .implicit = Part::all,
     .adaptive = true,
     .second_order = true,
     .make = make<AlphaTwo, alpha2>},
    row<'1'>("symplectic-euler", 1, "heavy ball: a kick, then a drift"),
    row<'2'>("velocity-verlet", 2, "heavy ball: kicks and drifts, leapfrog"),
    row<'3'>("ruth3", 3, "heavy ball: Ruth 1983; of order 2 with friction"),
    row<'4'>("forest-ruth", 4, "heavy ball: Forest-Ruth 1990; of order 2 with friction"),
};

}  // namespace

std::span<const SchemeRow> petsc_second_order_schemes() { return rows; }

}  // namespace thalweg
