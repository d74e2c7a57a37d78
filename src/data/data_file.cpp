#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <sstream>

#include "label_noise.hpp"
#include "samples.hpp"
#include "thalweg/core/csv.hpp"
#include "thalweg/core/file.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

struct Split {
  std::string_view name;
  Samples Dataset::*samples;
};

constexpr Split splits[] = {
    {"train", &Dataset::train},
    {"validation", &Dataset::validation},
    {"test", &Dataset::test},
};

std::vector<std::string> header(Index features) {
  std::vector<std::string> names;
  for (Index j = 0; j < features; ++j) names.push_back("x" + std::to_string(j));
  names.insert(names.end(), {"clean", "label", "fragment", "split"});
  return names;
}

void write_header(std::ostream& out, Index features) {
  const auto names = header(features);
  for (std::size_t j = 0; j < names.size(); ++j) out << (j == 0 ? "" : ",") << names[j];
  out << '\n';
}

void write_samples(std::ostream& out, const Samples& samples, std::string_view split) {
  for (Index i = 0; i < samples.size(); ++i) {
    for (Index j = 0; j < samples.x.cols(); ++j) out << to_text(samples.x(i, j)) << ',';
    const auto s = static_cast<std::size_t>(i);
    out << samples.clean[s] << ',' << samples.label[s] << ',' << samples.fragment[s] << ',' << split << '\n';
  }
}

int index_cell(const CsvRow& row, std::size_t column, const std::string& where) {
  const std::string& cell = row.cells[column];
  int value = -1;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  require(error == std::errc{} && end == cell.data() + cell.size() && value >= 0,
          where + ": '" + cell + "' is not one of 0, 1, 2, ...");
  return value;
}

void read_sample(const CsvRow& row, const std::string& where, Index i, Samples& all) {
  const auto features = static_cast<std::size_t>(all.x.cols());
  for (std::size_t j = 0; j < features; ++j)
    all.x(i, static_cast<Index>(j)) = to_number(row.cells[j], where + ", x" + std::to_string(j));
  all.clean.push_back(index_cell(row, features, where + ", clean"));
  all.label.push_back(index_cell(row, features + 1, where + ", label"));
  all.fragment.push_back(index_cell(row, features + 2, where + ", fragment"));
}

/// The number of features, from the header.
Index features_of(const std::filesystem::path& file, const std::vector<CsvRow>& rows) {
  require(rows.size() >= 2, "'" + file.string() + "' holds no samples");
  const auto features = static_cast<Index>(rows[0].cells.size()) - 4;
  require(features >= 1 && rows[0].cells == header(features),
          place(file, rows[0].line) + ": the header is not x0,x1,...,clean,label,fragment,split");
  return features;
}

void name_by_number(const Samples& all, Dataset& data) {
  const int most = std::max(*std::max_element(all.clean.begin(), all.clean.end()),
                            *std::max_element(all.label.begin(), all.label.end()));
  for (int c = 0; c <= std::max(most, 1); ++c) data.class_names.push_back(std::to_string(c));
  for (Index j = 0; j < all.x.cols(); ++j) data.feature_names.push_back("x" + std::to_string(j));
}

}  // namespace

void write_data(const std::filesystem::path& file, const Dataset& data) {
  std::ostringstream out;
  write_header(out, data.features());
  for (const Split& split : splits) write_samples(out, data.*split.samples, split.name);
  replace_file(file, out.view());
}

Dataset read_data(const std::filesystem::path& file) {
  const auto rows = read_csv(file);
  const Index features = features_of(file, rows);
  const std::size_t width = rows[0].cells.size();
  Samples all{.x = Matrix(static_cast<Index>(rows.size()) - 1, features), .clean = {}, .label = {}, .fragment = {}};
  std::array<std::vector<Index>, std::size(splits)> members;
  for (Index i = 0; i < all.size(); ++i) {
    const CsvRow& row = rows[static_cast<std::size_t>(i) + 1];
    const std::string where = place(file, row.line);
    require(row.cells.size() == width,
            where + ": " + std::to_string(row.cells.size()) + " cells where the header has " + std::to_string(width));
    read_sample(row, where, i, all);
    const Split& split = find(std::span<const Split>(splits), row.cells.back(), where + ", split");
    members[static_cast<std::size_t>(&split - splits)].push_back(i);
  }
  Dataset data;
  for (std::size_t s = 0; s < members.size(); ++s) data.*splits[s].samples = chosen(all, members[s]);
  name_by_number(all, data);
  set_domain_to_points(data);
  data.noise_nominal = std::numeric_limits<double>::quiet_NaN();
  data.noise_realised = wrong_share(data.train);
  return data;
}

}  // namespace thalweg
