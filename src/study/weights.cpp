#include "thalweg/study/weights.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "thalweg/core/csv.hpp"
#include "thalweg/core/file.hpp"

namespace thalweg {
namespace {

const std::vector<std::string> header{"layer", "kind", "row", "column", "value"};

struct Entry {
  int line;
  Index layer, row, column;
  bool bias, parameter;
  double value;
};

Index to_index(const CsvRow& row, std::size_t column, const std::string& where) {
  const double number = to_number(row.cells[column], where + ", " + header[column]);
  require(number >= 0 && number < 1e9 && number == std::floor(number),
          where + ", " + header[column] + ": '" + row.cells[column] + "' is not an index");
  return static_cast<Index>(number);
}

Entry to_entry(const std::filesystem::path& file, const CsvRow& row) {
  const std::string where = place(file, row.line);
  require(row.cells.size() == header.size(), where + ": not layer,kind,row,column,value");
  const std::string& kind = row.cells[1];
  require(kind == "weight" || kind == "bias" || kind == "parameter",
          where + ": kind '" + kind + "' is neither weight nor bias nor parameter");
  const double value = row.cells[4] == "nan" ? std::nan("") : to_number(row.cells[4], where + ", value");
  return {row.line,
          to_index(row, 0, where),
          to_index(row, 2, where),
          to_index(row, 3, where),
          kind == "bias",
          kind == "parameter",
          value};
}

std::vector<Index> widths_of(const std::filesystem::path& file, const std::vector<Entry>& entries) {
  Index layers = 0;
  for (const Entry& e : entries) layers = std::max(layers, e.layer + 1);
  require(layers < 1000, file.string() + ": " + std::to_string(layers) + " layers");
  std::vector<Index> widths(static_cast<std::size_t>(layers) + 1, 0);
  for (const Entry& e : entries) {
    auto& outputs = widths[static_cast<std::size_t>(e.layer) + 1];
    outputs = std::max(outputs, e.row + 1);
    if (e.layer == 0 && !e.bias) widths[0] = std::max(widths[0], e.column + 1);
  }
  return widths;
}

/// Where an entry stands in theta: arrays one after the other, each layer's weights column by column, then its biases.
class Layout {
 public:
  Layout(const std::filesystem::path& file, const std::vector<Entry>& entries, std::vector<Index> widths)
      : file_(file), widths_(std::move(widths)), offsets_{0} {
    for (std::size_t k = 0; k + 1 < widths_.size(); ++k)
      offsets_.push_back(offsets_.back() + (widths_[k] + 1) * widths_[k + 1]);
    size_ = offsets_.back();
    if (widths_.empty())
      for (const Entry& e : entries) size_ = std::max(size_, e.row + 1);
  }
  Index size() const { return size_; }

  Index at(const Entry& e) const {
    const std::string where = place(file_, e.line);
    require(e.parameter == widths_.empty(), where + ": parameters of a landscape among weights of a network");
    if (e.parameter) {
      require(e.layer == 0 && e.column == 0, where + ": a parameter has layer 0 and column 0");
      return e.row;
    }
    const auto k = static_cast<std::size_t>(e.layer);
    const Index inputs = widths_[k], outputs = widths_[k + 1], column = e.bias ? inputs : e.column;
    require(e.bias ? e.column == 0 : e.column < inputs,
            where + ": column " + std::to_string(e.column) + " of a layer with " + std::to_string(inputs) + " inputs");
    return offsets_[k] + column * outputs + e.row;
  }

 private:
  const std::filesystem::path& file_;
  std::vector<Index> widths_, offsets_;
  Index size_;
};

}  // namespace

void write_weights(const std::filesystem::path& file, const Mlp& model, In theta) {
  std::ostringstream text;
  text << "layer,kind,row,column,value\n";
  for (std::size_t k = 0; k < model.layers().size(); ++k) {
    const Layer& l = model.layers()[k];
    for (Index j = 0; j < l.inputs; ++j)
      for (Index i = 0; i < l.outputs; ++i)
        text << k << ",weight," << i << ',' << j << ',' << to_text(theta[l.weights + j * l.outputs + i]) << '\n';
    for (Index i = 0; i < l.outputs; ++i) text << k << ",bias," << i << ",0," << to_text(theta[l.biases + i]) << '\n';
  }
  replace_file(file, text.view());
}

void write_parameters(const std::filesystem::path& file, In theta) {
  std::string text = "layer,kind,row,column,value\n";
  for (Index i = 0; i < theta.size(); ++i)
    text += "0,parameter," + std::to_string(i) + ",0," + to_text(theta[i]) + "\n";
  replace_file(file, text);
}

Weights read_weights(const std::filesystem::path& file) {
  const auto rows = read_csv(file);
  require(rows.size() > 1 && rows[0].cells == header,
          place(file, 1) + ": the header is not layer,kind,row,column,value");
  std::vector<Entry> entries;
  for (std::size_t i = 1; i < rows.size(); ++i) entries.push_back(to_entry(file, rows[i]));
  Weights weights;
  if (!entries.front().parameter) weights.widths = widths_of(file, entries);
  const Layout layout(file, entries, weights.widths);
  weights.theta.setZero(layout.size());
  std::vector<bool> seen(static_cast<std::size_t>(layout.size()), false);
  for (const Entry& e : entries) {
    const Index at = layout.at(e);
    require(!seen[static_cast<std::size_t>(at)], place(file, e.line) + ": this entry was given before");
    seen[static_cast<std::size_t>(at)] = true;
    weights.theta[at] = e.value;
  }
  const auto missing = std::find(seen.begin(), seen.end(), false);
  require(missing == seen.end(),
          file.string() + ": parameter " + std::to_string(missing - seen.begin()) + " of theta is missing");
  return weights;
}

}  // namespace thalweg
