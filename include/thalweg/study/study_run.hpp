#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/study/design.hpp"
#include "thalweg/study/experiment.hpp"
#include "thalweg/study/run_table.hpp"

namespace thalweg {

/// The columns of a run's numbers in the table and in runs.csv: the measures, then steps, gradients and time.
std::vector<std::string> table_columns();

/// The experiment of a run, its step matched where the design asks for it; of `tuned` at one of study.tuning.
std::unique_ptr<Experiment> make_experiment(const Design& design, std::int64_t run, double factor = 1);

/// What a run multiplies its step by, ascending: study.tuning where it is tuned, else 1.
std::vector<double> step_factors(const Design& design, std::int64_t run);
/// Which of them the row of a tuned run is of.
double step_factor(const Design& design, const RunRow& row);
/// Whether runs of the experiment end with a validation accuracy.
bool validates(const Experiment& experiment);

/// Solves one run; `watch` (may be null) sees every tenth step. Any process gives the same row. A run of `tuned` is
/// solved with each step of study.tuning, and the row is that of the best validation accuracy, of equals the smallest
/// step; one that ends well is better than one that does not.
RunRow run_one(const Design& design, std::int64_t run, bool curves, const std::function<bool()>& interrupted,
               Observer* watch);
/// The same; a run that its own seed makes impossible, as one whose data have no variation, is a failed row that says
/// why.
RunRow run_or_fail(const Design& design, std::int64_t run, bool curves, const std::function<bool()>& interrupted,
                   Observer* watch);

/// A row as bytes between processes of one machine type.
std::string packed(const RunRow& row);
RunRow unpacked(const std::string& bytes);

/// runs.csv: one row a run with the levels of all axes, status, reason and numbers.
std::string runs_csv(const Design& design, std::span<const RunRow> rows);
/// The columns of a run's curve.
std::span<const std::string_view> curve_columns();
/// The header of curves.csv, and a run's lines in it.
std::string curves_header();
std::string curve_lines(const RunRow& row);

}  // namespace thalweg
