#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/study/settings.hpp"

namespace thalweg {

/// out.dir, or the first free results/COMMAND-N. Throws std::invalid_argument where it holds another run and
/// out.overwrite is not set, or where it is neither empty nor a run.
std::filesystem::path choose_directory(const Settings& settings, std::string_view command);

/// Creates it; the files of an overwritten run are removed, others stay.
void open_directory(const std::filesystem::path& directory);

/// A text as a cell of a CSV file, quoted where it has to be.
std::string csv_cell(const std::string& text);

/// One header line and one line a row, shortest round-trip decimals, nan for missing values.
std::string csv_text(const std::vector<std::string>& columns, const std::vector<std::vector<double>>& rows);

}  // namespace thalweg
