#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "thalweg/core/core.hpp"
#include "thalweg/core/grid.hpp"

/// VTK XML files, appended raw binary, doubles. Names are [A-Za-z_][A-Za-z0-9_]*. Infinities are capped at
/// +-1e300 and counted in the field array `capped`; NaN stays. Every writer writes a temporary file and renames it.
/// Throws std::runtime_error where the file cannot be written.
namespace thalweg::vtk {

/// Values at the points (or cells) of a file: size = count x components, components adjacent.
struct Array {
  std::string name;
  std::vector<double> values;
  int components = 1;
};

/// Field data of a file.
struct Header {
  std::string provenance;                               // one JSON object, array `provenance`
  std::optional<double> time;                           // training time, array `TimeValue`
  std::vector<std::pair<std::string, double>> numbers;  // named scalars, such as `centre_loss`
  std::vector<std::pair<std::string, std::string>> texts;
};

/// A path through space: points are n x 3.
struct Polyline {
  Matrix points;
  std::vector<Array> arrays;  // the same names in every line of a file
  int run = 0;                // cell array `run`
};

void write_image(const std::filesystem::path& file, const Grid& grid, std::span<const Array> arrays,
                 const Header& header);
/// A plane grid raised to these heights at its nodes: a structured grid (.vts).
void write_relief(const std::filesystem::path& file, const Grid& grid, std::span<const double> heights,
                  std::span<const Array> arrays, const Header& header);
void write_polylines(const std::filesystem::path& file, std::span<const Polyline> lines, const Header& header);
/// Each row of points (n x 3) is a vertex.
void write_points(const std::filesystem::path& file, const Matrix& points, std::span<const Array> arrays,
                  const Header& header);

/// A column of a table that holds words.
struct Words {
  std::string name;
  std::vector<std::string> values;
};
/// Columns side by side (.vtt), words first; all of the same length.
void write_table(const std::filesystem::path& file, std::span<const Words> words, std::span<const Array> numbers,
                 const Header& header);

/// One data set of a time series; `part` numbers the data sets shown together (a static one is listed at every time).
struct Entry {
  double time = 0;
  std::filesystem::path file;  // relative to the .pvd
  int part = 0;
};
void write_series(const std::filesystem::path& pvd, std::span<const Entry> entries);

}  // namespace thalweg::vtk
