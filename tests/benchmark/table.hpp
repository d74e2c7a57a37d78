#pragma once

#include <span>

#include <benchmark/benchmark.h>

#include "rows.hpp"

namespace thalweg::bench {

/// Prints one line a row as soon as it has been measured.
class Table final : public benchmark::BenchmarkReporter {
 public:
  explicit Table(std::span<const Row> rows) : rows_(rows) {}

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  std::span<const Row> rows_;
};

}  // namespace thalweg::bench
