#include "thalweg/study/design.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/experiment.hpp"
#include "thalweg/study/methods.hpp"

namespace thalweg {
namespace {

Settings small() {
  Settings s;
  s.study.factors = "data.kind=moons,sine data.noise=0,0.2,0.4";
  s.study.methods = {"sgd", "momentum"};
  s.study.matching = {"equal-step", "equal-effective-step"};
  s.study.seeds = 3;
  s.stop.steps = 10;
  return s;
}

TEST(Design, IsTheFullFactorialWithSeedsSlowest) {
  const Design design(small());
  ASSERT_EQ(design.size(), 2 * 3 * 2 * 2 * 3);
  const auto cells = design.size() / 3;
  std::set<std::vector<int>> seen;
  for (std::int64_t run = 0; run < design.size(); ++run) {
    const auto levels = design.levels(run);
    EXPECT_TRUE(seen.insert(levels).second);
    EXPECT_EQ(levels.back(), run / cells);
  }
}

TEST(Design, MatchesDataStartAndBatchesOfAllMethodsAtASeed) {
  const Design design(small());
  for (std::int64_t run = 0; run < design.size(); ++run) {
    const Settings s = design.settings(run);
    const auto seed = static_cast<std::uint64_t>(design.levels(run).back());
    EXPECT_EQ(s.data.seed, seed);
    EXPECT_EQ(s.model.seed, seed);
    EXPECT_EQ(s.stepping.batch.seed, seed);
    EXPECT_EQ(s.data.kind, design.level(run, "data.kind"));
    EXPECT_EQ(s.scheme, design.level(run, "method"));
  }
}

// Two gradients a step of sam and of one antithetic pair, six of three pairs: half and a sixth of the steps.
TEST(Design, GivesEveryMethodTheGradientsOfTheBaseline) {
  Settings s = small();
  s.study.methods = {"sgd", "sam", "smoothed-sgd", "entropy-sgd"};
  s.flow.draws = 3;
  s.flow.entropy.steps = 2;
  s.stop.steps = 120;
  const auto steps = [](const Settings& own) {
    const Design design(own);
    std::map<std::string, std::int64_t> found;
    for (std::int64_t run = 0; run < design.size(); ++run)
      found[design.level(run, "method")] = design.settings(run).stop.steps.value();
    return found;
  };
  EXPECT_EQ(steps(s), (std::map<std::string, std::int64_t>{
                          {"sgd", 120}, {"sam", 60}, {"smoothed-sgd", 20}, {"entropy-sgd", 10}}));
  s.study.baseline = "sam";
  EXPECT_EQ(steps(s)["sgd"], 240);
}

TEST(Design, TakesATimeForTheStepsOfTheBaselineThatSpanIt) {
  Settings s = small();
  s.study.methods = {"sgd", "sam", "momentum"};
  s.study.matching = {"equal-step", "equal-effective-step"};
  s.stop.steps.reset();
  s.stop.time = 10;
  s.stepping.step = .25;
  const Design design(s);
  for (std::int64_t run = 0; run < design.size(); ++run) {
    const Settings own = design.settings(run);
    EXPECT_FALSE(own.stop.time);
    EXPECT_EQ(own.stop.steps, design.level(run, "method") == "sam" ? 20 : 40);
  }
}

TEST(Design, NumbersRunsByTheirLevels) {
  const Design design(small());
  for (std::int64_t run = 0; run < design.size(); ++run) EXPECT_EQ(design.run(design.levels(run)), run);
}

TEST(Design, LetsAdaptiveFlowsRunOverTheTimeOfTheDescents) {
  Settings s = small();
  s.study.methods = {"sgd", "gradient-flow"};
  s.stepping.step = .25;
  const Design design(s);
  for (std::int64_t run = 0; run < design.size(); ++run) {
    const Settings own = design.settings(run);
    if (design.level(run, "method") == "sgd") {
      EXPECT_EQ(own.stop.steps, 10);
    } else {
      EXPECT_FALSE(own.stop.steps);
      EXPECT_EQ(own.stop.time, 2.5);
    }
  }
}

TEST(Resolve, LetsACosineLastFromTheWarmUpToTheEndOfTheRun) {
  Settings s;
  s.stop.steps = 50;
  s.stepping.schedule.kind = "cosine";
  s.stepping.schedule.warmup = 8;
  resolve(s, {});
  EXPECT_EQ(s.stepping.schedule.period, 42);
  s.stepping.schedule.period = 7;
  resolve(s, {});
  EXPECT_EQ(s.stepping.schedule.period, 7);
}

TEST(Design, RefusesWhatWouldHaveNoEffect) {
  const auto refused = [](auto change) {
    Settings s = small();
    change(s);
    EXPECT_THROW(Design{s}, std::invalid_argument);
  };
  refused([](Settings& s) { s.study.factors = "data.kind"; });
  refused([](Settings& s) { s.study.factors = "data.kidn=moons"; });
  refused([](Settings& s) { s.study.factors = "data.noise=0,0.1 data.noise=0.2"; });
  refused([](Settings& s) { s.study.factors = "data.noise=0,0"; });
  refused([](Settings& s) { s.study.factors = "model.seed=0,1"; });
  refused([](Settings& s) { s.study.factors = "scheme.name=sgd,momentum"; });
  refused([](Settings& s) { s.study.baseline = "laplacian-sgd"; });
  refused([](Settings& s) { s.scheme = "rk4"; });
}

// At the matched step h' the mean gain of one step times h' is the step asked for, to the root finder's 40 bits.
TEST(MatchedStep, TimesTheMeanGainIsTheStep) {
  for (const auto& [method, expected] :
       {std::pair{"momentum", .01}, {"nesterov", .01}, {"sgd", .1}, {"adam", .1}, {"sam", .1}}) {
    Settings s;
    apply_keys(s, find(methods(), method, "method").keys);
    s.stop.steps = 1;
    EXPECT_NEAR(matched_step(s, Experiment(s)), expected, 1e-11) << method;
  }
  Settings s;
  apply_keys(s, find(methods(), "laplacian-sgd", "method").keys);
  s.model.hidden = {300};
  // On a long ring the mean gain of (I + sigma K)^-1 is 1/sqrt(1 + 4 sigma); a ring of 1201 differs below 1e-12.
  EXPECT_NEAR(matched_step(s, Experiment(s)), .1 * std::sqrt(5.), 1e-10);
}

// A step along A g is what descent does from anywhere: trace(A)/P from P steps along unit gradients, here of a linear
// energy, whose gradient is that vector.
TEST(MatchedStep, KnowsTheGainOfCombinedSlots) {
  for (const auto& [scheme, diffusion] :
       {std::pair{"langevin", "law+gradient"}, {"diffusion-sgd", "weights+gradient"}, {"momentum", "gradient"}}) {
    Settings s;
    s.scheme = scheme;
    s.flow.diffusion = diffusion;
    s.flow.power = 2;
    s.flow.nu = .01;
    s.flow.sigma = .02;
    s.model.hidden = {6};
    s.stop.steps = 1;
    const Experiment ex(s);
    const double step = matched_step(s, ex), gain = s.stepping.step / step;
    const Index n = ex.flow.size();
    double trace = 0;
    for (Index i = 0; i < n; ++i) {
      Vector e = Vector::Unit(n, i);
      for (int k = 0; k < s.flow.power; ++k) ex.lattice->solve(s.flow.sigma, e);
      if (s.scheme == "diffusion-sgd") ex.flow.solve_stiff(step, e);
      trace += e[i];
    }
    EXPECT_NEAR(gain * (s.scheme == "momentum" ? .1 : 1), trace / static_cast<double>(n), 1e-9) << scheme;
  }
}

}  // namespace
}  // namespace thalweg
