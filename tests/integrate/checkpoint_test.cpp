#include <gtest/gtest.h>

#include <algorithm>

#include "solve.hpp"

namespace thalweg {
namespace {

/// How a row is run: at fixed steps, adaptively, or on batches.
struct Manner {
  const char* name;
  std::optional<double> rtol = {};
  BatchPlan batch = {};
  std::string adaptor = "basic";
};

struct Case {
  SchemeRow row;
  Manner manner;
};

/// A kind of run that every row of the table can be asked for, with what its observers see.
class CheckpointOfEveryScheme : public testing::TestWithParam<Case> {
 protected:
  static constexpr std::int64_t every = 2;

  const test::Network net{{{5}, "tanh", "logistic", "standard", 0, 0}, 2, 20};
  const GradientFlow descent{net.risk, net.lattice.get(), test::slots_for(GetParam().row, .01)};
  const test::Suited suited{GetParam().row, descent, net.model.start(1)};
  const Flow& flow = suited.flow;
  const Vector& y0 = suited.start;
  std::vector<Checkpoint> kept;

  struct Run {
    Outcome outcome;
    Trajectory path;
  };

  Run run(std::int64_t interval, const Checkpoint* from = nullptr, const Trajectory& seen = {}) {
    SchemeSettings settings;
    settings.step = .07;
    settings.rtol = GetParam().manner.rtol;
    settings.batch = GetParam().manner.batch;
    settings.adapt = GetParam().manner.adaptor;
    Stop stop;
    stop.time = 1;
    Run result{{}, seen};
    const Watch watch[] = {{{even_times(1, 13), 4}, result.path}};
    const Checkpoints checkpoints{interval, [this](const Checkpoint& c) { kept.push_back(c); }, from};
    result.outcome = integrate(flow, make_scheme(GetParam().row.name, settings), y0, stop, watch, checkpoints);
    EXPECT_EQ(result.outcome.status, Status::time) << result.outcome.message;
    return result;
  }

  /// What the observers of a run had been shown by the time of a checkpoint.
  static Trajectory until(const Trajectory& path, const Checkpoint& checkpoint) {
    Trajectory seen;
    const auto last = std::find(path.times.begin(), path.times.end(), checkpoint.seen[0]);
    for (auto i = path.times.begin(); i <= last; ++i) {
      const auto k = static_cast<std::size_t>(i - path.times.begin());
      seen.times.push_back(path.times[k]);
      seen.steps.push_back(path.steps[k]);
      seen.states.push_back(path.states[k]);
    }
    return seen;
  }
};

void expect_same(const Work& a, const Work& b) {
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.rejected, b.rejected);
  EXPECT_EQ(a.gradients, b.gradients);
  EXPECT_EQ(a.products, b.products);
  EXPECT_EQ(a.nonlinear_iterations, b.nonlinear_iterations);
  EXPECT_EQ(a.linear_iterations, b.linear_iterations);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.carried_energy, b.carried_energy);
}

TEST_P(CheckpointOfEveryScheme, GoesOnAsTheStraightRunBitForBit) {
  const Run straight = run(every);
  ASSERT_GE(kept.size(), 1u);
  // The first ones, while a multistep history grows, and the last.
  std::vector<Checkpoint> tried(kept.begin(), kept.begin() + std::min<std::ptrdiff_t>(4, std::ssize(kept)));
  tried.push_back(kept.back());
  for (const Checkpoint& from : tried) {
    const Run second = run(every, &from, until(straight.path, from));
    EXPECT_EQ(second.outcome.y, straight.outcome.y) << "from step " << from.solve.step;
    EXPECT_EQ(second.outcome.end.step, straight.outcome.end.step);
    EXPECT_EQ(second.path.times, straight.path.times);
    EXPECT_EQ(second.path.steps, straight.path.steps);
    EXPECT_EQ(second.path.states, straight.path.states);
    expect_same(second.outcome.work, straight.outcome.work);
    EXPECT_GT(from.solve.work.seconds, 0);
    EXPECT_GE(second.outcome.work.seconds, from.solve.work.seconds);
  }
}

TEST_P(CheckpointOfEveryScheme, DoesNotChangeTheRun) {
  SchemeSettings settings;
  settings.rtol = GetParam().manner.rtol;
  settings.adapt = GetParam().manner.adaptor;
  if (GetParam().row.make(flow, settings, y0, 1)->restarts())
    GTEST_SKIP() << GetParam().row.name << " starts its history anew at a checkpoint";
  const Run without = run(0), with = run(every);
  EXPECT_EQ(with.outcome.y, without.outcome.y);
  EXPECT_EQ(with.path.states, without.path.states);
  expect_same(with.outcome.work, without.outcome.work);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const SchemeRow& row : schemes()) {
    if (row.fixed) all.push_back({row, {"fixed"}});
    if (row.adaptive) all.push_back({row, {"adaptive", 1e-6}});
    if (row.batches) all.push_back({row, {"batches", {}, {6, "shuffle", 3}}});
  }
  for (const auto& rows : {petsc_schemes(), petsc_second_order_schemes()})
    for (const SchemeRow& row : rows)
      if (row.adaptive) all.push_back({row, {"filtered", 1e-6, {}, "dsp"}});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Table, CheckpointOfEveryScheme, testing::ValuesIn(cases()), [](const auto& one) {
  return test::identifier(one.param.row.name) + "_" + one.param.manner.name;
});

}  // namespace
}  // namespace thalweg
