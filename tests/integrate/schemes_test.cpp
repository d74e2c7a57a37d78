#include "thalweg/integrate/schemes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "solve.hpp"

namespace thalweg {
namespace {

using test::Counted;
using test::Decay;
using test::solve;

/// -ln(R)/h for the factor R of a step on y' = -y.
double rate(std::string_view scheme, double h) {
  return -std::log(solve(Decay(1).flow, scheme, h, Vector::Ones(1), 10 * h).y[0]) / (10 * h);
}

// R = (1 - (1 - theta) h)/(1 + theta h) at h = 0.1: seven decimals, the digits that the implicit solves keep.
TEST(ThetaMethod, HasItsRatesOnAParabola) {
  EXPECT_NEAR(rate("forward-euler", .1), 1.0536052, 5e-8);
  EXPECT_NEAR(rate("crank-nicolson", .1), 1.0008346, 5e-8);
  EXPECT_NEAR(rate("backward-euler", .1), .9531018, 5e-8);
}

// The classical tableaus agree with exp(-h) up to their order and then have their own coefficients: h^5/120 is absent,
// and Dormand and Prince's sixth is 1/600.
TEST(RungeKutta, HasItsStabilityPolynomial) {
  constexpr double h = .5;
  const double four = 1 - h + h * h / 2 - h * h * h / 6 + std::pow(h, 4) / 24;
  EXPECT_NEAR(std::exp(-h * rate("rk4", h)), four, 1e-15);
  EXPECT_NEAR(std::exp(-h * rate("rk5dp", h)), four - std::pow(h, 5) / 120 + std::pow(h, 6) / 600, 1e-15);
}

// One rate a theta; TSTHETA cannot have zero, forward Euler stands in.
TEST(ThetaMethod, TurnsFromForwardToBackwardEuler) {
  const auto turned = [](double theta) {
    SchemeSettings settings;
    settings.theta = theta;
    Stop stop;
    stop.time = 1;
    return -std::log(integrate(Decay(1).flow, make_scheme("theta", settings), Vector::Ones(1), stop).y[0]);
  };
  EXPECT_NEAR(turned(0), 1.0536052, 5e-8);
  EXPECT_NEAR(turned(.25), 1.0265415, 5e-8);
  EXPECT_NEAR(turned(.5), 1.0008346, 5e-8);
  EXPECT_NEAR(turned(.75), .9763847, 5e-8);
  EXPECT_NEAR(turned(1), .9531018, 5e-8);
}

double limit(std::string_view scheme, const SchemeSettings& settings = {}) {
  return make_scheme(scheme, settings).row.limit(settings);
}

// |R(-x)| = 1: at 2 for orders 1 and 2; for 3 and 4 the real roots of 6 - 3 x + x^2 = 12/x and of
// x^3 - 4 x^2 + 12 x - 24 = 0.
TEST(StabilityLimit, IsWhereTheTableausGrow) {
  EXPECT_NEAR(limit("forward-euler"), 2, 1e-12);
  EXPECT_NEAR(limit("rk2a"), 2, 1e-12);
  EXPECT_NEAR(limit("rk2b"), 2, 1e-12);
  EXPECT_NEAR(limit("rk3"), 2.5127453, 5e-8);
  EXPECT_NEAR(limit("rk4"), 2.7852936, 5e-8);
  EXPECT_NEAR(limit("rk5dp"), 3.306568, 5e-7);
  // Ketcheson 2008: R = ((s - 1) (1 + z/(s - 1))^s + 1)/s leaves the unit interval past z = -(s - 1) - 1 for even s.
  EXPECT_GT(limit("ssp-rks2"), 4);
  SchemeSettings two;
  two.stages = 2;
  EXPECT_NEAR(limit("ssp-rks2", two), 2, 1e-12);
}

TEST(StabilityLimit, OfThetaMethods) {
  SchemeSettings settings;
  settings.theta = .25;
  EXPECT_DOUBLE_EQ(limit("theta", settings), 4);
  settings.theta = .5;
  EXPECT_EQ(limit("theta", settings), INFINITY);
}

class ExplicitScheme : public testing::TestWithParam<SchemeRow> {};

// The limit decides between decay and growth, two per mille below and above it, whatever the scheme keeps between
// steps.
TEST_P(ExplicitScheme, GrowsBeyondItsLimitOnly) {
  const double x = GetParam().limit({});
  if (std::isinf(x)) GTEST_SKIP() << GetParam().name << " has no limit where its settings are not given";
  const auto after = [&](double step) {
    Stop stop;
    stop.steps = 4000;
    return integrate(Decay(1).flow, test::fixed_step(GetParam().name, step), Vector::Ones(1), stop).y.norm();
  };
  EXPECT_LT(after(.998 * x), 1);
  EXPECT_GT(after(1.002 * x), 1);
}

INSTANTIATE_TEST_SUITE_P(Table, ExplicitScheme,
                         testing::ValuesIn(test::schemes_where([](const SchemeRow& row) { return row.limit; })),
                         test::scheme_title);

class SchemeOfEveryRow : public testing::TestWithParam<SchemeRow> {
 protected:
  const test::Network net{{{5}, "tanh", "logistic", "standard", 0, 0}, 2, 20};
  const GradientFlow descent{net.risk, net.lattice.get(), test::slots_for(GetParam(), .01)};
  const test::Suited suited{GetParam(), descent, net.model.start(1)};
  const Flow& flow = suited.flow;
  const Vector& y0 = suited.start;
};

TEST_P(SchemeOfEveryRow, CountsTheGradientsAndProductsItTakes) {
  Counted::Calls calls;
  const Work work = solve(Counted(flow, calls), GetParam().name, .1, y0).work;
  EXPECT_EQ(work.steps == 10, GetParam().fixed);
  EXPECT_EQ(work.gradients, calls.gradients);
  EXPECT_EQ(work.products, calls.products);
  EXPECT_EQ(work.products > 0, GetParam().implicit == Part::all || GetParam().linearises);
  EXPECT_EQ(work.linear_iterations > 0, GetParam().implicit == Part::all);
  EXPECT_TRUE(work.rejected == 0 || !GetParam().fixed);
}

// Time adds up to 1 in ten steps of 0.1, whose sum is not 1 in binary, and in four of 0.3, the last one shorter.
TEST_P(SchemeOfEveryRow, LandsExactlyOnTheEnd) {
  for (const auto& [step, steps] : {std::pair{.1, 10}, std::pair{.3, 4}, std::pair{.25, 4}, std::pair{7., 1}}) {
    const Outcome outcome = solve(flow, GetParam().name, step, y0);
    EXPECT_EQ(outcome.end.time, 1) << "step " << step;
    if (GetParam().fixed) {
      EXPECT_EQ(outcome.end.step, steps) << "step " << step;
    }
  }
}

TEST_P(SchemeOfEveryRow, IsAFunctionOfItsArguments) {
  for (const BatchPlan& batch : test::batches_for(GetParam()))
    EXPECT_EQ(solve(flow, GetParam().name, .1, y0, 1, {}, batch).y,
              solve(flow, GetParam().name, .1, y0, 1, {}, batch).y);
}

TEST_P(SchemeOfEveryRow, StaysAtAMinimum) {
  const test::Quadratic bowl(test::definite(4, 1));
  const GradientFlow into_it(bowl, nullptr, {});
  const test::Suited still(GetParam(), into_it, Vector::Zero(4));
  EXPECT_TRUE(solve(still.flow, GetParam().name, .1, still.start).y.isZero(0));
}

INSTANTIATE_TEST_SUITE_P(Table, SchemeOfEveryRow, testing::ValuesIn(schemes().begin(), schemes().end()),
                         test::scheme_title);

std::int64_t gradients(std::string_view scheme, double step) {
  return solve(Decay(1).flow, scheme, step, Vector::Ones(1)).work.gradients;
}

// One a stage; Dormand and Prince's seventh is the first of the next step.
TEST(Schemes, TakeOneGradientAStage) {
  for (const auto* scheme : {"forward-euler", "sgd", "momentum", "nesterov", "adam", "diffusion-sgd", "laplacian-sgd"})
    EXPECT_EQ(gradients(scheme, .125), 8) << scheme;
  EXPECT_EQ(gradients("sam", .125), 2 * 8);
  EXPECT_EQ(gradients("rk4", .125), 4 * 8);
  EXPECT_EQ(gradients("rk5dp", .125), 6 * 8 + 1);
  EXPECT_EQ(gradients("arkimex3", .125), 4 * 8);
  // TSGLEE's options would make all of these the scheme of five.
  EXPECT_EQ(gradients("glee23", .125), 3 * 8);
  EXPECT_EQ(gradients("glee24", .125), 4 * 8);
  EXPECT_EQ(gradients("glee-exrk2a", .125), 6 * 8);
}

/// Each sample's energy is b_i y: the velocity of a batch is the constant -mean(b_i).
class Slopes final : public Functional {
 public:
  Index size() const override { return 1; }
  Index samples() const override { return 10; }
  double value(In y, Batch batch) const override { return slope(batch) * y[0]; }
  double gradient(In y, Batch batch, Out g) const override {
    g[0] = slope(batch);
    return value(y, batch);
  }
  void hvp(In, Batch, In, Out hw) const override { hw.setZero(); }

