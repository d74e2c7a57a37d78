#include "thalweg/study/study_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "thalweg/study/config.hpp"

namespace thalweg {
namespace {

double measure(const RunRow& row, std::string_view column) {
  const auto columns = table_columns();
  return row.measures[static_cast<std::size_t>(std::find(columns.begin(), columns.end(), column) - columns.begin())];
}

Settings small(std::vector<std::string> matching) {
  Settings s;
  s.study.factors = "none";
  s.study.methods = {"sgd", "laplacian-sgd"};
  s.study.matching = std::move(matching);
  s.study.seeds = 2;
  s.stop.steps = 60;
  s.record.count = 5;
  s.data.samples = 60;
  s.stepping.batch.size = 20;
  return s;
}

RunRow solved(const Settings& settings, std::int64_t run) { return run_one(Design(settings), run, true, {}, nullptr); }

// The same as running every step of the grid by hand and looking at the validation set.
TEST(TunedRun, HasTheStepOfTheBestValidationAccuracy) {
  Settings tuned = small({"tuned"});
  tuned.study.tuning = {3, .1, 1};
  for (std::int64_t run = 0; run < Design(tuned).size(); ++run) {
    const RunRow row = solved(tuned, run);
    std::optional<RunRow> best;
    for (const double factor : {.1, 1., 3.}) {
      Settings fixed = small({"equal-step"});
      fixed.stepping.step *= factor;
      const RunRow tried = solved(fixed, run);
      if (!best || measure(tried, "validation_accuracy") > measure(*best, "validation_accuracy")) best = tried;
    }
    EXPECT_EQ(measure(row, "step"), measure(*best, "step")) << run;
    EXPECT_EQ(measure(row, "test_accuracy"), measure(*best, "test_accuracy")) << run;
    EXPECT_TRUE(std::ranges::equal(row.curve, best->curve, [](float a, float b) { return a == b || a != a; }));
  }
}

TEST(TunedRun, NeverTakesAStepThatDivergesWhereAnotherDoesNot) {
  Settings tuned = small({"tuned"});
  tuned.model.loss = "mse";
  tuned.model.activation = "identity";
  tuned.study.tuning = {1, 1e6};
  const RunRow row = solved(tuned, 0);
  EXPECT_EQ(row.status, "steps") << row.reason;
  EXPECT_EQ(measure(row, "step"), tuned.stepping.step);
  tuned.study.tuning = {1e6};
  EXPECT_EQ(solved(tuned, 0).status, "diverged");
}

// What has no fixed step spans the time of the descent whose metric it has: 60 steps of whatever size they end with.
TEST(AdaptiveRun, SpansTheTimeOfItsTwin) {
  for (const std::string matching : {"tuned", "equal-effective-step"}) {
    Settings s = small({matching});
    s.study.methods = {"sgd", "laplacian-sgd-neurons", "gradient-metric-flow"};
    s.study.seeds = 1;
    const Design design(s);
    const auto time_of = [&](std::int64_t run, double factor) {
      const Settings own = make_experiment(design, run, factor)->settings;
      return own.stop.steps ? own.stepping.step * static_cast<double>(*own.stop.steps) : own.stop.time.value();
    };
    const double factor = matching == "tuned" ? 3 : 1;
    EXPECT_NEAR(time_of(2, factor), time_of(1, factor), 1e-9 * time_of(1, factor)) << matching;
    EXPECT_GT(time_of(2, factor), 1.01 * time_of(0, 1)) << matching;
  }
}

TEST(RunRow, SurvivesItsJourneyBetweenProcesses) {
  const RunRow row = solved(small({"equal-step"}), 1);
  const RunRow same = unpacked(packed(row));
  EXPECT_EQ(std::tie(same.run, same.status, same.reason, same.seconds),
            std::tie(row.run, row.status, row.reason, row.seconds));
  EXPECT_EQ(curve_lines(same), curve_lines(row));
  EXPECT_EQ(packed(same), packed(row));
  // Six recorded states, each a line of the run's number and the columns.
  EXPECT_EQ(row.curve.size(), 6 * curve_columns().size());
}

}  // namespace
}  // namespace thalweg
