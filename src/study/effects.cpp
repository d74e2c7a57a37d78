#include "thalweg/study/effects.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "thalweg/core/core.hpp"
#include "thalweg/integrate/integrate.hpp"
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
    {"noise_realised", "share of wrong training labels", 0},
};

/// A level index for each factor of a cell; `pooled` averages over all levels.
using Cell = std::vector<int>;
constexpr int pooled = -1;

struct Effect {
  std::size_t measure;
  int method, matching;
  Cell cell;
  PairedEffect paired;
  double adjusted = nan;
  int needed = 0;  // the fewest pairs that could be significant among the effects it is adjusted with
};

/// What a run that diverged or gave up still measured is no result of its method; runs.csv shows it and the report
/// counts it.
double measured(const RunRow& row, std::size_t measure) {
  const bool ended_well = row.status != name(Status::diverged) && row.status != name(Status::failed);
  return ended_well ? row.measures[measure] : nan;
}

/// Runs of a complete or partial study, looked up by their level indices.
class Runs {
 public:
  Runs(const Design& design, std::span<const RunRow> rows) : design_(design) {
    for (const RunRow& row : rows) by_levels_[design.levels(row.run)] = &row;
    factors_ = static_cast<int>(design.axes().size()) - 3;
  }

  int factors() const { return factors_; }
  int count(int axis) const { return static_cast<int>(design_.axes()[static_cast<std::size_t>(axis)].levels.size()); }

  /// One difference a seed: the mean over the cells that this one covers, but for those in which the measure means
  /// nothing at any seed; nan where a run is missing.
  std::vector<double> differences(std::size_t measure, const Cell& cell, int matching, int method, int baseline) const {
    const auto seeds = static_cast<std::size_t>(count(factors_ + 2));
    std::vector<double> sums(seeds, 0), own(seeds);
    double covered = 0;
    each_in(cell, [&](const Cell& c) {
      bool means_something = false;
      for (std::size_t s = 0; s < seeds; ++s) {
        const int seed = static_cast<int>(s);
        own[s] = value(measure, c, matching, method, seed) - value(measure, c, matching, baseline, seed);
        means_something = means_something || !std::isnan(own[s]);
      }
      if (!means_something) return;
      for (std::size_t s = 0; s < seeds; ++s) sums[s] += own[s];
      ++covered;
    });
    for (double& sum : sums) sum = covered > 0 ? sum / covered : nan;
    return sums;
  }

  /// All cells; then those with all factors but one pooled; then the one with all pooled.
  std::vector<Cell> cells() const {
    std::vector<Cell> all;
    Cell top(static_cast<std::size_t>(factors_), pooled);
    each_in(top, [&](const Cell& c) { all.push_back(c); });
    if (factors_ < 2) {
      if (factors_ == 1) all.push_back(top);
      return all;
    }
    for (std::size_t f = 0; f < top.size(); ++f)
      for (int level = 0; level < count(static_cast<int>(f)); ++level) {
        Cell one = top;
        one[f] = level;
        all.push_back(one);
      }
    all.push_back(top);
    return all;
  }

 private:
  double value(std::size_t measure, const Cell& cell, int matching, int method, int seed) const {
    std::vector<int> levels(cell.begin(), cell.end());
    levels.insert(levels.end(), {matching, method, seed});
    const auto it = by_levels_.find(levels);
    return it == by_levels_.end() ? nan : measured(*it->second, measure);
  }

  template <class Visit>
  void each_in(const Cell& cell, Visit visit) const {
    Cell current = cell;
    visit_from(0, cell, current, visit);
  }

  template <class Visit>
  void visit_from(std::size_t f, const Cell& cell, Cell& current, Visit& visit) const {
    if (f == cell.size()) return visit(current);
    const bool all = cell[f] == pooled;
    for (int level = all ? 0 : cell[f]; level < (all ? count(static_cast<int>(f)) : cell[f] + 1); ++level) {
      current[f] = level;
      visit_from(f + 1, cell, current, visit);
    }
  }

  const Design& design_;
  std::map<std::vector<int>, const RunRow*> by_levels_;
  int factors_;
};

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

std::vector<Effect> effects_of(const Runs& runs, std::size_t measure, int matching, int baseline) {
  std::vector<Effect> effects;
  for (int method = 0; method < runs.count(runs.factors() + 1); ++method) {
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

}  // namespace

std::span<const Measure> measures() { return measure_rows; }

std::string effects_csv(const Design& design, std::string_view baseline, std::span<const RunRow> rows) {
  const Runs runs(design, rows);
  const auto& axes = design.axes();
  const auto& methods = axes[axes.size() - 2].levels;
  const auto base = static_cast<int>(std::find(methods.begin(), methods.end(), baseline) - methods.begin());
  std::string text = "measure,method,matching,";
  for (int f = 0; f < runs.factors(); ++f) text += axes[static_cast<std::size_t>(f)].name + ",";
  text += "pairs,mean,low,high,p,p_holm,verdict\n";
  for (std::size_t m = 0; m < measures().size(); ++m)
    for (int matching = 0; matching < runs.count(runs.factors()); ++matching)
      for (const Effect& e : effects_of(runs, m, matching, base)) text += line(design, e);
  return text;
}

std::string shares_csv(const Design& design, std::span<const RunRow> rows) {
  std::string text = "measure,term,degrees,share,low,high\n";
  if (static_cast<std::int64_t>(rows.size()) != design.size()) return text;
  std::vector<Factor> factors;
  for (std::size_t a = 0; a < design.axes().size(); ++a) {
    factors.push_back({design.axes()[a].name, {}});
    for (const RunRow& row : rows) factors.back().level.push_back(design.levels(row.run)[a]);
  }
  for (std::size_t m = 0; m < measures().size(); ++m) {
    std::vector<double> y;
    for (const RunRow& row : rows) y.push_back(measured(row, m));
    if (!std::all_of(y.begin(), y.end(), [](double v) { return std::isfinite(v); })) continue;
    for (const VarianceShare& s : variance_shares(factors, y, 0)) {
      text += std::string(measures()[m].name) + "," + s.term + "," + std::to_string(s.degrees);
      for (const double x : {s.share, s.low, s.high}) text += "," + to_text(x);
      text += "\n";
    }
  }
  return text;
}

}  // namespace thalweg
