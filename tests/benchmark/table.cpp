#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "model/kernel.hpp"

namespace thalweg::bench {
namespace {

/// Three digits, "-" for what was not measured.
std::string number(double value) {
  if (std::isnan(value)) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0) << value;
  return text.str();
}

std::string time(const Unit& unit, double seconds) {
  return number(unit.rate ? 1 / seconds / unit.size : seconds / unit.size) + " " + unit.name;
}

std::string reach(const Row& row, double ratio) {
  if (!row.reach) return "-";
  return number(*row.reach) + (ratio > *row.reach ? " missed" : "");
}

std::string count(double value) { return std::isnan(value) ? "-" : std::to_string(std::llround(value)); }

void print(std::ostream& out, const std::string& work, const std::string& time, const std::string& ratio,
           const std::string& reach, const std::string& heap, const std::string& against) {
  out << std::left << std::setw(44) << work << std::right << std::setw(19) << time << std::setw(8) << ratio << "  "
      << std::left << std::setw(12) << reach << std::right << std::setw(6) << heap << "  " << against << std::endl;
}

}  // namespace

bool Table::ReportContext(const Context&) {
  GetOutputStream() << kernel::best().lanes << " doubles a register, one core\n";
  print(GetOutputStream(), "work", "time", "ratio", "reach", "heap", "against");
  return true;
}

void Table::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
    const auto& row = *std::ranges::find(rows_, run.run_name.function_name, &Row::name);
    const double ratio = run.counters.at("ratio");
    print(GetOutputStream(), row.work, time(row.unit, run.counters.at("seconds")), number(ratio), reach(row, ratio),
          count(run.counters.at("allocations")), row.against);
  }
}

}  // namespace thalweg::bench
