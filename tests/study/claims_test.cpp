#include "thalweg/study/claims.hpp"

#include <gtest/gtest.h>

#include "thalweg/core/random.hpp"
#include "thalweg/study/effects.hpp"

namespace thalweg {
namespace {

Settings settings(int seeds) {
  Settings s;
  s.study.factors = "data.kind=islands,sine data.noise=0,0.2";
  s.study.methods = {"sgd", "momentum", "laplacian-sgd", "output"};
  s.study.matching = {"equal-step", "equal-effective-step"};
  s.study.seeds = seeds;
  s.stop.steps = 1;
  return s;
}

/// Every measure is 2 and noise of deviation 0.01, plus what is planted in one of them for a run.
template <class Planted>
std::vector<RunRow> rows(const Design& design, std::string_view measure, Planted planted) {
  std::vector<RunRow> all;
  Stream draw(5, Purpose::probe);
  for (std::int64_t run = 0; run < design.size(); ++run) {
    RunRow row{run, "steps", "", {}, 0, {}};
    for (const Measure& m : measures())
      row.measures.push_back(2 + .01 * draw.normal() + (m.name == measure ? planted(run) : 0));
    all.push_back(row);
  }
  return all;
}

/// Planted for the two methods that diffuse, under the matching that counts.
auto in_diffusing(const Design& design, double value) {
  return [&design, value](std::int64_t run) {
    const auto& method = design.level(run, "method");
    const bool diffuses = method == "laplacian-sgd" || method == "output";
    return diffuses && design.level(run, "matching") == "equal-effective-step" ? value : 0;
  };
}

std::string answer(const Design& design, const std::vector<RunRow>& rows, std::size_t claim) {
  return claims(design, "sgd", rows).at(claim).answer;
}

void expect_said(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << words << "\nin " << text;
}

TEST(Claims, FindWhatWasPlantedInThePath) {
  const Design design(settings(8));
  const std::string said = answer(design, rows(design, "roughness", in_diffusing(design, -.5)), 0);
  expect_said(said, "Diffusion smooths the path: roughness -0.");
  expect_said(said, "] from 2, turning");
  expect_said(said, "No difference of the geometry is seen: sharpness");
  expect_said(said, "of sgd (mean of 2 diffusing methods, equal-effective-step).");
  expect_said(answer(design, rows(design, "turning", in_diffusing(design, .5)), 0), "Diffusion roughens the path");
  expect_said(answer(design, rows(design, "trace", in_diffusing(design, .5)), 0), "The loss is sharper where it ends");
}

TEST(Claims, SayThatSeedsAreTooFew) {
  const Design design(settings(5));
  const std::string said = answer(design, rows(design, "roughness", in_diffusing(design, -.5)), 0);
  expect_said(said, "Too few seeds to tell: roughness");
}

// Of the 8 x 16 = 128 runs on islands two: Clopper and Pearson's interval is [0.190, 5.53] % (R's binom.test).
TEST(Claims, CountTheRunsThatWentWrongOnFragmentedData) {
  const Design design(settings(8));
  auto all = rows(design, "worst_fragment", [&](std::int64_t run) {
    return design.level(run, "data.kind") == "islands" ? in_diffusing(design, .1)(run) : 0;
  });
  int left = 2;
  for (RunRow& row : all)
    if (design.level(row.run, "data.kind") == "islands" && design.level(row.run, "method") == "momentum" && left-- > 0)
      row.status = "diverged";
  const std::string said = answer(design, all, 1);
  expect_said(said, "On islands 2 of 128 runs diverged or gave up, 1.56 % [0.19, 5.53]; elsewhere 0 of 128");
  expect_said(said, "0 % [0, 2.84]");
  expect_said(said, "Diffusion helps the worst fragment: worst fragment +0.10");
}

TEST(Claims, SayWhetherTheDataOrTheMethodDecide) {
  const Design design(settings(8));
  const auto of_data = [&](std::int64_t run) { return design.level(run, "data.kind") == "sine" ? .5 : 0; };
  expect_said(answer(design, rows(design, "test_accuracy", of_data), 2), "The data decide: data factors explain 99.");
  const std::string said = answer(design, rows(design, "test_accuracy", in_diffusing(design, -.5)), 2);
  expect_said(said, "The method decides");
  expect_said(said, "Diffusion hurts over all cells: test accuracy -0.49");
}

TEST(Claims, LeaveOutWhatWasNotMeasured) {
  Settings s = settings(8);
  s.study.methods = {"sgd", "momentum"};
  s.study.factors = "data.kind=sine,gaussians";
  const Design design(s);
  const auto all = rows(design, "loss", [](std::int64_t) { return 0; });
  EXPECT_EQ(answer(design, all, 0), "No method here diffuses anything.");
  expect_said(answer(design, all, 1), "No fragmented data (islands) here; 0 of 64 runs");
  EXPECT_TRUE(claims(design, "sgd", {}).empty());
}

}  // namespace
}  // namespace thalweg
