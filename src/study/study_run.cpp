#include "thalweg/study/study_run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "thalweg/diagnose/symmetric_map.hpp"
#include "thalweg/diagnose/trace.hpp"
#include "thalweg/flow/gradient_flow.hpp"
#include "thalweg/integrate/sharpness.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/effects.hpp"
#include "thalweg/study/methods.hpp"
#include "thalweg/study/run_directory.hpp"

namespace thalweg {
namespace {

constexpr std::string_view curve_names[] = {"time", "step", "loss", "test_accuracy", "memorised"};

std::vector<float> curve_of(const Recorder& recorder) {
  const auto& all = recorder.columns();
  std::vector<float> values;
  for (const auto& row : recorder.rows())
    for (const auto wanted : curve_names) {
      const auto place = static_cast<std::size_t>(std::find(all.begin(), all.end(), wanted) - all.begin());
      values.push_back(place < row.size() ? static_cast<float>(row[place]) : std::numeric_limits<float>::quiet_NaN());
    }
  return values;
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int trace_products = 30;

/// A measure of the end of a run, or of all of it; nan where there is none.
double value_of(std::string_view measure, const Experiment& ex, const Recorder& recorder, const Outcome& outcome) {
  if (measure == "best_accuracy") return recorder.best_accuracy();
  if (measure == "noise_realised") return ex.learning ? ex.learning->data.noise_realised : nan;
  const bool of_hessian = measure == "sharpness" || measure == "trace";
  if (!of_hessian) return recorder.last(measure);
  if (!ex.settings.study.geometry || exit_code(outcome.status) != 0) return nan;
  if (measure == "sharpness")
    return sharpness(GradientFlow(ex.objective, nullptr, {}), Part::all, outcome.end, outcome.y).value;
  return hutch_plus_plus(hessian(ex.objective, outcome.y), trace_products, ex.settings.model.seed).value;
}

std::vector<double> table_values(const Experiment& ex, const Recorder& recorder, const Outcome& outcome) {
  std::vector<double> values;
  for (const Measure& m : measures()) values.push_back(value_of(m.name, ex, recorder, outcome));
  values.insert(values.end(), {ex.settings.stepping.step, static_cast<double>(outcome.work.steps),
                               static_cast<double>(outcome.work.gradients), outcome.end.time});
  return values;
}

void append(std::string& bytes, const void* data, std::size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

void append(std::string& bytes, const std::string& text) {
  const std::uint64_t size = text.size();
  append(bytes, &size, sizeof size);
  bytes += text;
}

}  // namespace

std::vector<std::string> table_columns() {
  std::vector<std::string> columns;
  for (const Measure& m : measures()) columns.emplace_back(m.name);
  columns.insert(columns.end(), {"step", "steps", "gradients", "time"});
  return columns;
}

std::unique_ptr<Experiment> make_experiment(const Design& design, std::int64_t run, double factor) {
  Settings settings = design.settings(run);
  // What has no fixed step to count runs over the time that as many of these steps span.
  const auto take = [&](double step) {
    if (!settings.stop.steps && settings.stop.time) *settings.stop.time *= step / settings.stepping.step;
    settings.stepping.step = step;
  };
  take(settings.stepping.step * factor);
  auto experiment = std::make_unique<Experiment>(settings);
  if (design.level(run, "matching") != "equal-effective-step") return experiment;
  take(matched_step(settings, *experiment));
  if (!experiment->learning) return std::make_unique<Experiment>(settings);
  Dataset data = experiment->learning->data;
  return std::make_unique<Experiment>(settings, std::move(data));
}

namespace {

struct Solved {
  RunRow row;
  double validation = nan;  // accuracy at the end; nan where the run went wrong
};

Solved solve(const Experiment& ex, std::int64_t run, bool curves, const std::function<bool()>& interrupted,
             Observer* watch) {
  Recorder recorder = ex.recorder();
  std::vector<Watch> watches{{ex.schedule(), recorder}};
  if (watch) watches.push_back({{{}, 10}, *watch});
  const Outcome outcome = ex.run(watches, interrupted);
  Solved solved{{run, std::string(name(outcome.status)), outcome.message, table_values(ex, recorder, outcome), 0,
                 curves ? curve_of(recorder) : std::vector<float>()}};
  if (exit_code(outcome.status) == 0) solved.validation = recorder.last("validation_accuracy");
  return solved;
}

}  // namespace

std::vector<double> step_factors(const Design& design, std::int64_t run) {
  if (design.level(run, "matching") != "tuned") return {1};
  std::vector<double> factors = design.settings(run).study.tuning;
  std::ranges::sort(factors);
  return factors;
}

double step_factor(const Design& design, const RunRow& row) {
  if (design.level(row.run, "matching") != "tuned") return 1;
  const auto columns = table_columns();
  const double step = row.measures[static_cast<std::size_t>(std::ranges::find(columns, "step") - columns.begin())];
  return std::isnan(step) ? 1 : step / design.settings(row.run).stepping.step;
}

bool validates(const Experiment& experiment) {
  const auto& probes = experiment.settings.record.probes;
  return experiment.learning && experiment.learning->data.validation.size() > 0 &&
         (probes.empty() || std::ranges::find(probes, "validation_accuracy") != probes.end());
}

RunRow run_or_fail(const Design& design, std::int64_t run, bool curves, const std::function<bool()>& interrupted,
                   Observer* watch) {
  try {
    return run_one(design, run, curves, interrupted, watch);
  } catch (const std::invalid_argument& problem) {
    return {run, std::string(name(Status::failed)), problem.what(), std::vector<double>(table_columns().size(), nan), 0,
            {}};
  }
}

RunRow run_one(const Design& design, std::int64_t run, bool curves, const std::function<bool()>& interrupted,
               Observer* watch) {
  const auto start = std::chrono::steady_clock::now();
  std::optional<Solved> best;
  for (const double factor : step_factors(design, run)) {
    Solved solved = solve(*make_experiment(design, run, factor), run, curves, interrupted, watch);
    const bool ended = solved.row.status == name(Status::interrupted);
    if (ended || !best || solved.validation > best->validation ||
        (std::isnan(best->validation) && !std::isnan(solved.validation)))
      best = std::move(solved);
    if (ended) break;
  }
  best->row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return best->row;
}

std::string packed(const RunRow& row) {
  std::string bytes;
  append(bytes, &row.run, sizeof row.run);
  append(bytes, &row.seconds, sizeof row.seconds);
  for (const auto* text : {&row.status, &row.reason}) append(bytes, *text);
  const std::uint64_t points = row.curve.size();
  append(bytes, &points, sizeof points);
  append(bytes, row.curve.data(), points * sizeof(float));
  append(bytes, row.measures.data(), row.measures.size() * sizeof(double));
  return bytes;
}

RunRow unpacked(const std::string& bytes) {
  RunRow row;
  const char* at = bytes.data();
  const auto take = [&at](void* to, std::size_t size) {
    std::copy_n(at, size, static_cast<char*>(to));
    at += size;
  };
  take(&row.run, sizeof row.run);
  take(&row.seconds, sizeof row.seconds);
  std::uint64_t size = 0;
  for (auto* text : {&row.status, &row.reason}) {
    take(&size, sizeof size);
    text->assign(at, size);
    at += size;
  }
  take(&size, sizeof size);
  row.curve.resize(size);
  take(row.curve.data(), size * sizeof(float));
  row.measures.resize(static_cast<std::size_t>(bytes.data() + bytes.size() - at) / sizeof(double));
  take(row.measures.data(), row.measures.size() * sizeof(double));
  return row;
}

std::string runs_csv(const Design& design, std::span<const RunRow> rows) {
  std::string text = "run";
  for (const Axis& axis : design.axes()) text += "," + axis.name;
  text += ",status,reason";
  for (const auto& column : table_columns()) text += "," + column;
  text += "\n";
  for (const RunRow& row : rows) {
    text += std::to_string(row.run);
    const auto levels = design.levels(row.run);
    for (std::size_t a = 0; a < levels.size(); ++a)
      text += "," + csv_cell(design.axes()[a].levels[static_cast<std::size_t>(levels[a])]);
    text += "," + row.status + "," + csv_cell(row.reason);
    for (const double value : row.measures) text += "," + to_text(value);
    text += "\n";
  }
  return text;
}

std::span<const std::string_view> curve_columns() { return curve_names; }

std::string curves_header() {
  std::string text = "run";
  for (const auto column : curve_columns()) text += "," + std::string(column);
  return text + "\n";
}

std::string curve_lines(const RunRow& row) {
  std::string text;
  for (std::size_t i = 0; i < row.curve.size(); ++i) {
    if (i % std::size(curve_names) == 0) text += (i > 0 ? "\n" : "") + std::to_string(row.run);
    text += "," + to_text_single(row.curve[i]);
  }
  return row.curve.empty() ? text : text + "\n";
}

}  // namespace thalweg
