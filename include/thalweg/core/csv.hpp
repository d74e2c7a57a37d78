#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace thalweg {

/// A row of a table in text, and the line of the file on which it starts (from 1).
struct CsvRow {
  int line;
  std::vector<std::string> cells;
};

/// The rows of a file of comma-separated values (RFC 4180: quoted cells may hold commas, line ends and doubled quotes).
/// Lines end in LF or CRLF; blank lines, a UTF-8 byte order mark and blanks around unquoted cells are dropped.
/// Throws std::runtime_error where the file cannot be read, std::invalid_argument that names the line of a bad quote.
std::vector<CsvRow> read_csv(const std::filesystem::path& file);

/// "FILE, line 7", the place an error message names.
std::string place(const std::filesystem::path& file, int line);

}  // namespace thalweg