 private:
  static double slope(Batch batch) {
    if (batch.empty()) return 4.5;
    double sum = 0;
    for (const std::int32_t i : batch) sum += i;
    return sum / static_cast<double>(batch.size());
  }
};

class OneStepScheme : public testing::TestWithParam<SchemeRow> {};

// A scheme that took its first stage from the step before would mix two batches. Twenty sums of size five, some of ten
// stages each.
TEST_P(OneStepScheme, TakesEveryStageFromTheBatchOfItsStep) {
  const Slopes slopes;
  const GradientFlow flow(slopes, nullptr, {});
  const BatchPlan plan{3, "replacement", 2};
  Batches batches(plan, 10);
  double exact = 0;
  for (std::int64_t step = 0; step < 20; ++step) {
    Vector g(1);
    slopes.gradient(Vector::Zero(1), batches.at(step), g);
    exact -= .05 * g[0];
  }
  EXPECT_NEAR(solve(flow, GetParam().name, .05, Vector::Zero(1), 1, {}, plan).y[0], exact, 1e-13);
}

// Not those that look back: multistep schemes, alpha with its last velocity, descents with memory; nor scalar auxiliary
// variables, which need an energy that is bounded below.
INSTANTIATE_TEST_SUITE_P(Table, OneStepScheme, testing::ValuesIn(test::schemes_where([](const SchemeRow& row) {
                           return row.batches && row.order > 0 && !row.second_order && !row.name.starts_with("sav-");
                         })),
                         test::scheme_title);

TEST(MultistepScheme, RefusesBatches) {
  const Slopes slopes;
  const GradientFlow flow(slopes, nullptr, {});
  Stop stop;
  stop.steps = 1;
  for (const SchemeRow& row : schemes()) {
    if (row.batches) continue;
    const auto run = [&](Index size) {
      return test::complaint([&] {
        integrate(flow, test::fixed_step(row.name, .05, {size, "replacement", 2}), Vector::Zero(1), stop);
      });
    };
    EXPECT_EQ(run(3).find("scheme.batch: " + std::string(row.name)), 0u);
    EXPECT_EQ(run(10), "") << "ten samples are the whole set";
  }
}

class AdaptiveScheme : public testing::TestWithParam<SchemeRow> {
 protected:
  const test::Quadratic energy{test::definite(6, 1)};
  const std::unique_ptr<Lattice> lattice = test::flat_lattice("chain", 6);
  const GradientFlow flow{energy, lattice.get(), {.5, 0, 1}};
  const Vector y0 = test::normals(6, 2);
  const Vector exact = solve(flow, "rk8vr", 1. / 64, y0, 2).y;

