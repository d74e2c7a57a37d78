#include "thalweg/study/effects.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <limits>
#include <sstream>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

Settings settings(int seeds) {
  Settings s;
  s.study.factors = "data.kind=moons,sine data.noise=0,0.2";
  s.study.methods = {"sgd", "momentum"};
  s.study.matching = {"equal-step"};
  s.study.seeds = seeds;
  s.stop.steps = 1;
  return s;
}

std::size_t index_of(std::string_view measure) {
  for (std::size_t m = 0; m < measures().size(); ++m)
    if (measures()[m].name == measure) return m;
  ADD_FAILURE() << measure;
  return 0;
}

/// Rows whose every measure is noise of deviation 0.01, plus `planted` for the second method.
std::vector<RunRow> rows(const Design& design, double planted, std::uint64_t seed = 5) {
  std::vector<RunRow> all;
  Stream draw(seed, Purpose::probe);
  for (std::int64_t run = 0; run < design.size(); ++run) {
    RunRow row{run, "steps", "", {}, 0, {}};
    const bool second = design.level(run, "method") == "momentum";
    for (std::size_t m = 0; m < measures().size(); ++m)
      row.measures.push_back(.01 * draw.normal() + (second ? planted : 0));
    all.push_back(row);
  }
  return all;
}

/// The line of effects.csv that begins like this, cut into cells.
std::vector<std::string> line(const std::string& csv, const std::string& start) {
  std::istringstream lines(csv);
  for (std::string text; std::getline(lines, text);) {
    if (!text.starts_with(start)) continue;
    std::vector<std::string> cells;
    std::istringstream words(text);
    for (std::string cell; std::getline(words, cell, ',');) cells.push_back(cell);
    return cells;
  }
  ADD_FAILURE() << "no line " << start;
  return std::vector<std::string>(11);
}

TEST(Effects, FindWhatWasPlantedInTheDirectionThatHelps) {
  const Design design(settings(10));
  const std::string csv = effects_csv(design, "sgd", rows(design, .1));
  EXPECT_EQ(line(csv, "test_accuracy,momentum,equal-step,*,*,").back(), "helps");
  EXPECT_EQ(line(csv, "test_accuracy,momentum,equal-step,moons,0.2,").back(), "helps");
  EXPECT_EQ(line(csv, "loss,momentum,equal-step,sine,*,").back(), "hurts");
  EXPECT_EQ(line(csv, "path_length,momentum,equal-step,*,0,").back(), "raises");
  // The mean of 40 differences of noise: 0.01 sqrt(2/40) = 0.0022, five of them.
  EXPECT_NEAR(std::stod(line(csv, "test_accuracy,momentum,equal-step,*,*,")[6]), .1, .011);
}

TEST(Effects, SeeNoDifferenceWhereThereIsNone) {
  const Design design(settings(10));
  EXPECT_EQ(line(effects_csv(design, "sgd", rows(design, 0)), "test_accuracy,momentum,equal-step,*,*,").back(),
            "no difference seen");
}

// A sign-flip test of 10 pairs at .05 rejects 51 pairs of patterns of 1024, more often than the interval: .0498. Over
// the four cells of a family Holm keeps the rate of any false alarm at that or below.
TEST(Effects, OfNullStudiesAreSeenAsOftenAsTheLevelSays) {
  constexpr int studies = 200;
  Settings single = settings(10);
  single.study.factors = "none";
  const Design one(single), four(settings(10));
  int alarms = 0, families = 0;
  for (std::uint64_t seed = 0; seed < studies; ++seed) {
    alarms +=
        line(effects_csv(one, "sgd", rows(one, 0, seed), "path_ratio"), "path_ratio,").back() != "no difference seen";
    const std::string csv = effects_csv(four, "sgd", rows(four, 0, 1000 + seed), "path_ratio");
    bool any = false;
    for (const char* cell : {"moons,0,", "moons,0.2,", "sine,0,", "sine,0.2,"})
      any = any || line(csv, std::string("path_ratio,momentum,equal-step,") + cell).back() != "no difference seen";
    families += any;
  }
  const boost::math::binomial counts(studies, .0498);
  EXPECT_GE(alarms, quantile(counts, .001));
  EXPECT_LE(alarms, quantile(complement(counts, .001)));
  EXPECT_LE(families, quantile(complement(counts, .001)));
}

