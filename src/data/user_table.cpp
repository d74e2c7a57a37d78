#include "user_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "samples.hpp"
#include "thalweg/core/csv.hpp"
#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

std::optional<long long> integer(const std::string& text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

bool is_number(const std::string& text) {
  double value = 0;
  const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  return error != std::errc::invalid_argument && end == text.data() + text.size();
}

std::size_t label_position(const std::string& column, const CsvRow& first) {
  const std::size_t width = first.cells.size();
  if (column.empty()) return width - 1;
  if (const auto position = integer(column)) {
    require(*position >= 1 && *position <= static_cast<long long>(width),
            "data.label_column: " + column + " is not in 1 to " + std::to_string(width) + ", the columns of the file");
    return static_cast<std::size_t>(*position - 1);
  }
  const auto found = std::find(first.cells.begin(), first.cells.end(), column);
  require(found != first.cells.end(),
          "data.label_column: no '" + column + "' in the first row; " + suggestion(column, first.cells));
  return static_cast<std::size_t>(found - first.cells.begin());
}

/// The table as it stands in the file.
struct Table {
  std::filesystem::path file;
  std::size_t label;                      // its column
  std::vector<std::string> column_names;  // with the label's
  std::vector<CsvRow> rows;               // below the header

  Index features() const { return static_cast<Index>(column_names.size()) - 1; }
  std::size_t column(Index feature) const {
    const auto j = static_cast<std::size_t>(feature);
    return j < label ? j : j + 1;
  }
};

std::vector<std::string> numbered_names(std::size_t width, std::size_t label) {
  std::vector<std::string> names(width, "label");
  for (std::size_t j = 0; j < width; ++j)
    if (j != label) names[j] = "x" + std::to_string(j < label ? j : j - 1);
  return names;
}

/// The first row is a header if the label's column was found in it by name, or if a feature cell is neither a number
/// nor missing.
bool is_header(const CsvRow& first, std::size_t label, const std::string& label_column) {
  if (!label_column.empty() && !integer(label_column)) return true;
  for (std::size_t j = 0; j < first.cells.size(); ++j)
    if (j != label && !first.cells[j].empty() && !is_number(first.cells[j])) return true;
  return false;
}

Table read_table(const DataSpec& spec) {
  require(!spec.file.empty(), "data.file: data.kind = csv needs a file");
  Table table{.file = spec.file, .label = 0, .column_names = {}, .rows = read_csv(spec.file)};
  require(!table.rows.empty(), "data.file: '" + spec.file + "' is empty");
  const CsvRow first = table.rows.front();
  const std::size_t width = first.cells.size();
  require(width >= 2,
          place(spec.file, first.line) + ": one column; a table needs features and a label, separated by commas");
  table.label = label_position(spec.label_column, first);
  table.column_names = numbered_names(width, table.label);
  if (is_header(first, table.label, spec.label_column)) {
    table.column_names = first.cells;
    table.rows.erase(table.rows.begin());
  }
  for (const CsvRow& row : table.rows)
    require(row.cells.size() == width, place(spec.file, row.line) + ": " + std::to_string(row.cells.size()) +
                                           " cells where the first row has " + std::to_string(width));
  return table;
}

const std::string& present_cell(const Table& table, const CsvRow& row, std::size_t column) {
  const std::string& cell = row.cells[column];
  require(!cell.empty(), place(table.file, row.line) + ", column " + std::to_string(column + 1) + " (" +
                             table.column_names[column] + "): missing value");
  return cell;
}

Vector feature_row(const Table& table, const CsvRow& row) {
  Vector x(table.features());
  for (Index j = 0; j < x.size(); ++j) {
    const std::size_t column = table.column(j);
    x[j] = to_number(present_cell(table, row, column), place(table.file, row.line) + ", column " +
                                                           std::to_string(column + 1) + " (" +
                                                           table.column_names[column] + ")");
  }
  return x;
}

/// The different labels, sorted: as numbers if all are integers, else as text.
std::vector<std::string> class_names(const Table& table) {
  std::vector<std::string> names;
  for (const CsvRow& row : table.rows) names.push_back(present_cell(table, row, table.label));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (std::all_of(names.begin(), names.end(), [](const auto& name) { return integer(name).has_value(); }))
    std::stable_sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return integer(a) < integer(b); });
  require(names.size() >= 2, "data.file: column '" + table.column_names[table.label] + "' of '" + table.file.string() +
                                 "' holds " + std::to_string(names.size()) + " classes, at least 2 are needed");
  return names;
}

