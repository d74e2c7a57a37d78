#include <gtest/gtest.h>

#include <cmath>

#include "solve.hpp"

namespace thalweg {
namespace {

/// The rows of SUNDIALS; none where it was not there at configuration.
std::vector<SchemeRow> sundials_rows() {
  return test::schemes_where([](const SchemeRow& row) { return row.family == "CVODE" || row.family == "ARKODE"; });
}

class SundialsScheme : public testing::TestWithParam<SchemeRow> {
 protected:
  const test::Network net{{{8}, "tanh", "logistic", "standard", 0, 0}, 2, 40};
  const Vector y0 = net.model.start(1);

  Outcome adapt(const Flow& flow, double rtol, double end = 2) const {
    SchemeSettings settings;
    settings.step = .01;
    settings.rtol = rtol;
    settings.atol = rtol;
    Stop stop;
    stop.time = end;
    const Outcome outcome = integrate(flow, make_scheme(GetParam().name, settings), y0, stop);
    EXPECT_EQ(outcome.status, Status::time) << outcome.message;
    return outcome;
  }
};

// PETSc's Dormand-Prince at fixed steps is right to 1e-10 here. The errors of at most some hundred steps of 1e-6 each
// add up at most, for the flow of a small network hardly expands over two units of time.
TEST_P(SundialsScheme, AgreesWithPetscToItsTolerance) {
  for (const Slots& slots : {Slots{}, Slots{.01, 0, 1}, Slots{.01, .05, 1}}) {
    const GradientFlow flow(net.risk, net.lattice.get(), slots);
    const Vector petsc = test::solve(flow, "rk5dp", 1. / 512, y0, 2).y;
    const Outcome outcome = adapt(flow, 1e-6);
    EXPECT_LT((outcome.y - petsc).cwiseAbs().maxCoeff(), 1e-6 * static_cast<double>(outcome.work.steps))
        << slots.nu << " " << slots.sigma;
  }
}

// A hundred times the tolerance is a hundred times the error, but for what the choice of steps and orders adds: a
// factor of ten to either side.
TEST_P(SundialsScheme, HasErrorsInProportionToItsTolerance) {
  const GradientFlow flow(net.risk, net.lattice.get(), Slots{.01, 0, 1});
  const Vector exact = test::solve(flow, "rk5dp", 1. / 512, y0, 2).y;
  const auto error = [&](double rtol) { return (adapt(flow, rtol).y - exact).cwiseAbs().maxCoeff(); };
  const double ratio = error(1e-4) / error(1e-6);
  EXPECT_GT(ratio, 10);
  EXPECT_LT(ratio, 1000);
}

// Each part alone has another end: a scheme that lost one of them would be off by more than 0.01.
TEST_P(SundialsScheme, TreatsBothPartsOfTheSplit) {
  const GradientFlow both(net.risk, net.lattice.get(), Slots{.05, 0, 1}), slow(net.risk, net.lattice.get(), Slots{});
  const Vector exact = test::solve(both, "rk5dp", 1. / 512, y0, 2).y;
  EXPECT_GT((test::solve(slow, "rk5dp", 1. / 512, y0, 2).y - exact).cwiseAbs().maxCoeff(), .01);
  EXPECT_GT((y0 - exact).cwiseAbs().maxCoeff(), .01);
  EXPECT_LT((adapt(both, 1e-6).y - exact).cwiseAbs().maxCoeff(), 1e-3);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SundialsScheme);
INSTANTIATE_TEST_SUITE_P(Table, SundialsScheme, testing::ValuesIn(sundials_rows()), test::scheme_title);

/// The rows of SUNDIALS that solve a linear system a stage.
class StiffSundialsScheme : public SundialsScheme {};

// nu lambda reaches 5 * 4 * 8^2 = 1280, so that an explicit scheme, stable up to 5 at most, would take 512 steps. The
// stiff part preconditions: a few iterations a stage.
TEST_P(StiffSundialsScheme, IsNotHeldBackByStiffDiffusion) {
  const GradientFlow flow(net.risk, net.lattice.get(), Slots{5, 0, 1});
  const Work work = adapt(flow, 1e-4).work;
  EXPECT_LT(work.steps, 512);
  EXPECT_LE(work.linear_iterations, 6 * work.nonlinear_iterations);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StiffSundialsScheme);
INSTANTIATE_TEST_SUITE_P(Table, StiffSundialsScheme, testing::ValuesIn(test::schemes_where([](const SchemeRow& row) {
                           return (row.family == "CVODE" || row.family == "ARKODE") && row.implicit != Part::none;
                         })),
                         test::scheme_title);

// The weighted maximum is below atol in every component, not on average: one fast direction among 400 slow ones counts.
TEST_P(SundialsScheme, DoesNotDiluteOneDirectionAmongMany) {
  Matrix a = Matrix::Identity(400, 400) * .1;
  a(0, 0) = 20;
  const test::Quadratic energy(a);
  const GradientFlow flow(energy, nullptr, {});
  SchemeSettings settings;
  settings.step = .01;
  settings.atol = 1e-4;
  Stop stop;
  stop.time = .1;
  const Outcome outcome = integrate(flow, make_scheme(GetParam().name, settings), Vector::Ones(400), stop);
  EXPECT_NEAR(outcome.y[0], std::exp(-2), 1e-4 * static_cast<double>(outcome.work.steps));
}

}  // namespace
}  // namespace thalweg
