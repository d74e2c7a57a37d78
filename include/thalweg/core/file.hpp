#pragma once

#include <filesystem>
#include <string_view>

namespace thalweg {

/// Afterwards the file holds `content` or, after an exception, what it held before: written beside it and renamed.
/// Throws std::system_error.
void replace_file(const std::filesystem::path& file, std::string_view content);

}  // namespace thalweg
