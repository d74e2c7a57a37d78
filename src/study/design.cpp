#include "thalweg/study/design.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/methods.hpp"
#include "thalweg/study/terms.hpp"

namespace thalweg {
namespace {

Axis to_axis(const std::string& word) {
  const auto sign = word.find('=');
  require(sign != std::string::npos, "study.factors: '" + word + "' is not of the form section.key=level,level");
  const Axis axis{word.substr(0, sign), split_list(word.substr(sign + 1))};
  find(keys(), axis.name, "study.factors");
  require(!axis.levels.empty(), "study.factors: " + axis.name + " has no levels");
  for (const auto section : {"study.", "out.", "in.", "evaluate.", "petsc."})
    require(!axis.name.starts_with(section), "study.factors: " + axis.name + " cannot be a factor");
  for (const auto seed : {"data.seed", "model.seed", "scheme.seed"})
    require(axis.name != seed, "study.factors: " + axis.name + " follows study.seeds");
  return axis;
}

/// A method's own keys come last, so a factor among them would be a label without an effect.
void require_free(const Axis& axis, const std::vector<std::string>& compared) {
  for (const auto& name : compared)
    for (const auto& key : split_list(std::string(find(methods(), name, "study.methods").keys), ' '))
      require(!key.starts_with(axis.name + "="),
              "study.factors: " + axis.name + " is set by the method " + name + " (" + key + ")");
}

std::vector<Axis> to_axes(const Settings& s) {
  std::vector<Axis> axes;
  if (s.study.factors != "none")
    for (const auto& word : split_list(s.study.factors, ' ')) axes.push_back(to_axis(word));
  for (const Axis& axis : axes) require_free(axis, s.study.methods);
  axes.push_back({"matching", s.study.matching});
  axes.push_back({"method", s.study.methods});
  Axis seeds{"seed", {}};
  for (int k = 0; k < s.study.seeds; ++k) seeds.levels.push_back(std::to_string(k));
  axes.push_back(seeds);
  for (const Axis& axis : axes) {
    require(!axis.levels.empty(), "study: no level of " + axis.name);
    require(std::count_if(axes.begin(), axes.end(), [&](const Axis& a) { return a.name == axis.name; }) == 1,
            "study.factors: " + axis.name + " is given twice");
    std::set<std::string> known;
    for (const auto& level : axis.levels)
      require(known.insert(level).second, "study: level " + level + " of " + axis.name + " is given twice");
  }
  return axes;
}

/// A study's methods say what is compared; the same keys stated beside them would have no effect.
void require_methods_decide(const Settings& s) {
  const Settings untouched;
  const std::string advice = " follows study.methods; name a method, see `list methods`";
  require(s.scheme == untouched.scheme, "scheme.name: " + s.scheme + advice);
  require(s.flow.diffusion == untouched.flow.diffusion, "flow.diffusion: " + s.flow.diffusion + advice);
  require(s.flow.lattice == untouched.flow.lattice, "flow.lattice: " + s.flow.lattice + advice);
}

/// stop.steps of a study are the baseline's, and stop.time alone means those that span it; what takes more gradients a
/// step than the baseline takes fewer steps.
void spend_the_gradients_of(const Method& baseline, const Method& method, const Settings& base, Settings& s) {
  if (!s.stop.steps && s.stop.time) {
    s.stop.steps = std::max<std::int64_t>(1, std::llround(*s.stop.time / base.stepping.step));
    s.stop.time.reset();
  }
  if (!s.stop.steps) return;
  Settings of_baseline = base;
  apply_keys(of_baseline, baseline.keys);
  const std::int64_t budget = *s.stop.steps * baseline.evaluations * gradients_an_evaluation(of_baseline);
  s.stop.steps = std::max<std::int64_t>(1, budget / (method.evaluations * gradients_an_evaluation(s)));
}

/// An adaptive flow has no fixed step to count: it runs over the training time that the descents span.
void stop_by_time_if_adaptive(Settings& s) {
  if (!s.stepping.rtol && !s.stepping.atol) return;
  if (s.stop.steps && !s.stop.time) {
    s.stop.time = s.stepping.step * static_cast<double>(*s.stop.steps);
    s.stop.steps.reset();
  }
}

}  // namespace

Design::Design(const Settings& settings) : base_(settings), axes_(to_axes(settings)) {
  require_methods_decide(settings);
  const auto& compared = base_.study.methods;
  require(std::find(compared.begin(), compared.end(), base_.study.baseline) != compared.end(),
          "study.baseline: " + base_.study.baseline + " is not among study.methods");
}

std::int64_t Design::size() const {
  std::int64_t product = 1;
  for (const Axis& axis : axes_) product *= static_cast<std::int64_t>(axis.levels.size());
  return product;
}

std::vector<int> Design::levels(std::int64_t run) const {
  std::vector<int> result(axes_.size());
  for (std::size_t a = axes_.size() - 1; a-- > 0;) {
    const auto count = static_cast<std::int64_t>(axes_[a].levels.size());
    result[a] = static_cast<int>(run % count);
    run /= count;
  }
  result.back() = static_cast<int>(run);
  return result;
}

std::int64_t Design::run(const std::vector<int>& levels) const {
  std::int64_t run = levels.back();
  for (std::size_t a = 0; a + 1 < axes_.size(); ++a)
    run = run * static_cast<std::int64_t>(axes_[a].levels.size()) + levels[a];
  return run;
}

const std::string& Design::level(std::int64_t run, std::string_view axis) const {
  const auto it = std::find_if(axes_.begin(), axes_.end(), [&](const Axis& a) { return a.name == axis; });
  const auto a = static_cast<std::size_t>(it - axes_.begin());
  return axes_[a].levels[static_cast<std::size_t>(levels(run)[a])];
}

Settings Design::settings(std::int64_t run) const {
  Settings s = base_;
  const auto chosen = levels(run);
  std::map<std::string, std::string> given;
  for (std::size_t a = 0; a + 3 < axes_.size(); ++a) {
    given[axes_[a].name] = axes_[a].levels[static_cast<std::size_t>(chosen[a])];
    set_key(s, axes_[a].name, given[axes_[a].name]);
  }
  const Method& method = find(methods(), level(run, "method"), "study.methods");
  const Settings of_cell = s;
  apply_keys(s, method.keys);
  spend_the_gradients_of(find(methods(), s.study.baseline, "study.baseline"), method, of_cell, s);
  const auto seed = static_cast<std::uint64_t>(chosen.back());
  s.data.seed += seed;
  s.model.seed += seed;
  s.stepping.batch.seed += seed;
  stop_by_time_if_adaptive(s);
  resolve(s, given);
  return s;
}

}  // namespace thalweg
