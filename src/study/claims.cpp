#include "thalweg/study/claims.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

#include <boost/math/distributions/binomial.hpp>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/effects.hpp"
#include "thalweg/study/methods.hpp"
#include "thalweg/study/paired_runs.hpp"
#include "thalweg/study/run_directory.hpp"

namespace thalweg {
namespace {

constexpr double level = .05;
constexpr std::string_view fragmented = "islands";

std::string short_text(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", x);
  return text;
}

std::string signed_text(double x) { return (x > 0 ? "+" : "") + short_text(x); }

/// Nothing where there is none, as of a single pair.
std::string interval_text(double low, double high) {
  return std::isnan(low) ? "" : " [" + short_text(low) + ", " + short_text(high) + "]";
}

std::string percent(const VarianceShare& s) {
  return short_text(100 * s.share) + " %" + interval_text(100 * s.low, 100 * s.high);
}

std::string words(std::string_view measure) {
  std::string text(measure);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::size_t index_of(std::string_view measure) {
  const auto all = measures();
  const auto it = std::find_if(all.begin(), all.end(), [&](const Measure& m) { return m.name == measure; });
  return static_cast<std::size_t>(it - all.begin());
}

/// Whether the method fills a slot of the flow and is no control.
bool diffuses_anything(const std::string& method) {
  const auto keys = find(methods(), method, "study.methods").keys;
  const auto has = [&](std::string_view key) { return keys.find(key) != std::string_view::npos; };
  return !has("flow.diffusion=none") && !has("flow.lattice=permuted");
}

/// What all claims look at: one matching, the baseline, and the methods that diffuse anything, but for those of which
/// no run ended well.
class Evidence {
 public:
  Evidence(const Design& design, std::string_view baseline, std::span<const RunRow> rows)
      : design_(design), rows_(rows), runs_(design, rows), baseline_(runs_.find(2, baseline)) {
    matching_ = std::max(0, runs_.find(3, "equal-effective-step"));
    std::set<std::string> survivors;
    for (const RunRow& row : rows)
      if (ended_well(row) && design.level(row.run, "matching") == name_of(3, matching_))
        survivors.insert(design.level(row.run, "method"));
    for (int m = 0; m < runs_.methods(); ++m) {
      const std::string& name = name_of(2, m);
      if (m == baseline_ || !diffuses_anything(name)) continue;
      if (survivors.contains(name))
        diffusing_.push_back(m);
      else
        lost_ += (lost_.empty() ? "" : ", ") + name;
    }
  }

  const Design& design() const { return design_; }
  std::span<const RunRow> rows() const { return rows_; }
  const PairedRuns& runs() const { return runs_; }
  bool any() const { return !diffusing_.empty(); }
  std::string none() const {
    return lost_.empty() ? "No method here diffuses anything."
                         : "No run that diffuses anything ended well: " + lost_ + ".";
  }
  std::string baseline() const { return name_of(2, baseline_); }
  std::string where() const {
    return std::to_string(diffusing_.size()) +
           (diffusing_.size() == 1 ? " diffusing method, " : " diffusing methods, ") + name_of(3, matching_) +
           (lost_.empty() ? "" : "; without " + lost_ + ", of which no run ended well");
  }

  /// The mean difference of the diffusing methods to the baseline, a number a seed.
  PairedEffect effect(std::string_view measure, const Cell& cell) const {
    std::vector<double> sums;
    for (const int method : diffusing_) {
      const auto own = runs_.differences(index_of(measure), cell, matching_, method, baseline_);
      sums.resize(own.size());
      for (std::size_t s = 0; s < own.size(); ++s) sums[s] += own[s] / static_cast<double>(diffusing_.size());
    }
    return paired_effect(sums, 0);
  }
  double of_baseline(std::string_view measure, const Cell& cell) const {
    return runs_.mean(index_of(measure), cell, matching_, baseline_);
  }

 private:
  const std::string& name_of(std::size_t axis_from_end, int k) const {
    return design_.axes()[design_.axes().size() - axis_from_end].levels[static_cast<std::size_t>(k)];
  }

  const Design& design_;
  std::span<const RunRow> rows_;
  PairedRuns runs_;
  int baseline_, matching_;
  std::vector<int> diffusing_;
  std::string lost_;
};

/// "roughness -0.03 [-0.04, -0.02] from 0.25, sharpness ...", and whether each is seen, adjusted for their number (Holm
/// 1979); unmeasured ones are left out.
struct Compared {
  std::string text;
  int measured = 0, seen_below = 0, seen_above = 0, few = 0;
};

Compared compared(const Evidence& evidence, std::span<const std::string_view> names, const Cell& cell) {
  Compared all;
  std::vector<PairedEffect> effects;
  std::vector<double> p;
  for (const auto measure : names) {
    const PairedEffect e = evidence.effect(measure, cell);
    if (e.pairs == 0) continue;
    all.text += (all.measured++ > 0 ? ", " : "") + words(measure) + " " + signed_text(e.mean) +
                interval_text(e.low, e.high) + " from " + short_text(evidence.of_baseline(measure, cell));
    effects.push_back(e);
    p.push_back(e.p);
  }
  const auto adjusted = holm(p);
  for (std::size_t k = 0; k < effects.size(); ++k) {
    const PairedEffect& e = effects[k];
    const bool few = e.pairs < pairs_needed(level, all.measured);
    all.few += few;
    all.seen_below += !few && adjusted[k] < level && e.high < 0;
    all.seen_above += !few && adjusted[k] < level && e.low > 0;
  }
  return all;
}

constexpr const char* few_words = "Too few seeds to tell";

std::string smooth_answer(const Evidence& evidence) {
  if (!evidence.any()) return evidence.none();
  const Cell all = evidence.runs().everywhere();
  static constexpr std::string_view path[] = {"roughness", "turning"}, geometry[] = {"sharpness", "trace"};
  const Compared smooth = compared(evidence, path, all), local = compared(evidence, geometry, all);
  if (smooth.measured + local.measured == 0) return "Neither the path nor the geometry was measured.";
  std::string text;
  if (smooth.measured > 0)
    text += smooth.few > 0 ? std::string(few_words)
            : smooth.seen_below > 0 && smooth.seen_above > 0
                ? "The path is smoother by one measure and rougher by another"
            : smooth.seen_below > 0 ? "Diffusion smooths the path"
            : smooth.seen_above > 0 ? "Diffusion roughens the path"
                                    : "No difference of the path is seen";
  if (smooth.measured > 0) text += ": " + smooth.text;
  if (local.measured > 0)
    text += (text.empty() ? "" : ". ") +
            (local.few > 0                          ? std::string("Too few seeds for the geometry")
             : local.seen_below && local.seen_above ? "The loss is flatter by one measure and sharper by another"
             : local.seen_below                     ? "The loss is flatter where it ends"
             : local.seen_above                     ? "The loss is sharper where it ends"
                                                    : "No difference of the geometry is seen") +
            ": " + local.text;
  return text + " of " + evidence.baseline() + " (mean of " + evidence.where() + ").";
}

/// The share of runs that went wrong, with its exact interval (Clopper & Pearson 1934).
std::string lost_text(std::span<const RunRow* const> runs) {
  const auto all = static_cast<double>(runs.size());
  const auto lost =
      static_cast<double>(std::count_if(runs.begin(), runs.end(), [](auto r) { return !ended_well(*r); }));
  using Binomial = boost::math::binomial;
  const double low = lost > 0 ? Binomial::find_lower_bound_on_p(all, lost, level / 2) : 0,
               high = lost < all ? Binomial::find_upper_bound_on_p(all, lost, level / 2) : 1;
  return to_text(lost) + " of " + to_text(all) + " runs diverged or gave up, " + short_text(100 * lost / all) + " %" +
         interval_text(100 * low, 100 * high);
}

/// The level of data.kind at a run, whether it is a factor or the same everywhere.
std::string kind_of(const Design& design, std::int64_t run) {
  for (const Axis& axis : design.axes())
    if (axis.name == "data.kind") return design.level(run, axis.name);
  return design.settings(run).data.kind;
}

std::string stable_answer(const Evidence& evidence) {
  std::vector<const RunRow*> there, elsewhere;
  for (const RunRow& row : evidence.rows())
    (kind_of(evidence.design(), row.run) == fragmented ? there : elsewhere).push_back(&row);
  if (there.empty()) return "No fragmented data (" + std::string(fragmented) + ") here; " + lost_text(elsewhere) + ".";
  std::string text = "On " + std::string(fragmented) + " " + lost_text(there);
  if (!elsewhere.empty()) text += "; elsewhere " + lost_text(elsewhere);
  Cell cell = evidence.runs().everywhere();
  const auto& axes = evidence.design().axes();
  for (std::size_t f = 0; f < cell.size(); ++f)
    if (axes[f].name == "data.kind")
      cell[f] = static_cast<int>(std::find(axes[f].levels.begin(), axes[f].levels.end(), fragmented) -
                                 axes[f].levels.begin());
  static constexpr std::string_view names[] = {"worst_fragment"};
  const Compared worst = evidence.any() ? compared(evidence, names, cell) : Compared{};
  if (worst.measured == 0) return text + ".";
  text += worst.few > 0          ? ". Too few seeds for the worst fragment"
          : worst.seen_below > 0 ? ". Diffusion hurts the worst fragment"
          : worst.seen_above > 0 ? ". Diffusion helps the worst fragment"
                                 : ". No difference on the worst fragment is seen";
  return text + ": " + worst.text + " of " + evidence.baseline() + " (mean of " + evidence.where() + ").";
}

std::string structure_answer(const Evidence& evidence) {
  std::string text;
  for (const std::string_view measure : {"test_accuracy", "loss"}) {
    const auto shares = shares_of(evidence.design(), evidence.rows(), index_of(measure));
    const auto of = [&](const char* group) {
      const auto it =
          std::find_if(shares.begin(), shares.end(), [&](const VarianceShare& s) { return s.term == group; });
      return it == shares.end() || std::isnan(it->share) ? std::nullopt : std::optional(*it);
    };
    const auto data = of(all_of_data), method = of(all_of_method);
    if (!data || !method) continue;
    const bool few = static_cast<int>(evidence.design().axes().back().levels.size()) < pairs_needed(level, 1);
    text = few                        ? std::string(few_words)
           : data->low > method->high ? "The data decide"
           : method->low > data->high ? "The method decides"
                                      : "Neither clearly decides";
    text += ": data factors explain " + percent(*data) + " of the variance of " + words(measure) +
            ", method and matching with their interactions " + percent(*method) + ".";
    break;
  }
  if (text.empty())
    text = "No shares of variance: they need all runs of two data levels or more, each with a finite accuracy.";
  if (!evidence.any()) return text;
  static constexpr std::string_view names[] = {"test_accuracy"};
  const Compared gain = compared(evidence, names, evidence.runs().everywhere());
  if (gain.measured == 0) return text;
  text += gain.few > 0          ? " Too few seeds for the gain"
          : gain.seen_below > 0 ? " Diffusion hurts over all cells"
          : gain.seen_above > 0 ? " Diffusion helps over all cells"
                                : " No gain over all cells is seen";
  return text + ": " + gain.text + " of " + evidence.baseline() + " (mean of " + evidence.where() + ").";
}

}  // namespace

std::vector<Claim> claims(const Design& design, std::string_view baseline, std::span<const RunRow> rows) {
  if (rows.empty()) return {};
  const Evidence evidence(design, baseline, rows);
  return {{"Does diffusion smooth the path and change the geometry of the loss?", smooth_answer(evidence)},
          {"Is convergence stable on fragmented data?", stable_answer(evidence)},
          {"Do gains depend on the task, and do the data decide more than the method?", structure_answer(evidence)}};
}

std::string claims_csv(std::span<const Claim> claims) {
  std::string text = "question,answer\n";
  for (const Claim& claim : claims) text += csv_cell(claim.question) + "," + csv_cell(claim.answer) + "\n";
  return text;
}

}  // namespace thalweg
