#include "thalweg/study/paired_runs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "thalweg/integrate/integrate.hpp"

namespace thalweg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

bool ended_well(const RunRow& row) {
  return row.status != name(Status::diverged) && row.status != name(Status::failed);
}

PairedRuns::PairedRuns(const Design& design, std::span<const RunRow> rows)
    : design_(design),
      rows_(static_cast<std::size_t>(design.size())),
      factors_(static_cast<int>(design.axes().size()) - 3) {
  for (const RunRow& row : rows) rows_[static_cast<std::size_t>(row.run)] = &row;
}

int PairedRuns::find(int axis_from_end, std::string_view level) const {
  const auto& levels = design_.axes()[design_.axes().size() - static_cast<std::size_t>(axis_from_end)].levels;
  const auto it = std::find(levels.begin(), levels.end(), level);
  return it == levels.end() ? -1 : static_cast<int>(it - levels.begin());
}

std::vector<double> PairedRuns::differences(std::size_t measure, const Cell& cell, int matching, int method,
                                            int baseline) const {
  const auto seeds = static_cast<std::size_t>(count(factors_ + 2));
  std::vector<double> sums(seeds, 0), own(seeds);
  double covered = 0;
  each_in(cell, [&](const Cell& c) {
    bool means_something = false;
    for (std::size_t s = 0; s < seeds; ++s) {
      const int seed = static_cast<int>(s);
      const double mine = value(measure, c, matching, method, seed),
                   theirs = value(measure, c, matching, baseline, seed);
      own[s] = mine - theirs;
      means_something = means_something || !std::isnan(mine) || !std::isnan(theirs);
    }
    if (!means_something) return;
    for (std::size_t s = 0; s < seeds; ++s) sums[s] += own[s];
    ++covered;
  });
  for (double& sum : sums) sum = covered > 0 ? sum / covered : nan;
  return sums;
}

double PairedRuns::mean(std::size_t measure, const Cell& cell, int matching, int method) const {
  double sum = 0, runs = 0;
  each_in(cell, [&](const Cell& c) {
    for (int seed = 0; seed < count(factors_ + 2); ++seed)
      if (const double x = value(measure, c, matching, method, seed); std::isfinite(x)) {
        sum += x;
        ++runs;
      }
  });
  return runs > 0 ? sum / runs : nan;
}

std::vector<Cell> PairedRuns::cells() const {
  std::vector<Cell> all;
  each_in(everywhere(), [&](const Cell& c) { all.push_back(c); });
  if (factors_ < 2) {
    if (factors_ == 1) all.push_back(everywhere());
    return all;
  }
  for (std::size_t f = 0; f < everywhere().size(); ++f)
    for (int level = 0; level < count(static_cast<int>(f)); ++level) {
      Cell one = everywhere();
      one[f] = level;
      all.push_back(one);
    }
  all.push_back(everywhere());
  return all;
}

double PairedRuns::value(std::size_t measure, const Cell& cell, int matching, int method, int seed) const {
  std::vector<int> levels(cell.begin(), cell.end());
  levels.insert(levels.end(), {matching, method, seed});
  const RunRow* row = rows_[static_cast<std::size_t>(design_.run(levels))];
  return row && ended_well(*row) ? row->measures[measure] : nan;
}

void PairedRuns::each_in(const Cell& cell, const std::function<void(const Cell&)>& visit) const {
  Cell current = cell;
  const std::function<void(std::size_t)> from = [&](std::size_t f) {
    if (f == cell.size()) return visit(current);
    const bool all = cell[f] == pooled;
    const int end = all ? count(static_cast<int>(f)) : cell[f] + 1;
    for (int level = all ? 0 : cell[f]; level < end; ++level) {
      current[f] = level;
      from(f + 1);
    }
  };
  from(0);
}

}  // namespace thalweg
