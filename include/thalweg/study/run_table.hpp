#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

struct sqlite3;

namespace thalweg {

/// A finished run of a study.
struct RunRow {
  std::int64_t run = 0;
  std::string status, reason;
  std::vector<double> measures;  // in the table's order; nan where missing
  double seconds = 0;
  /// The recorded values of curve_columns(), row by row, in single precision: they are for pictures, and a study may
  /// have 10^5 runs.
  std::vector<float> curve;
};

/// The finished runs of a study in an SQLite file: transactional, one writer; a killed study loses none of them.
class RunTable {
 public:
  /// Opens or creates it. `design` identifies the study. Throws std::invalid_argument where the file holds another
  /// study, std::runtime_error where SQLite fails.
  RunTable(const std::filesystem::path& file, const std::string& design, const std::vector<std::string>& measures);

  void add(const RunRow& row);
  std::set<std::int64_t> finished() const;
  /// All rows in the order of their runs; without their curves they are few bytes each.
  void each(bool curves, const std::function<void(const RunRow&)>& visit) const;
  /// Takes over the finished runs of another table of the same study; those that both hold stay.
  void merge(const RunTable& other);

 private:
  void execute(const std::string& sql) const;

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_;
  std::vector<std::string> measures_;
};

}  // namespace thalweg
