#include "integrate/energy_stable.hpp"

#include <gtest/gtest.h>
#include <petscts.h>

#include <cmath>

#include "solve.hpp"
#include "thalweg/core/petsc.hpp"

namespace thalweg {
namespace {

using petsc::check;

/// V(x) = (x_0^2 - 1)^2/4 and, where there is a second coordinate, (x_1 - x_0)^2/2.
class DoubleWell final : public Functional {
 public:
  explicit DoubleWell(Index size) : size_(size) {}
  Index size() const override { return size_; }
  double value(In x, Batch) const override {
    const double well = (x[0] * x[0] - 1) * (x[0] * x[0] - 1) / 4;
    return size_ == 1 ? well : well + (x[1] - x[0]) * (x[1] - x[0]) / 2;
  }
  double gradient(In x, Batch batch, Out g) const override {
    g[0] = x[0] * (x[0] * x[0] - 1);
    if (size_ == 2) {
      g[0] -= x[1] - x[0];
      g[1] = x[1] - x[0];
    }
    return value(x, batch);
  }
  void hvp(In x, Batch, In w, Out hw) const override {
    hw[0] = (3 * x[0] * x[0] - 1) * w[0];
    if (size_ == 2) {
      hw[0] -= w[1] - w[0];
      hw[1] = w[1] - w[0];
    }
  }

