#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "thalweg/study/design.hpp"
#include "thalweg/study/experiment.hpp"
#include "thalweg/study/run_table.hpp"

namespace thalweg {

/// The columns of a run's numbers in the table and in runs.csv: the measures, then steps, gradients and time.
std::vector<std::string> table_columns();

/// The experiment of a run, its step matched where the design asks for it.
std::unique_ptr<Experiment> make_experiment(const Design& design, std::int64_t run);

/// Solves one run; `watch` (may be null) sees every tenth step. Any process gives the same row.
RunRow run_one(const Design& design, std::int64_t run, bool curves, const std::function<bool()>& interrupted,
               Observer* watch);

/// A row as bytes between processes of one machine type.
std::string packed(const RunRow& row);
RunRow unpacked(const std::string& bytes);

/// runs.csv: one row a run with the levels of all axes, status, reason and numbers.
std::string runs_csv(const Design& design, std::span<const RunRow> rows);
/// curves.csv: the recorded rows of all runs.
std::string curves_csv(std::span<const RunRow> rows);

}  // namespace thalweg
