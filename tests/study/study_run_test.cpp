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
