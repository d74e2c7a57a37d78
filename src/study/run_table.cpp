#include "thalweg/study/run_table.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include <sqlite3.h>

#include "thalweg/core/core.hpp"

namespace thalweg {
namespace {

void check(int code, sqlite3* database) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
    throw std::runtime_error(std::string("run table: ") + sqlite3_errmsg(database));
}

/// A prepared statement: bind in order, step, read.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql) : database_(database) {
    check(sqlite3_prepare_v2(database, sql.c_str(), -1, &raw_, nullptr), database);
  }
  ~Statement() { sqlite3_finalize(raw_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::int64_t value) { return bound(sqlite3_bind_int64(raw_, ++bound_, value)); }
  /// nan is stored as NULL.
  Statement& bind(double value) { return bound(sqlite3_bind_double(raw_, ++bound_, value)); }
  Statement& bind(const std::string& value) {
    return bound(sqlite3_bind_text(raw_, ++bound_, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT));
  }
  Statement& bind(const std::vector<float>& values) {
    return bound(sqlite3_bind_blob(raw_, ++bound_, values.data(), static_cast<int>(values.size() * sizeof(float)),
                                   SQLITE_TRANSIENT));
  }
  bool step() {
    const int code = sqlite3_step(raw_);
    check(code, database_);
    return code == SQLITE_ROW;
  }
  std::int64_t whole(int column) { return sqlite3_column_int64(raw_, column); }
  double real(int column) {
    if (sqlite3_column_type(raw_, column) == SQLITE_NULL) return std::numeric_limits<double>::quiet_NaN();
    return sqlite3_column_double(raw_, column);
  }
  std::string text(int column) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(raw_, column));
    return data ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(raw_, column))) : std::string();
  }
  std::vector<float> reals(int column) {
    std::vector<float> values(static_cast<std::size_t>(sqlite3_column_bytes(raw_, column)) / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), sqlite3_column_blob(raw_, column), values.size() * sizeof(float));
    return values;
  }

 private:
  Statement& bound(int code) {
    check(code, database_);
    return *this;
  }

  sqlite3* database_;
  sqlite3_stmt* raw_ = nullptr;
  int bound_ = 0;
};

constexpr int fixed_columns = 5;  // run, status, reason, seconds, curve

}  // namespace

RunTable::RunTable(const std::filesystem::path& file, const std::string& design,
                   const std::vector<std::string>& measures)
    : database_(nullptr, sqlite3_close), measures_(measures) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open(file.c_str(), &raw);
  database_.reset(raw);
  check(code, raw);
  sqlite3_busy_timeout(raw, 10'000);  // someone may be looking into the table
  // With a write-ahead log a commit needs no wait for the disk and a killed process loses none.
  execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  execute("CREATE TABLE IF NOT EXISTS study (design TEXT)");
  std::string columns;
  for (const auto& name : measures) columns += ", \"" + name + "\" REAL";
  execute(
      "CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY, status TEXT, reason TEXT, seconds REAL, curve BLOB" +
      columns + ")");
  Statement stored(raw, "SELECT design FROM study");
  if (stored.step())
    require(stored.text(0) == design, "out.dir: " + file.parent_path().string() +
                                          " holds a study of another design; take another one or add "
                                          "--out.overwrite=true");
  else
    Statement(raw, "INSERT INTO study VALUES (?)").bind(design).step();
}

void RunTable::execute(const std::string& sql) const {
  check(sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr), database_.get());
}

void RunTable::add(const RunRow& row) {
  std::string marks = "?";
  for (std::size_t i = 1; i < fixed_columns + measures_.size(); ++i) marks += ", ?";
  Statement insert(database_.get(), "INSERT OR REPLACE INTO runs VALUES (" + marks + ")");
  insert.bind(row.run).bind(row.status).bind(row.reason).bind(row.seconds).bind(row.curve);
  for (const double value : row.measures) insert.bind(value);
  insert.step();
}

std::set<std::int64_t> RunTable::finished() const {
  std::set<std::int64_t> runs;
  Statement select(database_.get(), "SELECT run FROM runs");
  while (select.step()) runs.insert(select.whole(0));
  return runs;
}

void RunTable::each(bool curves, const std::function<void(const RunRow&)>& visit) const {
  Statement select(database_.get(), "SELECT * FROM runs ORDER BY run");
  while (select.step()) {
    RunRow row{select.whole(0), select.text(1), select.text(2), {}, select.real(3), {}};
    if (curves) row.curve = select.reals(4);
    for (std::size_t i = 0; i < measures_.size(); ++i)
      row.measures.push_back(select.real(fixed_columns + static_cast<int>(i)));
    visit(row);
  }
}

void RunTable::merge(const RunTable& other) {
  const auto known = finished();
  execute("BEGIN");
  other.each(true, [&](const RunRow& row) {
    if (!known.contains(row.run)) add(row);
  });
  execute("COMMIT");
}

}  // namespace thalweg
