#include "thalweg/study/precision_files.hpp"

#include <algorithm>
#include <cmath>

#include "thalweg/core/table.hpp"
#include "thalweg/output/vtk.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"

namespace thalweg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Column {
  const char* name;
  double (*of)(const Precision&);
};

constexpr Column number_columns[] = {
    {"dial", [](const Precision& p) { return p.dial; }},
    {"error_theta", [](const Precision& p) { return p.errors.theta; }},
    {"error_energy", [](const Precision& p) { return p.errors.energy; }},
    {"error_output", [](const Precision& p) { return p.errors.output; }},
    {"error_estimate", [](const Precision& p) { return p.estimate; }},
    {"cost", [](const Precision& p) { return p.cost(); }},
    {"gradients", [](const Precision& p) { return static_cast<double>(p.work.gradients); }},
    {"products", [](const Precision& p) { return static_cast<double>(p.work.products); }},
    {"steps", [](const Precision& p) { return static_cast<double>(p.work.steps); }},
    {"rejected", [](const Precision& p) { return static_cast<double>(p.work.rejected); }},
    {"nonlinear_iterations", [](const Precision& p) { return static_cast<double>(p.work.nonlinear_iterations); }},
    {"linear_iterations", [](const Precision& p) { return static_cast<double>(p.work.linear_iterations); }},
    {"energy_rises", [](const Precision& p) { return static_cast<double>(p.energy_rises); }},
    {"seconds", [](const Precision& p) { return p.seconds; }},
};

struct WordColumn {
  const char* name;
  std::string (*of)(const Precision&);
};

constexpr WordColumn word_columns[] = {
    {"scheme", [](const Precision& p) { return p.scheme; }},
    {"family", [](const Precision& p) { return std::string(find(schemes(), p.scheme, "scheme").family); }},
    {"control", [](const Precision& p) { return std::string(p.adaptive ? "tolerance" : "step"); }},
    {"status", [](const Precision& p) { return p.status; }},
    {"reason", [](const Precision& p) { return p.reason; }},
};

/// Errors from here on are no longer small against the path.
constexpr double ceiling = 0.1;

OrderFit fit(const SchemeRow& row, std::span<const Precision> points, double Errors::*error, double floor) {
  std::vector<double> steps, errors;
  for (const Precision& p : points)
    if (p.scheme == row.name && !p.adaptive) {
      steps.push_back(p.dial);
      errors.push_back(p.errors.*error);
    }
  // At ten times the reference's own error a tenth of what is seen is the reference's.
  return fit_order(steps, errors, {10 * floor, ceiling});
}

}  // namespace

std::vector<Order> orders_of(const Comparison& comparison, const std::vector<const SchemeRow*>& rows,
                             std::span<const Precision> points,
                             const std::map<std::string_view, double>& stable_steps) {
  const Errors& floor = comparison.reference_error();
  std::vector<Order> orders;
  for (const SchemeRow* row : rows) {
    const auto stable = stable_steps.find(row->name);
    const double limit = row->limit ? row->limit(comparison.settings_at(false, 1)) : nan;
    orders.push_back({row, fit(*row, points, &Errors::theta, floor.theta),
                      fit(*row, points, &Errors::energy, floor.energy),
                      fit(*row, points, &Errors::output, floor.output),
                      stable == stable_steps.end() ? nan : stable->second, limit / comparison.last_sharpness()});
  }
  return orders;
}

std::string precision_csv(std::span<const Precision> points) {
  std::string text;
  for (const auto& column : word_columns) text += std::string(column.name) + ",";
  for (const auto& column : number_columns)
    text += std::string(column.name) + (column.name == std::string("seconds") ? "\n" : ",");
  for (const Precision& p : points) {
    for (const auto& column : word_columns) text += csv_cell(column.of(p)) + ",";
    for (const auto& column : number_columns)
      text += to_text(column.of(p)) + (column.name == std::string("seconds") ? "\n" : ",");
  }
  return text;
}

void write_precision_table(const std::filesystem::path& file, std::span<const Precision> points) {
  std::vector<vtk::Words> words;
  std::vector<vtk::Array> numbers;
  for (const auto& column : word_columns) {
    words.push_back({column.name, {}});
    for (const Precision& p : points) words.back().values.push_back(column.of(p));
  }
  for (const auto& column : number_columns) {
    numbers.push_back({column.name, {}, 1});
    for (const Precision& p : points) numbers.back().values.push_back(column.of(p));
  }
  vtk::write_table(file, words, numbers, {provenance_json("schemes"), {}, {}, {}});
}

std::string orders_csv(std::span<const Order> orders) {
  std::string text = "scheme,family,order";
  for (const char* error : {"theta", "energy", "output"})
    for (const char* column : {"observed", "low", "high", "points", "finest", "coarsest"})
      text += std::string(",") + error + "_" + column;
  text += ",stable_step,theory_step\n";
  for (const Order& o : orders) {
    text += std::string(o.row->name) + "," + std::string(o.row->family) + "," + std::to_string(o.row->order);
    for (const OrderFit* f : {&o.theta, &o.energy, &o.output})
      for (const double value : {f->order, f->low, f->high, static_cast<double>(f->points), f->finest, f->coarsest})
        text += "," + to_text(value);
    text += "," + to_text(o.stable_step) + "," + to_text(o.theory_step) + "\n";
  }
  return text;
}

std::string cheapest_sentence(std::span<const Precision> points, std::span<const double> accuracies) {
  std::string text;
  for (const double accuracy : accuracies) {
    const Precision *by_cost = nullptr, *by_time = nullptr;
    for (const Precision& p : points) {
      if (!p.reached() || !(p.errors.theta <= accuracy)) continue;
      if (!by_cost || p.cost() < by_cost->cost()) by_cost = &p;
      if (!by_time || p.seconds < by_time->seconds) by_time = &p;
    }
    text += text.empty() ? "Cheapest to an error of " : "; to ";
    text += to_text(accuracy) + ": ";
    if (!by_cost) {
      text += "none got there";
      continue;
    }
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.2g", by_time->seconds);
    text += by_cost->scheme + " by gradients (" + to_text(by_cost->cost()) + "), " + by_time->scheme + " by time (" +
            seconds + " s)";
  }
  return text + ".";
}

}  // namespace thalweg
