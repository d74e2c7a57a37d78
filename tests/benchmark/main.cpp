// The speed of thalweg against what this machine could do; `./run bench` prints the table.

#include "rows.hpp"
#include "table.hpp"
#include "thalweg/core/petsc.hpp"

namespace {

using namespace thalweg::bench;

std::vector<Row> all_rows() {
  std::vector<Row> all;
  for (const auto& rows : {kernel_rows(), function_rows(), step_rows(), field_rows(), spectrum_rows(), growth_rows()})
    all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

/// The repetitions happen inside the race, where work and yardstick take turns.
void run(benchmark::State& state, const Row& row) {
  for (auto _ : state) {
    const Result result = row.measure();
    state.SetIterationTime(result.time);
    state.counters["seconds"] = result.time;
    state.counters["ratio"] = result.ratio;
    state.counters["allocations"] = result.allocations;
  }
  if (row.reach) state.counters["target"] = *row.reach;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const thalweg::petsc::Session session;
  const auto rows = all_rows();
  for (const Row& row : rows)
    benchmark::RegisterBenchmark(row.name().c_str(), [&row](benchmark::State& state) { run(state, row); })
        ->UseManualTime()
        ->Iterations(1);
  Table table(rows);
  benchmark::RunSpecifiedBenchmarks(&table);
  benchmark::Shutdown();
}
