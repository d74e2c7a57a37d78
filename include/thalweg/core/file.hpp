#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string_view>

namespace thalweg {

/// Afterwards the file holds `content` or, after an exception, what it held before: written beside it and renamed.
/// Throws std::system_error.
void replace_file(const std::filesystem::path& file, std::string_view content);
/// The same for content that need not fit into memory at once: `write` puts it on the stream.
void replace_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write);

}  // namespace thalweg