Samples all_samples(const Table& table, const std::vector<std::string>& names) {
  std::map<std::string, int> class_of;
  for (const std::string& name : names) class_of.emplace(name, static_cast<int>(class_of.size()));
  Samples all{
      .x = Matrix(static_cast<Index>(table.rows.size()), table.features()), .clean = {}, .label = {}, .fragment = {}};
  for (const CsvRow& row : table.rows) {
    all.x.row(static_cast<Index>(all.clean.size())) = feature_row(table, row).transpose();
    all.clean.push_back(class_of.at(row.cells[table.label]));
  }
  all.label = all.clean;
  all.fragment.assign(all.clean.size(), 0);
  return all;
}

std::vector<Index> permutation(Index size, Stream stream) {
  std::vector<Index> order(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Index>(i);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[stream.below(i)]);
  return order;
}

/// Test rows come first in the permutation, then validation: the validation share never changes the test split.
void split(const DataSpec& spec, const Samples& all, Dataset& data) {
  const auto share = [&](double part) {
    return static_cast<Index>(std::llround(part * static_cast<double>(all.size())));
  };
  const Index test = share(spec.test_share), held_out = test + share(spec.validation_share);
  const bool enough = all.size() - held_out >= 2 && (test > 0 || spec.test_share == 0) &&
                      (held_out > test || spec.validation_share == 0);
  require(enough, "data.file: '" + spec.file + "' has " + std::to_string(all.size()) +
                      " rows, too few to hold out data.validation_share = " + to_text(spec.validation_share) +
                      " and data.test_share = " + to_text(spec.test_share) + " and keep 2 for training");
  const auto order = permutation(all.size(), Stream(spec.seed, Purpose::split));
  const std::span<const Index> rows(order);
  data.test = chosen(all, rows.first(static_cast<std::size_t>(test)));
  data.validation =
      chosen(all, rows.subspan(static_cast<std::size_t>(test), static_cast<std::size_t>(held_out - test)));
  data.train = chosen(all, rows.subspan(static_cast<std::size_t>(held_out)));
}

/// x ← (x − mean)/std, both those of the training split (std with divisor N).
void standardise(const DataSpec& spec, Dataset& data) {
  for (Index j = 0; j < data.train.x.cols(); ++j) {
    const auto column = data.train.x.col(j);
    require(column.minCoeff() < column.maxCoeff(), "data.file: column '" +
                                                       data.feature_names[static_cast<std::size_t>(j)] + "' of '" +
                                                       spec.file + "' is constant on the training split");
    const double mean = column.mean(), std = std::sqrt((column.array() - mean).square().mean());
    for (Samples* part : {&data.train, &data.validation, &data.test})
      part->x.col(j) = (part->x.col(j).array() - mean) / std;
  }
}

}  // namespace

Dataset read_user_table(const DataSpec& spec) {
  const double validation = spec.validation_share, test = spec.test_share;
  require(validation >= 0 && test >= 0 && validation + test < 1,
          "data.validation_share, data.test_share: " + to_text(validation) + " and " + to_text(test) +
              " are not in [0, 1) with a sum below 1");
  const Table table = read_table(spec);
  Dataset data;
  for (Index j = 0; j < table.features(); ++j) data.feature_names.push_back(table.column_names[table.column(j)]);
  data.class_names = class_names(table);
  split(spec, all_samples(table, data.class_names), data);
  standardise(spec, data);
  set_domain_to_points(data);
  return data;
}

}  // namespace thalweg