 private:
  Index size_;
};

/// States after each step, the start first.
Trajectory path(const Flow& flow, std::string_view scheme, double step, const Vector& y0, double end) {
  Trajectory states;
  const Watch watch[] = {{{{}, 1}, states}};
  test::solve(flow, scheme, step, y0, end, watch);
  return states;
}

// Newton's method ends at 1e-12 of the step.
TEST(DiscreteGradient, TakesItsKnownStepsInADoubleWell) {
  const DoubleWell well(1);
  const GradientFlow flow(well, nullptr, {});
  const Trajectory states = path(flow, "discrete-gradient", .5, Vector::Constant(1, 2), 1.5);
  ASSERT_EQ(states.states.size(), 4u);
  EXPECT_NEAR(states.states[1][0], .9401350, 5e-8);
  EXPECT_NEAR(states.states[2][0], .9782876, 5e-8);
  EXPECT_NEAR(states.states[3][0], .9925340, 5e-8);
}

// V(x1) - V(x0) = -<x1 - x0, M (x1 - x0)>/h to the rounding of the energies and 1e-11 of the fall, at steps from
// resolved to ten times too long for an explicit scheme.
TEST(DiscreteGradient, LowersTheEnergyByTheSquareOfTheStep) {
  const test::Network net({{6, 5}, "tanh", "logistic", "standard", 0, 0}, 2, 30);
  for (const Slots& slots : {Slots{0, 0, 1}, Slots{.02, 0, 1}, Slots{.02, .01, 1}, Slots{0, .01, 2}})
    for (const double step : {.1, 1., 5.}) {
      const GradientFlow flow(net.risk, net.lattice.get(), slots);
      const Trajectory states = path(flow, "discrete-gradient", step, net.model.start(1), 10 * step);
      for (std::size_t i = 1; i < states.states.size(); ++i) {
        const Vector move = states.states[i] - states.states[i - 1];
        Vector lowered = move;
        flow.lower(lowered);
        const double fall = move.dot(lowered) / step;
        const double before = *flow.energy(states.states[i - 1]), after = *flow.energy(states.states[i]);
        EXPECT_NEAR(before - after, fall, 4e-15 * before + 1e-11 * fall) << "step " << i << " of " << step;
      }
    }
}

/// The same flow by PETSc's TSDISCGRAD with Gonzalez' term.
Vector by_petsc(const GradientFlow& flow, double step, int steps, Vector y) {
  petsc::Handle<TS, TSDestroy> ts;
  petsc::Handle<Vec, VecDestroy> solution;
  const auto n = static_cast<PetscInt>(y.size());
  check(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, n, y.data(), solution.out()));
  check(TSCreate(PETSC_COMM_SELF, ts.out()));
  check(TSSetType(ts, TSDISCGRAD));
  const auto view = [](Vec v) {
    PetscInt size = 0;
    const double* data = nullptr;
    check(VecGetLocalSize(v, &size));
    check(VecGetArrayRead(v, &data));
    const Vector copy = Eigen::Map<const Vector>(data, size);
    check(VecRestoreArrayRead(v, &data));
    return copy;
  };
  static const auto read = view;
  check(TSDiscGradSetFormulation(
      ts,
      [](TS, PetscReal, Vec, Mat s, void*) -> PetscErrorCode {
        PetscInt rows = 0;
        check(MatGetSize(s, &rows, nullptr));
        for (PetscInt i = 0; i < rows; ++i) check(MatSetValue(s, i, i, -1, INSERT_VALUES));
        check(MatAssemblyBegin(s, MAT_FINAL_ASSEMBLY));
        check(MatAssemblyEnd(s, MAT_FINAL_ASSEMBLY));
        return 0;
      },
      [](TS, PetscReal, Vec x, PetscScalar* value, void* context) -> PetscErrorCode {
        *value = *static_cast<const GradientFlow*>(context)->energy(read(x));
        return 0;
      },
      [](TS, PetscReal, Vec x, Vec g, void* context) -> PetscErrorCode {
        const Vector at = read(x);
        Vector v(at.size());
        static_cast<const GradientFlow*>(context)->velocity(Part::all, {}, at, v);
        for (PetscInt i = 0; i < v.size(); ++i) check(VecSetValue(g, i, -v[i], INSERT_VALUES));
        check(VecAssemblyBegin(g));
        check(VecAssemblyEnd(g));
        return 0;
      },
      const_cast<GradientFlow*>(&flow)));
  check(TSDiscGradUseGonzalez(ts, PETSC_TRUE));
  check(TSSetTimeStep(ts, step));
  check(TSSetMaxSteps(ts, steps));
  check(TSSetMaxTime(ts, 2 * step * steps));
  check(TSSetExactFinalTime(ts, TS_EXACTFINALTIME_STEPOVER));
  SNES snes = nullptr;
  check(TSGetSNES(ts, &snes));
  check(SNESSetTolerances(snes, 1e-13, 1e-12, 1e-13, 100, 10000));
  check(TSSolve(ts, solution));
  return y;
}

TEST(DiscreteGradient, AgreesWithPetsc) {
  const DoubleWell well(2);
  const GradientFlow flow(well, nullptr, {});
  const Vector start{{1.5, -.5}};
  for (const double step : {.1, .4}) {
    const Vector ours = test::solve(flow, "discrete-gradient", step, start, 5 * step).y;
    EXPECT_LT((ours - by_petsc(flow, step, 5, start)).norm(), 1e-9) << step;
  }
}

TEST(DiscreteGradient, SaysWhenItsStepIsTooLongForAHillTop) {
  const DoubleWell well(1);
  const GradientFlow flow(well, nullptr, {});
  Stop stop;
  stop.steps = 1;
  // The Hessian is -1 at the top: steps beyond 2 have an indefinite system.
  const Outcome outcome = integrate(flow, test::fixed_step("discrete-gradient", 5), Vector::Constant(1, .01), stop);
  EXPECT_EQ(outcome.status, Status::failed);
  EXPECT_NE(outcome.message.find("try a smaller scheme.step"), std::string::npos);
}

// The same start with tolerances: the step is shortened until Newton's method and the error agree.
TEST(DiscreteGradient, ShortensAStepThatFails) {
  const DoubleWell well(1);
  const GradientFlow flow(well, nullptr, {});
  SchemeSettings settings;
  settings.step = 5;
  settings.atol = 1e-4;
  Stop stop;
  stop.time = 20;
  const Outcome outcome = integrate(flow, make_scheme("discrete-gradient", settings), Vector::Constant(1, .01), stop);
  EXPECT_EQ(outcome.status, Status::time);
  EXPECT_GT(outcome.work.rejected, 0);
  EXPECT_NEAR(outcome.y[0], 1, 1e-3);
}

class ScalarAuxiliary : public testing::TestWithParam<double> {};

// The modified energy changes by -|d|^2/h - (2 w - 1)(d'Kd/2 + (r+ - r)^2): never upwards, and for w = 1/2 by the
// square of the step alone; at steps up to a thousand times too long for an explicit scheme.
TEST_P(ScalarAuxiliary, NeverRaisesItsModifiedEnergy) {
  const test::Network net({{6, 5}, "tanh", "logistic", "standard", 0, 0}, 2, 30);
  for (const Slots& slots : {Slots{0, 0, 1}, Slots{1, 0, 1}, Slots{1, .01, 2}})
    for (const double step : {.01, 1., 100.}) {
      const GradientFlow flow(net.risk, net.lattice.get(), slots);
      SchemeSettings settings;
      settings.step = step;
      ScalarAuxiliaryVariable scheme(flow, settings, net.model.start(1), 1e9, GetParam());
      const double size = 1 + scheme.modified_energy();  // rounding of all that follows is 1e-16 of it and more
      EXPECT_NEAR(scheme.modified_energy(), *flow.energy(scheme.state()), 1e-14 * size);
      for (int k = 0; k < 20; ++k) {
        const Vector before = scheme.state();
        const double energy = scheme.modified_energy();
        ASSERT_TRUE(scheme.advance().ok);
        const Vector move = scheme.state() - before;
        Vector lowered = move;
        flow.lower(lowered);
        const double fall = energy - scheme.modified_energy();
        EXPECT_GE(fall, -1e-13 * size);
        if (GetParam() == .5)
          EXPECT_NEAR(fall, move.dot(lowered) / step, 1e-12 * size) << "step " << k << " of " << step;
        else
          EXPECT_GE(fall, move.dot(lowered) / step - 1e-13 * size);
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Weights, ScalarAuxiliary, testing::Values(.5, 1.),
                         [](const auto& weight) { return weight.param == 1 ? "Euler" : "CrankNicolson"; });

TEST(EnergyStable, SchemesRefuseFlowsWithoutAnEnergy) {
  class Drift final : public Flow {
   public:
    Index size() const override { return 1; }
    void velocity(Part, const Instant&, In, Out v) const override { v[0] = 1; }
    void jvp(Part, const Instant&, In, In, Out vw) const override { vw[0] = 0; }
    bool symmetric() const override { return true; }
  };
  for (const auto* scheme : {"discrete-gradient", "sav-euler", "sav-crank-nicolson"})
    EXPECT_NE(test::complaint([&] { test::solve(Drift(), scheme, .1, Vector::Ones(1)); }).find("lowers an energy"),
              std::string::npos)
        << scheme;
}

}  // namespace
}  // namespace thalweg
