#include "thalweg/study/effects.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "thalweg/core/core.hpp"
#include "thalweg/study/paired_runs.hpp"
#include "thalweg/study/statistics.hpp"

namespace thalweg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

constexpr Measure measure_rows[] = {
    {"loss", "final L on the noisy training set", -1},
    {"test_loss", "final mean loss on clean test labels", -1},
    {"grad_norm", "final |grad L|", 0},
    {"train_accuracy", "final accuracy on clean training labels", 1},
    {"validation_accuracy", "final accuracy on the validation set", 1},
    {"test_accuracy", "final accuracy on the test set", 1},
    {"best_accuracy", "test accuracy where validation accuracy is best along the path", 1},
    {"memorised", "share of flipped training labels reproduced", -1},
    {"worst_fragment", "lowest test accuracy over the fragments", 1},
    {"path_length", "length of the recorded path", 0},
    {"path_ratio", "path length over distance", 0},
    {"roughness", "relative change of the full gradient between recorded states", -1},
    {"turning", "mean turn of the full gradient between recorded states", -1},
    {"sharpness", "largest eigenvalue of the Hessian of L at the end, within 1 %", 0},
    {"trace", "trace of the Hessian of L at the end, by Hutch++ with the same probes for all methods", 0},
    {"noise_realised", "share of wrong training labels", 0},
};

struct Effect {
  std::size_t measure;
  int method, matching;
  Cell cell;
  PairedEffect paired;
  double adjusted = nan;
  int needed = 0;  // the fewest pairs that could be significant among the effects it is adjusted with
};

/// "a x b" as a and b.
std::vector<std::string> terms_of(const std::string& term) {
  const auto sign = term.find(" x ");
  if (sign == std::string::npos) return {term};
  return {term.substr(0, sign), term.substr(sign + 3)};
}

bool is_pooled(const Cell& cell) { return std::find(cell.begin(), cell.end(), pooled) != cell.end(); }

constexpr double level = .05;

void adjust(std::span<Effect> effects, bool of_pooled) {
  std::vector<double> p;
  for (const Effect& e : effects)
    if (is_pooled(e.cell) == of_pooled) p.push_back(e.paired.p);
  const auto adjusted = holm(p);
  const auto tests = std::count_if(p.begin(), p.end(), [](double x) { return !std::isnan(x); });
  std::size_t k = 0;
  for (Effect& e : effects)
    if (is_pooled(e.cell) == of_pooled) {
      e.adjusted = adjusted[k++];
      e.needed = pairs_needed(level, std::max(1, static_cast<int>(tests)));
    }
}

std::string verdict(const Effect& e) {
  if (e.paired.pairs < e.needed) return "too few pairs";
  const bool seen = e.adjusted < level && (e.paired.low > 0 || e.paired.high < 0);
  if (!seen) return "no difference seen";
  const int better = measures()[e.measure].better;
  if (better == 0) return e.paired.mean > 0 ? "raises" : "lowers";
  return better * e.paired.mean > 0 ? "helps" : "hurts";
}

std::vector<Effect> effects_of(const PairedRuns& runs, std::size_t measure, int matching, int baseline) {
  std::vector<Effect> effects;
  for (int method = 0; method < runs.methods(); ++method) {
    if (method == baseline) continue;
    for (const Cell& cell : runs.cells())
      effects.push_back({measure, method, matching, cell,
                         paired_effect(runs.differences(measure, cell, matching, method, baseline), 0)});
  }
  adjust(effects, false);
  adjust(effects, true);
  return effects;
}

std::string line(const Design& design, const Effect& e) {
  const auto& axes = design.axes();
  const auto level_of = [&](std::size_t axis, int k) { return axes[axis].levels[static_cast<std::size_t>(k)]; };
  std::string text = std::string(measures()[e.measure].name) + "," + level_of(axes.size() - 2, e.method) + "," +
                     level_of(axes.size() - 3, e.matching) + ",";
  for (std::size_t f = 0; f < e.cell.size(); ++f) text += (e.cell[f] == pooled ? "*" : level_of(f, e.cell[f])) + ",";
  text += std::to_string(e.paired.pairs);
  for (const double x : {e.paired.mean, e.paired.low, e.paired.high, e.paired.p, e.adjusted}) text += "," + to_text(x);
  return text + "," + verdict(e) + "\n";
}

/// A term of the analysis of variance that a method or its matching takes part in, or one of the data alone; those that
/// change with the seed are neither's.
std::string group_of(const std::string& term) {
  const auto parts = terms_of(term);
  if (std::ranges::find(parts, "seed") != parts.end()) return "";
  const auto of_method = [](const std::string& part) {
    return part == "method" || part == "matching" || part.starts_with("flow.") || part.starts_with("scheme.");
  };
  if (std::any_of(parts.begin(), parts.end(), of_method)) return all_of_method;
  const auto of_data = [](const std::string& part) { return part.starts_with("data."); };
  return std::all_of(parts.begin(), parts.end(), of_data) ? all_of_data : "";
}

}  // namespace

std::span<const Measure> measures() { return measure_rows; }

std::string effects_csv(const Design& design, std::string_view baseline, std::span<const RunRow> rows,
                        std::string_view only) {
  const PairedRuns runs(design, rows);
  const auto& axes = design.axes();
  const auto& methods = axes[axes.size() - 2].levels;
  const auto base = static_cast<int>(std::find(methods.begin(), methods.end(), baseline) - methods.begin());
  std::string text = "measure,method,matching,";
  for (int f = 0; f < runs.factors(); ++f) text += axes[static_cast<std::size_t>(f)].name + ",";
  text += "pairs,mean,low,high,p,p_holm,verdict\n";
  for (std::size_t m = 0; m < measures().size(); ++m) {
    if (!only.empty() && measures()[m].name != only) continue;
    for (int matching = 0; matching < runs.matchings(); ++matching)
      for (const Effect& e : effects_of(runs, m, matching, base)) text += line(design, e);
  }
  return text;
}

std::vector<VarianceShare> shares_of(const Design& design, std::span<const RunRow> rows, std::size_t measure) {
  std::vector<double> y;
  for (const RunRow& row : rows) y.push_back(ended_well(row) ? row.measures[measure] : nan);
  const bool complete = static_cast<std::int64_t>(rows.size()) == design.size();
  if (!complete || !std::all_of(y.begin(), y.end(), [](double v) { return std::isfinite(v); })) return {};
  std::vector<Factor> factors;
  for (std::size_t a = 0; a < design.axes().size(); ++a) {
    factors.push_back({design.axes()[a].name, {}});
    for (const RunRow& row : rows) factors.back().level.push_back(design.levels(row.run)[a]);
  }
  return variance_shares(factors, y, 0, group_of);
}

std::string shares_csv(const Design& design, std::span<const RunRow> rows) {
  std::string text = "measure,term,degrees,share,low,high\n";
  for (std::size_t m = 0; m < measures().size(); ++m)
    for (const VarianceShare& s : shares_of(design, rows, m)) {
      text += std::string(measures()[m].name) + "," + s.term + "," + std::to_string(s.degrees);
      for (const double x : {s.share, s.low, s.high}) text += "," + to_text(x);
      text += "\n";
    }
  return text;
}

}  // namespace thalweg