// With 4 cells Holm asks for 2/2^n <= 0.05/4: eight pairs, however clear the difference is.
TEST(Effects, SayThatPairsAreTooFew) {
  const Design few(settings(7)), enough(settings(8));
  EXPECT_EQ(line(effects_csv(few, "sgd", rows(few, 1)), "test_accuracy,momentum,equal-step,moons,0,").back(),
            "too few pairs");
  EXPECT_EQ(line(effects_csv(enough, "sgd", rows(enough, 1)), "test_accuracy,momentum,equal-step,moons,0,").back(),
            "helps");
}

TEST(Effects, LeaveOutRunsThatDiverged) {
  const Design design(settings(10));
  auto all = rows(design, .1);
  for (RunRow& row : all)
    if (design.level(row.run, "method") == "momentum" && design.level(row.run, "data.kind") == "sine" &&
        design.levels(row.run).back() == 0) {
      row.status = "diverged";
      row.measures.assign(row.measures.size(), 1e300);
    }
  const std::string csv = effects_csv(design, "sgd", all);
  EXPECT_EQ(line(csv, "test_accuracy,momentum,equal-step,sine,0,")[5], "9");
  EXPECT_EQ(line(csv, "test_accuracy,momentum,equal-step,moons,0,")[5], "10");
  EXPECT_NEAR(std::stod(line(csv, "test_accuracy,momentum,equal-step,sine,0,")[6]), .1, .03);
}

TEST(Effects, PoolOverTheCellsInWhichAMeasureMeansSomething) {
  const Design design(settings(10));
  auto all = rows(design, .1);
  for (RunRow& row : all)
    if (design.level(row.run, "data.noise") == "0")
      row.measures[index_of("memorised")] = std::numeric_limits<double>::quiet_NaN();
  const std::string csv = effects_csv(design, "sgd", all);
  EXPECT_EQ(line(csv, "memorised,momentum,equal-step,moons,0,")[5], "0");
  EXPECT_EQ(line(csv, "memorised,momentum,equal-step,*,*,")[5], "10");
}

// A cell in which a method loses every run is not left out in its favour.
TEST(Effects, PoolOverNoCellsThatAMethodSurvivedAlone) {
  const Design design(settings(10));
  auto all = rows(design, .1);
  for (RunRow& row : all)
    if (design.level(row.run, "data.noise") == "0" && design.level(row.run, "method") == "momentum")
      row.status = "diverged";
  const std::string csv = effects_csv(design, "sgd", all);
  EXPECT_EQ(line(csv, "loss,momentum,equal-step,moons,0.2,")[5], "10");
  EXPECT_EQ(line(csv, "loss,momentum,equal-step,moons,*,")[5], "0");
  EXPECT_EQ(line(csv, "loss,momentum,equal-step,*,*,").back(), "too few pairs");
}

TEST(Shares, OfAPlantedMethodEffectGoToTheMethod) {
  const Design design(settings(10));
  const auto share = line(shares_csv(design, rows(design, 1)), "test_accuracy,method,");
  EXPECT_EQ(share[2], "1");
  EXPECT_GT(std::stod(share[3]), .99);
  const auto all = line(shares_csv(design, rows(design, 1)), "test_accuracy,method (all),");
  EXPECT_EQ(all[2], "3");  // 1 of its own, 1 + 1 with the data's factors; what changes with the seed is nobody's
  EXPECT_GE(std::stod(all[3]), std::stod(share[3]));
  EXPECT_LT(std::stod(line(shares_csv(design, rows(design, 1)), "test_accuracy,data (all),")[3]), .01);
}

TEST(Shares, OfAnIncompleteStudyAreNotGiven) {
  const Design design(settings(10));
  auto all = rows(design, 1);
  all.pop_back();
  EXPECT_EQ(shares_csv(design, all), "measure,term,degrees,share,low,high\n");
}

}  // namespace
}  // namespace thalweg
