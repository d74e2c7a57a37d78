#include "thalweg/integrate/petsc_ts.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "solve.hpp"
#include "thalweg/core/phi.hpp"

namespace thalweg {
namespace {

struct Planted final : std::exception {
  const char* what() const noexcept override { return "planted"; }
};

enum class Call { velocity, jvp, solve_stiff };

/// y' = -y, half of it stiff; throws at the n-th call of one kind.
class Throwing final : public Flow {
 public:
  Throwing(Call call, int& left) : call_(call), left_(left) {}
  Index size() const override { return 2; }
  bool stiff() const override { return true; }
  void velocity(Part part, const Instant&, In y, Out v) const override {
    count(Call::velocity);
    v = -share(part) * y;
  }
  void jvp(Part part, const Instant&, In, In w, Out vw) const override {
    count(Call::jvp);
    vw = -share(part) * w;
  }
  void solve_stiff(double h, Out x) const override {
    count(Call::solve_stiff);
    x /= 1 + h * share(Part::stiff);
  }
  void phi_stiff(int k, double h, Out x) const override {
    count(Call::solve_stiff);
    x *= phi(k, -h * share(Part::stiff));
  }
  bool symmetric() const override { return true; }
  std::optional<double> energy(In y) const override { return y.squaredNorm() / 2; }

 private:
  static double share(Part part) { return part == Part::all ? 1 : part == Part::none ? 0 : .5; }
  void count(Call call) const {
    if (call == call_ && left_-- == 0) throw Planted();
  }

