#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/study/comparison.hpp"
#include "thalweg/study/fit.hpp"

namespace thalweg {

/// What a scheme's points say about it, beside what is known of it.
struct Order {
  const SchemeRow* row;
  OrderFit theta, energy, output;  // of the errors against the fixed step
  double stable_step;              // found by bisection on the flow linearised at its end; nan where not looked for
  double theory_step;              // limit / sharpness there; nan where no limit is known
};

/// One Order a row: fits between the reference's own error and a tenth.
std::vector<Order> orders_of(const Comparison& comparison, const std::vector<const SchemeRow*>& rows,
                             std::span<const Precision> points, const std::map<std::string_view, double>& stable_steps);

/// precision.csv: one row a solve, failed ones with their status and reason.
std::string precision_csv(std::span<const Precision> points);
/// orders.csv: one row a scheme.
std::string orders_csv(std::span<const Order> orders);
/// precision.vtt: the same rows as a VTK table.
void write_precision_table(const std::filesystem::path& file, std::span<const Precision> points);

/// The cheapest scheme at each accuracy of theta, by gradients and by seconds, in one sentence.
std::string cheapest_sentence(std::span<const Precision> points, std::span<const double> accuracies);

}  // namespace thalweg
