#pragma once

#include <span>
#include <string>
#include <vector>

#include "thalweg/study/design.hpp"
#include "thalweg/study/run_table.hpp"

namespace thalweg {

/// A question that a study answers, and the answer with its numbers and their 95 % intervals.
struct Claim {
  std::string question, answer;
};

/// Whether diffusion smooths the path and changes the geometry of the loss, whether it converges on fragmented data,
/// and whether the data or the method decide the accuracy. Effects are means over all cells and all methods that
/// diffuse anything and are no control, paired with the baseline at the same seed, under equal-effective-step where the study has it.
std::vector<Claim> claims(const Design& design, std::string_view baseline, std::span<const RunRow> rows);

/// claims.csv: question and answer.
std::string claims_csv(std::span<const Claim> claims);

}  // namespace thalweg
