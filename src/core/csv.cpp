#include "thalweg/core/csv.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "thalweg/core/core.hpp"

namespace thalweg {
namespace {

class Reader {
 public:
  Reader(std::filesystem::path file, std::string text) : file_(std::move(file)), text_(std::move(text)) {
    if (text_.starts_with("\xEF\xBB\xBF")) next_ = 3;
  }

  bool done() const { return next_ == text_.size(); }

  CsvRow row() {
    CsvRow row{line_, {cell()}};
    while (!done() && text_[next_] == ',') {
      ++next_;
      row.cells.push_back(cell());
    }
    end_line();
    return row;
  }

 private:
  std::string cell() {
    const auto start = text_.find_first_not_of(" \t", next_);
    return start != std::string::npos && text_[start] == '"' ? quoted(start) : plain();
  }

  std::string plain() {
    const auto end = std::min(text_.find_first_of(",\r\n", next_), text_.size());
    const auto cell = text_.substr(next_, end - next_);
    next_ = end;
    const auto first = cell.find_first_not_of(" \t"), last = cell.find_last_not_of(" \t");
    return first == std::string::npos ? "" : cell.substr(first, last - first + 1);
  }

  std::string quoted(std::size_t opening) {
    std::string cell;
    for (next_ = opening + 1;; ++next_) {
      const auto end = text_.find('"', next_);
      require(end != std::string::npos, place(file_, line_) + ": a quote is never closed");
      cell += text_.substr(next_, end - next_);
      next_ = end + 1;
      if (done() || text_[next_] != '"') break;
      cell += '"';
    }
    next_ = std::min(text_.find_first_not_of(" \t", next_), text_.size());
    const char after = done() ? '\n' : text_[next_];
    require(after == ',' || after == '\r' || after == '\n',
            place(file_, line_) + ": '" + after + "' follows a closing quote");
    inner_lines_ += static_cast<int>(std::count(cell.begin(), cell.end(), '\n'));
    return cell;
  }

  void end_line() {
    if (!done() && text_[next_] == '\r') ++next_;
    if (!done() && text_[next_] == '\n') ++next_;
    line_ += 1 + std::exchange(inner_lines_, 0);
  }

  std::filesystem::path file_;
  std::string text_;
  std::size_t next_ = 0;
  int line_ = 1, inner_lines_ = 0;
};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file)) throw std::runtime_error("cannot read '" + file.string() + "'");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::vector<CsvRow> read_csv(const std::filesystem::path& file) {
  Reader reader(file, text_of(file));
  std::vector<CsvRow> rows;
  while (!reader.done()) {
    CsvRow row = reader.row();
    if (row.cells.size() > 1 || !row.cells[0].empty()) rows.push_back(std::move(row));
  }
  return rows;
}

std::string place(const std::filesystem::path& file, int line) {
  return file.string() + ", line " + std::to_string(line);
}

}  // namespace thalweg