  Outcome adapt(double atol, double step, const std::string& adaptor = "basic") const {
    SchemeSettings settings;
    settings.step = step;
    settings.adapt = adaptor;
    settings.atol = atol;
    Stop stop;
    stop.time = 2;
    return integrate(flow, make_scheme(GetParam().name, settings), y0, stop);
  }
};

// The flow contracts, so that the errors of the steps add up at most; each component of one is below atol.
TEST_P(AdaptiveScheme, KeepsTheErrorOfEveryStepBelowItsTolerance) {
  for (const double atol : {1e-4, 1e-6}) {
    const Outcome outcome = adapt(atol, .1);
    EXPECT_EQ(outcome.status, Status::time);
    EXPECT_EQ(outcome.end.time, 2);
    EXPECT_LT((outcome.y - exact).cwiseAbs().maxCoeff(), atol * static_cast<double>(outcome.work.steps)) << atol;
  }
}

TEST_P(AdaptiveScheme, SpendsMoreOnATighterTolerance) {
  if (GetParam().name == "exprb32") GTEST_SKIP() << "exact on a quadratic at any step";
  EXPECT_GT(adapt(1e-6, .1).work.gradients, 1.2 * static_cast<double>(adapt(1e-3, .1).work.gradients));
}

// The filter lets an error pass that the next step makes good: three times the tolerance at most.
TEST_P(AdaptiveScheme, FollowsEveryAdaptor) {
  for (const Adaptor& adaptor : adaptors()) {
    const Outcome outcome = adapt(1e-5, .1, std::string(adaptor.name));
    EXPECT_EQ(outcome.status, Status::time) << adaptor.name << ": " << outcome.message;
    EXPECT_LT((outcome.y - exact).cwiseAbs().maxCoeff(), 3e-5 * static_cast<double>(outcome.work.steps));
  }
}

// The whole interval as the first guess: it is rejected, or shortened where the scheme cannot estimate a first error.
TEST_P(AdaptiveScheme, DoesNotTakeAFirstStepThatIsTooLong) {
  if (GetParam().name == "exprb32") GTEST_SKIP() << "exact on a quadratic at any step";
  const Outcome outcome = adapt(1e-6, 2);
  EXPECT_EQ(outcome.status, Status::time);
  EXPECT_GT(outcome.work.steps, 1);
  EXPECT_LT((outcome.y - exact).cwiseAbs().maxCoeff(), 1e-6 * static_cast<double>(outcome.work.steps));
}

INSTANTIATE_TEST_SUITE_P(Table, AdaptiveScheme, testing::ValuesIn(test::schemes_where([](const SchemeRow& row) {
                           return row.adaptive && !row.second_order;
                         })),
                         test::scheme_title);

// One component of a thousand is stiff. In the root mean square its error would count a thirtieth.
TEST(AdaptiveControl, LetsNoSlowMajorityHideAStiffDirection) {
  Matrix rates = .01 * Matrix::Identity(1000, 1000);
  rates(0, 0) = 50;
  const test::Quadratic energy(rates);
  const GradientFlow flow(energy, nullptr, {});
  SchemeSettings settings;
  settings.atol = 1e-3;
  Stop stop;
  stop.time = .05;
  const Outcome outcome = integrate(flow, make_scheme("rk3bs", settings), Vector::Ones(1000), stop);
  EXPECT_EQ(outcome.status, Status::time);
  EXPECT_NEAR(outcome.y[0], std::exp(-2.5), 1e-3 * static_cast<double>(outcome.work.steps));
  EXPECT_LT(outcome.work.steps, 12);
}

// ARKIMEX with the mass matrix M in front of y' would follow another path; here M^-1 stands in the right-hand side.
TEST(ArkimexOnASobolevMetric, FollowsTheFlow) {
  const test::Network net({{5}, "tanh", "logistic", "standard", 0, 0}, 2, 20);
  const GradientFlow flow(net.risk, net.lattice.get(), {.01, .1, 1});
  const Vector y0 = net.model.start(1), exact = solve(flow, "rk8vr", 1. / 64, y0).y;
  for (const SchemeRow& row : schemes()) {
    if (row.family != "ARKIMEX") continue;
    const double coarse = (solve(flow, row.name, 1. / 16, y0).y - exact).norm();
    EXPECT_LT((solve(flow, row.name, 1. / 32, y0).y - exact).norm(), .6 * coarse + 5e-8) << row.name;
    EXPECT_LT(coarse, row.order == 1 ? .02 : 1e-3) << row.name;
  }
}

TEST(GleeScheme, KnowsItsErrorToAFactorOfTwo) {
  const test::Network net({{5}, "tanh", "logistic", "standard", 0, 0}, 2, 20);
  const GradientFlow flow(net.risk, net.lattice.get(), {.01, 0, 1});
  const Vector y0 = net.model.start(1), exact = solve(flow, "rk8vr", 1. / 64, y0).y;
  for (const SchemeRow& row : test::first_order_schemes()) {
    const Outcome outcome = solve(flow, row.name, .05, y0);
    EXPECT_EQ(outcome.work.error.has_value(), row.family == "GLEE") << row.name;
    if (!outcome.work.error) continue;
    const double error = (outcome.y - exact).norm();
    EXPECT_LT(*outcome.work.error, 2 * error) << row.name;
    EXPECT_GT(*outcome.work.error, error / 2) << row.name;
  }
}

TEST(Schemes, HaveNamesOfTheirOwn) {
  const auto all = names(schemes());
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

TEST(MakeScheme, NamesTheOptionThatIsWrong) {
  const auto said = [](std::string_view name, double step, std::optional<double> rtol, std::optional<double> atol) {
    SchemeSettings settings;
    settings.step = step;
    settings.rtol = rtol;
    settings.atol = atol;
    return test::complaint([&] { make_scheme(name, settings); });
  };
  EXPECT_EQ(said("rk_4", 1, {}, {}).find("scheme.name: no 'rk_4'; did you mean rk4"), 0u);
  for (const auto& [name, why, instead] : refused_schemes()) {
    const std::string sentence = said(name, 1, {}, {});
    EXPECT_EQ(sentence.find("scheme.name: " + std::string(name) + " " + std::string(why) + "; take "), 0u) << sentence;
    EXPECT_EQ(said(instead.substr(0, instead.find(' ')), 1, {}, {}), "");
  }
  EXPECT_EQ(said("rk4", 0, {}, {}).find("scheme.step: 0"), 0u);
  EXPECT_EQ(said("rk4", NAN, {}, {}).find("scheme.step: nan"), 0u);
  EXPECT_EQ(said("rk4", 1, 1e-6, {}).find("scheme.rtol: rk4"), 0u);
  SchemeSettings settings;
  settings.theta = 1.5;
  EXPECT_EQ(test::complaint([&] { make_scheme("theta", settings); }).find("scheme.theta: 1.5"), 0u);
  settings = {};
  settings.adapt = "basik";
  EXPECT_NE(test::complaint([&] { make_scheme("rk5dp", settings); }).find("did you mean basic"), std::string::npos);
  settings = {};
  settings.stages = 5;
  EXPECT_EQ(test::complaint([&] { make_scheme("ssp-rks2", settings); }), "");
  EXPECT_EQ(test::complaint([&] { make_scheme("ssp-rks3", settings); }).find("scheme.stages: 5 is not a square"), 0u);
  EXPECT_EQ(test::complaint([&] { make_scheme("ssp-rk104", settings); }).find("scheme.stages: 5 is not 10"), 0u);
  EXPECT_EQ(said("rk5dp", 1, -1, {}).find("scheme.rtol"), 0u);
  EXPECT_EQ(said("rk5dp", 1, {}, -1).find("scheme.atol"), 0u);
}

}  // namespace
}  // namespace thalweg