  Call call_;
  int& left_;
};

void run(const Flow& flow, std::string_view scheme) {
  Stop stop;
  stop.time = 1;
  integrate(flow, test::fixed_step(scheme, .1), Vector::Ones(2), stop);
}

class ExceptionInAFlow : public testing::TestWithParam<SchemeRow> {};

TEST_P(ExceptionInAFlow, ReachesTheCallerAsItself) {
  for (const int calls : {0, 1, 7}) {
    int left = calls;
    EXPECT_THROW(run(Throwing(Call::velocity, left), GetParam().name), Planted) << calls;
    EXPECT_EQ(left, -1);
  }
}

TEST_P(ExceptionInAFlow, LeavesTheNextRunUnharmed) {
  const Vector before = test::solve(test::Decay(1).flow, GetParam().name, .1, Vector::Ones(1)).y;
  int left = 3;
  EXPECT_THROW(run(Throwing(Call::velocity, left), GetParam().name), Planted);
  EXPECT_EQ(test::solve(test::Decay(1).flow, GetParam().name, .1, Vector::Ones(1)).y, before);
}

INSTANTIATE_TEST_SUITE_P(Table, ExceptionInAFlow, testing::ValuesIn(test::first_order_schemes()), test::scheme_title);

TEST(ExceptionInALinearSolve, ReachesTheCallerAsItself) {
  for (const SchemeRow& row : test::first_order_schemes())
    for (const int calls : {0, 3}) {
      int left = calls;
      const bool krylov = row.family == "exponential" && row.implicit == Part::all;  // products are all it needs
      if (row.implicit != Part::none && !krylov) {
        EXPECT_THROW(run(Throwing(Call::solve_stiff, left), row.name), Planted) << row.name;
      }
      left = calls;
      if (row.implicit == Part::all) {
        EXPECT_THROW(run(Throwing(Call::jvp, left), row.name), Planted) << row.name;
      }
    }
}

// Backward Euler damps y' = -1e6 y in one step of 1 by 1/(1 + 1e6); an explicit scheme would need half a million.
TEST(ImplicitScheme, TakesStepsFarBeyondTheFastestScale) {
  const Vector y = test::solve(test::Decay(1e6).flow, "backward-euler", 1, Vector::Ones(1)).y;
  EXPECT_NEAR(y[0], 1 / (1 + 1e6), 1e-8 / (1 + 1e6));
}

/// What an implicit row makes of y' = -rates y from ones.
Outcome grown(const SchemeRow& row, const Vector& rates, const Stop& stop, double step,
              std::optional<double> rtol = {}) {
  const test::Quadratic energy(rates.asDiagonal().toDenseMatrix());
  const GradientFlow flow(energy, nullptr, {});
  SchemeSettings settings;
  settings.step = step;
  settings.rtol = rtol;
  return integrate(flow, make_scheme(row.name, settings), Vector::Ones(rates.size()), stop);
}

Outcome grown_for_a_step(const SchemeRow& row, const Vector& rates, double step) {
  Stop stop;
  stop.steps = 1;
  return grown(row, rates, stop, step);
}

// Along y_0 the energy curves down by 22. A step of 1 would lead backward Euler from 1 to 1/(1 - 22), to the other side
// of the hill, and so or farther the others. PETSc's conjugate gradients notice a change of sign between two
// directions, not one direction alone; ours look at each. The step is tried again with a quarter of its length, and is
// then the one that a run of steps of that length takes at once.
TEST(ImplicitScheme, GoesOnWhereTheEnergyIsNotConvex) {
  for (const Vector& rates : {Vector{{-22}}, Vector{{-22, -15, -22}}, Vector{{-22, 66}}})
    for (const SchemeRow& row : petsc_schemes()) {
      if (row.implicit != Part::all) continue;
      const Outcome outcome = grown_for_a_step(row, rates, 1);
      EXPECT_NE(outcome.status, Status::failed) << row.name << ": " << outcome.message;
      EXPECT_GT(outcome.work.rejected, 0) << row.name;
      const Outcome shorter = grown_for_a_step(row, rates, outcome.end.time);
      EXPECT_EQ(shorter.work.rejected, 0) << row.name;
      EXPECT_LT((outcome.y - shorter.y).norm(), 1e-6 * shorter.y.norm()) << row.name;
      if (row.order == 1 && row.family != "Rosenbrock-W") {
        EXPECT_GT(outcome.y[0], 1) << row.name;
      }
    }
}

// Those that cannot shorten a fixed step say what is wrong with it; none arrives on the other side.
TEST(ImplicitScheme, NeverCrossesAHillByAFixedStep) {
  const auto of_petsc = names(petsc_schemes());
  for (const SchemeRow& row : test::first_order_schemes()) {
    if (row.implicit != Part::all || !row.fixed) continue;
    if (std::find(of_petsc.begin(), of_petsc.end(), row.name) != of_petsc.end()) continue;
    const Outcome outcome = grown_for_a_step(row, Vector{{-22}}, 1);
    if (outcome.status == Status::failed) {
      EXPECT_NE(outcome.message.find("try a "), std::string::npos) << outcome.message;
      EXPECT_NE(outcome.message.find(row.family == "ARKODE" ? "is not convex" : "indefinite"), std::string::npos)
          << outcome.message;
    } else {
      EXPECT_GT(outcome.y[0], 1) << row.name;
    }
  }
}

// A relative error neither grows nor fades on y' = 10 y, so that those of the steps add up at most. Steps are of the
// length of the growth itself, where estimates are right to a factor of ten.
TEST(ImplicitScheme, FollowsGrowthToItsTolerance) {
  Stop stop;
  stop.time = 1;
  for (const SchemeRow& row : test::first_order_schemes()) {
    if (row.implicit != Part::all || !row.adaptive) continue;
    const Outcome outcome = grown(row, Vector{{-10}}, stop, 1, 1e-4);
    EXPECT_EQ(outcome.status, Status::time) << row.name << ": " << outcome.message;
    EXPECT_NEAR(outcome.y[0] * std::exp(-10), 1, 1e-3 * static_cast<double>(outcome.work.steps)) << row.name;
  }
}

// A step of backward Euler minimises E + |step|^2/(2 h) in the metric: the root near its start lowers E, others need
// not. Steps from resolved to a thousand times too long for that.
TEST(BackwardEuler, LowersTheEnergyOfANetworkAtEveryStep) {
  const test::Network net({{8, 8}, "tanh", "logistic", "standard", 0, 0}, 2, 40);
  for (const Slots& slots : {Slots{}, Slots{.05, 0, 1}, Slots{.02, .05, 1}})
    for (const auto* scheme : {"backward-euler", "bdf1", "arkimex1bee-implicit"})
      for (const double step : {1., 10., 100., 1000.}) {
        const GradientFlow flow(net.risk, net.lattice.get(), slots);
        Trajectory path;
        const Watch watch[] = {{{{}, 1}, path}};
        Stop stop;
        stop.steps = 10;
        integrate(flow, test::fixed_step(scheme, step), .3 * net.model.start(1), stop, watch);
        ASSERT_EQ(path.states.size(), 11u) << scheme;
        for (std::size_t k = 1; k < path.states.size(); ++k)
          EXPECT_LT(*flow.energy(path.states[k]), *flow.energy(path.states[k - 1])) << scheme << " at " << step;
      }
}

// On y' = -nu K y with h nu |K| = 4e4 an implicit stiff part is stable where an explicit step would grow 4e4 fold.
TEST(ImplicitStiffPart, StaysStableForAnyStrengthOfDiffusion) {
  const test::Quadratic nothing(Matrix::Zero(8, 8));
  const auto lattice = test::flat_lattice("chain", 8);
  const GradientFlow flow(nothing, lattice.get(), {1e5, 0, 1});
  const Vector y0 = test::normals(8, 1);
  for (const auto* scheme : {"arkimex3", "diffusion-sgd", "backward-euler", "bdf2"}) {
    const Vector y = test::solve(flow, scheme, .1, y0).y;
    EXPECT_NEAR(y.mean(), y0.mean(), 1e-8) << scheme;
    EXPECT_LT((y.array() - y.mean()).matrix().norm(), 1e-3 * y0.norm()) << scheme;
  }
}

/// An option of PETSc for as long as it lives.
class Option {
 public:
  Option(const char* name, const char* value) : name_(name) {
    petsc::check(PetscOptionsSetValue(nullptr, name, value));
  }
  ~Option() { PetscOptionsClearValue(nullptr, name_); }

