#include "thalweg/study/study_run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "thalweg/study/effects.hpp"
#include "thalweg/study/methods.hpp"

namespace thalweg {
namespace {

const std::vector<std::string> curve_columns{"time", "step", "loss", "test_accuracy", "memorised"};

std::string curve_text(const Recorder& recorder) {
  std::vector<std::size_t> places;
  for (const auto& wanted : curve_columns) {
    const auto& all = recorder.columns();
    places.push_back(static_cast<std::size_t>(std::find(all.begin(), all.end(), wanted) - all.begin()));
  }
  std::string text;
  for (const auto& row : recorder.rows()) {
    for (std::size_t j = 0; j < places.size(); ++j)
      text += (j == 0 ? "" : ",") + (places[j] < row.size() ? to_text(row[places[j]]) : "nan");
    text += '\n';
  }
  return text;
}

std::vector<double> table_values(const Experiment& ex, const Recorder& recorder, const Outcome& outcome) {
  std::vector<double> values;
  for (const Measure& m : measures())
    values.push_back(m.name == "best_accuracy"    ? recorder.best_accuracy()
                     : m.name == "noise_realised" ? (ex.learning ? ex.learning->data.noise_realised : std::nan(""))
                                                  : recorder.last(m.name));
  values.insert(values.end(), {static_cast<double>(outcome.work.steps), static_cast<double>(outcome.work.gradients),
                               outcome.end.time});
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

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::vector<std::string> table_columns() {
  std::vector<std::string> columns;
  for (const Measure& m : measures()) columns.emplace_back(m.name);
  columns.insert(columns.end(), {"steps", "gradients", "time"});
  return columns;
}

std::unique_ptr<Experiment> make_experiment(const Design& design, std::int64_t run) {
  Settings settings = design.settings(run);
  auto experiment = std::make_unique<Experiment>(settings);
  if (design.level(run, "matching") != "equal-effective-step") return experiment;
  settings.stepping.step = matched_step(settings, *experiment);
  if (!experiment->learning) return std::make_unique<Experiment>(settings);
  Dataset data = experiment->learning->data;
  return std::make_unique<Experiment>(settings, std::move(data));
}

RunRow run_one(const Design& design, std::int64_t run, bool curves, const std::function<bool()>& interrupted,
               Observer* watch) {
  const auto start = std::chrono::steady_clock::now();
  const auto ex = make_experiment(design, run);
  Recorder recorder = ex->recorder();
  std::vector<Watch> watches{{ex->schedule(), recorder}};
  if (watch) watches.push_back({{{}, 10}, *watch});
  const Outcome outcome = ex->run(watches, interrupted);
  return {run,
          std::string(name(outcome.status)),
          outcome.message,
          table_values(*ex, recorder, outcome),
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          curves ? curve_text(recorder) : ""};
}

std::string packed(const RunRow& row) {
  std::string bytes;
  append(bytes, &row.run, sizeof row.run);
  append(bytes, &row.seconds, sizeof row.seconds);
  for (const auto* text : {&row.status, &row.reason, &row.curve}) append(bytes, *text);
  append(bytes, row.measures.data(), row.measures.size() * sizeof(double));
  return bytes;
}

RunRow unpacked(const std::string& bytes) {
  RunRow row;
  const char* at = bytes.data();
  const auto take = [&at](void* to, std::size_t size) {
    std::memcpy(to, at, size);
    at += size;
  };
  take(&row.run, sizeof row.run);
  take(&row.seconds, sizeof row.seconds);
  for (auto* text : {&row.status, &row.reason, &row.curve}) {
    std::uint64_t size = 0;
    take(&size, sizeof size);
    text->assign(at, size);
    at += size;
  }
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

std::string curves_csv(std::span<const RunRow> rows) {
  std::string text = "run";
  for (const auto& column : curve_columns) text += "," + column;
  text += "\n";
  for (const RunRow& row : rows)
    for (std::size_t start = 0; start < row.curve.size();) {
      const auto end = row.curve.find('\n', start) + 1;
      text += std::to_string(row.run) + "," + row.curve.substr(start, end - start);
      start = end;
    }
  return text;
}

}  // namespace thalweg