 private:
  const char* name_;
};

// One linear solve a step answers a linear problem, to the digits that are asked of it.
TEST(PetscOptions, OverrideTheSettings) {
  const auto newton_steps = [] {
    const test::Quadratic energy(test::definite(6, 1));
    const GradientFlow flow(energy, nullptr, {});
    return test::solve(flow, "backward-euler", .1, test::normals(6, 2)).work.nonlinear_iterations;
  };
  EXPECT_GT(newton_steps(), 10);
  const Option option("-ksp_rtol", "1e-12");
  EXPECT_EQ(newton_steps(), 10);
}

TEST(PetscOptions, ThatTheSchemeReadsAreFine) {
  const test::Decay decay(1);
  const Option option("-ts_max_reject", "20");
  EXPECT_NO_THROW(require_options_used(read_options(make_scheme("rk4", {}), decay.flow)));
}

// Each would silently make the scheme another one, or wrong.
TEST(PetscOptions, ThatWouldDeceiveAreRefused) {
  const test::Decay decay(1);
  const auto said = [&](const char* name, const char* value) {
    const Option option(name, value);
    return test::complaint([&] { test::solve(decay.flow, "backward-euler", .1, Vector::Ones(1)); });
  };
  const auto refused = [&](const char* name, const char* value, const char* instead) {
    const std::string sentence = said(name, value);
    EXPECT_EQ(sentence.find("PETSc option " + std::string(name) + " " + value), 0u) << name << ": " << sentence;
    EXPECT_NE(sentence.find(std::string("; take ") + instead), std::string::npos) << sentence;
  };
  refused("-ts_type", "rk", "scheme.name");
  refused("-ts_rk_type", "1fe", "scheme.name");
  refused("-ts_arkimex_fully_implicit", "true", "an -implicit scheme");
  refused("-ts_theta_theta", ".3", "scheme.theta");
  refused("-ts_alpha_radius", ".5", "bdf2");
  refused("-ts_discgrad_gonzalez", "true", "scheme.name");
  refused("-ts_exact_final_time", "stepover", "the default");
  refused("-ts_adapt_type", "glee", "scheme.adapt");
  refused("-ts_adapt_wnormtype", "2", "infinity");
  refused("-ts_adapt_always_accept", "true", "a looser scheme.rtol");
  refused("-snes_lag_jacobian", "-2", "-snes_lag_preconditioner -2");
  refused("-snes_fd", "true", "the default");
  refused("-ksp_type", "preonly", "cg");
  EXPECT_EQ(said("-snes_lag_preconditioner", "-2"), "");
  EXPECT_EQ(said("-snes_lag_jacobian", "1"), "");
  EXPECT_EQ(said("-ts_adapt_wnormtype", "infinity"), "");
  EXPECT_EQ(said("-ksp_type", "gmres"), "");
}

TEST(PetscOptions, ThatNothingReadsAreNamed) {
  const test::Decay decay(1);
  EXPECT_NO_THROW(require_options_used(read_options(make_scheme("rk4", {}), decay.flow)));
  const Option option("-ts_rk_order", "2");
  const std::string said =
      test::complaint([&] { require_options_used(read_options(make_scheme("rk4", {}), decay.flow)); });
  EXPECT_EQ(said.find("PETSc does not use -ts_rk_order here; did you mean -ts_rk_type"), 0u) << said;
}

}  // namespace
}  // namespace thalweg
