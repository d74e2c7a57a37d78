#include "thalweg/output/vtk.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <functional>
#include <sstream>
#include <stdexcept>

#include <vtkCellArray.h>
#include <vtkCellData.h>
#include <vtkDataSet.h>
#include <vtkDoubleArray.h>
#include <vtkFieldData.h>
#include <vtkImageData.h>
#include <vtkIntArray.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkPoints.h>
#include <vtkPolyData.h>
#include <vtkStringArray.h>
#include <vtkStructuredGrid.h>
#include <vtkTable.h>
#include <vtkXMLImageDataWriter.h>
#include <vtkXMLPolyDataWriter.h>
#include <vtkXMLStructuredGridWriter.h>
#include <vtkXMLTableWriter.h>

#include "thalweg/core/file.hpp"

namespace thalweg::vtk {
namespace {

constexpr double cap = 1e300;  // finite, so that ranges stay finite, and far above any loss

/// A word that ParaView's selectors and calculators take as it stands.
bool is_name(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && !digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || digit(c); });
}

/// Adds `array` to `where` under a name that is valid and not taken yet.
void attach(vtkFieldData& where, vtkAbstractArray& array, const std::string& name) {
  require(is_name(name), "array name '" + name + "': letters, digits and _ only, not starting with a digit");
  require(!where.HasArray(name.c_str()), "array name '" + name + "' is used twice");
  array.SetName(name.c_str());
  where.AddArray(&array);
}

/// Caps infinities on their way into a file and counts them.
class Cap {
 public:
  double operator()(double value) {
    if (!std::isinf(value)) return value;
    ++count_;
    return std::copysign(cap, value);
  }
  double count() const { return static_cast<double>(count_); }

 private:
  std::size_t count_ = 0;
};

void add_array(vtkFieldData& where, const Array& array, std::size_t count, Cap& capped) {
  require(array.components >= 1, "array '" + array.name + "' needs at least one component");
  const auto expected = count * static_cast<std::size_t>(array.components);
  require(array.values.size() == expected, "array '" + array.name + "' has " + std::to_string(array.values.size()) +
                                               " values, not " + std::to_string(expected));
  vtkNew<vtkDoubleArray> values;
  values->SetNumberOfComponents(array.components);
  values->SetNumberOfTuples(static_cast<vtkIdType>(count));
  std::transform(array.values.begin(), array.values.end(), values->GetPointer(0), std::ref(capped));
  attach(where, *values, array.name);
}

/// The first array is the one that a viewer colours by.
void add_point_arrays(vtkDataSet& data, std::span<const Array> arrays, Cap& capped) {
  auto& where = *data.GetPointData();
  const auto count = static_cast<std::size_t>(data.GetNumberOfPoints());
  for (const Array& array : arrays) add_array(where, array, count, capped);
  if (!arrays.empty() && arrays.front().components == 1) where.SetActiveScalars(arrays.front().name.c_str());
}

void add_number(vtkFieldData& where, const std::string& name, double value) {
  vtkNew<vtkDoubleArray> array;
  array->InsertNextValue(value);
  attach(where, *array, name);
}

void add_text(vtkFieldData& where, const std::string& name, const std::string& value) {
  vtkNew<vtkStringArray> array;
  array->InsertNextValue(value);
  attach(where, *array, name);
}

/// Comes after all arrays, for `capped` counts the infinities of the whole file.
void add_header(vtkFieldData& where, const Header& header, Cap& capped) {
  add_text(where, "provenance", header.provenance);
  if (header.time) {
    require(std::isfinite(*header.time), "time " + to_text(*header.time) + " of a file must be finite");
    add_number(where, "TimeValue", *header.time);
  }
  for (const auto& [name, value] : header.numbers) add_number(where, name, capped(value));
  for (const auto& [name, value] : header.texts) add_text(where, name, value);
  add_number(where, "capped", capped.count());
}

/// `xml` with the encoding of its appended data as a default attribute. VTK's parser feeds that opening tag in pieces;
/// an expat that puts off incomplete tokens (2.6, Debian's 2.5.0-1+deb12u2) never ends it under ParaView 5.11 if it is
/// long.
std::string with_short_tag(std::string xml) {
  const std::string tag = R"(<AppendedData encoding="raw">)";
  const auto at = xml.find(tag);
  assert(at != std::string::npos);  // there is always field data
  xml.replace(at, tag.size(), "<AppendedData>");
  return R"(<!DOCTYPE VTKFile [<!ATTLIST AppendedData encoding CDATA "raw">]>)"
         "\n" +
         xml;
}

/// VTK writes into memory: a full disk would otherwise reach its global error window, which prints.
template <class Writer>
void write(const std::filesystem::path& file, vtkDataObject& data) {
  vtkNew<Writer> writer;
  writer->SetInputData(&data);
  writer->SetDataModeToAppended();
  writer->EncodeAppendedDataOff();
  writer->SetCompressorTypeToNone();
  writer->SetHeaderTypeToUInt64();
  writer->WriteToOutputStringOn();
  if (writer->Write() == 0) throw std::runtime_error("cannot write '" + file.string() + "': VTK could not encode it");
  replace_file(file, with_short_tag(writer->GetOutputString()));
}

/// Rows of `points` that differ from the row before: a tube has no direction on a step of length zero.
std::vector<Index> distinct_rows(const Matrix& points) {
  std::vector<Index> rows;
  for (Index row = 0; row < points.rows(); ++row)
    if (row == 0 || points.row(row) != points.row(row - 1)) rows.push_back(row);
  return rows;
}

void append_points(vtkPoints& points, const Matrix& coordinates, std::span<const Index> rows, Cap& capped) {
  for (const Index row : rows)
    points.InsertNextPoint(capped(coordinates(row, 0)), capped(coordinates(row, 1)), capped(coordinates(row, 2)));
}

void append_rows(Array& all, const Array& line, Index count, std::span<const Index> rows) {
  require(line.name == all.name && line.components == all.components,
          "array '" + line.name + "' stands where other lines have '" + all.name + "'");
  require(static_cast<Index>(line.values.size()) == count * line.components,
          "array '" + line.name + "' has " + std::to_string(line.values.size()) + " values on a line of " +
              std::to_string(count) + " points");
  for (const Index row : rows) {
    const auto first = line.values.begin() + row * line.components;
    all.values.insert(all.values.end(), first, first + line.components);
  }
}

/// The arrays of all lines, one behind the other, at the points that are kept.
class LineArrays {
 public:
  void append(const Polyline& line, std::span<const Index> rows) {
    if (lines_++ == 0)
      for (const Array& array : line.arrays) arrays_.push_back({array.name, {}, array.components});
    require(line.arrays.size() == arrays_.size(), "every line of a file needs the same arrays");
    for (std::size_t i = 0; i < arrays_.size(); ++i) append_rows(arrays_[i], line.arrays[i], line.points.rows(), rows);
  }
  const std::vector<Array>& get() const { return arrays_; }

 private:
  std::vector<Array> arrays_;
  std::size_t lines_ = 0;
};

void require_points(const Matrix& points) {
  require(points.cols() == 3, "points have " + std::to_string(points.cols()) + " columns, not 3");
}

void append_cell(vtkCellArray& cells, vtkIdType first, vtkIdType count) {
  cells.InsertNextCell(static_cast<int>(count));
  for (vtkIdType point = first; point < first + count; ++point) cells.InsertCellPoint(point);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  return out;
}

}  // namespace

void write_image(const std::filesystem::path& file, const Grid& grid, std::span<const Array> arrays,
                 const Header& header) {
  for (std::size_t axis = 0; axis < 3; ++axis)
    require(grid.nodes[axis] >= 1 && grid.spacing[axis] > 0, "a grid needs nodes and a positive spacing on every axis");
  vtkNew<vtkImageData> image;
  image->SetDimensions(grid.nodes.data());
  image->SetOrigin(grid.origin.data());
  image->SetSpacing(grid.spacing.data());
  Cap capped;
  add_point_arrays(*image, arrays, capped);
  add_header(*image->GetFieldData(), header, capped);
  write<vtkXMLImageDataWriter>(file, *image);
}

void write_relief(const std::filesystem::path& file, const Grid& grid, std::span<const double> heights,
                  std::span<const Array> arrays, const Header& header) {
  require(heights.size() == grid.size(), "a relief needs one height a node");
  vtkNew<vtkPoints> points;
  points->SetDataTypeToDouble();
  Cap capped;
  for (std::size_t node = 0; node < heights.size(); ++node) {
    const int i = static_cast<int>(node % static_cast<std::size_t>(grid.nodes[0]));
    const int j = static_cast<int>(node / static_cast<std::size_t>(grid.nodes[0]));
    points->InsertNextPoint(grid.coordinate(0, i), grid.coordinate(1, j), capped(heights[node]));
  }
  vtkNew<vtkStructuredGrid> relief;
  relief->SetDimensions(grid.nodes.data());
  relief->SetPoints(points);
  add_point_arrays(*relief, arrays, capped);
  add_header(*relief->GetFieldData(), header, capped);
  write<vtkXMLStructuredGridWriter>(file, *relief);
}

void write_polylines(const std::filesystem::path& file, std::span<const Polyline> lines, const Header& header) {
  vtkNew<vtkPoints> points;
  points->SetDataTypeToDouble();
  vtkNew<vtkCellArray> cells;
  vtkNew<vtkIntArray> runs;
  LineArrays arrays;
  Cap capped;
  for (const Polyline& line : lines) {
    require_points(line.points);
    require(line.points.rows() > 0, "run " + std::to_string(line.run) + " has no points");
    const auto rows = distinct_rows(line.points);
    const vtkIdType first = points->GetNumberOfPoints();
    append_cell(*cells, first, static_cast<vtkIdType>(rows.size()));
    if (rows.size() == 1) {  // a path that never moved: VTK needs two ends, so it leads from its point to itself
      cells->InsertCellPoint(first);
      cells->UpdateCellCount(2);
    }
    append_points(*points, line.points, rows, capped);
    arrays.append(line, rows);
    runs->InsertNextValue(line.run);
  }
  vtkNew<vtkPolyData> data;
  data->SetPoints(points);
  data->SetLines(cells);
  attach(*data->GetCellData(), *runs, "run");
  add_point_arrays(*data, arrays.get(), capped);
  add_header(*data->GetFieldData(), header, capped);
  write<vtkXMLPolyDataWriter>(file, *data);
}

void write_points(const std::filesystem::path& file, const Matrix& points, std::span<const Array> arrays,
                  const Header& header) {
  require_points(points);
  vtkNew<vtkPoints> coordinates;
  coordinates->SetDataTypeToDouble();
  vtkNew<vtkCellArray> vertices;
  Cap capped;
  for (Index row = 0; row < points.rows(); ++row) {
    append_cell(*vertices, row, 1);
    append_points(*coordinates, points, std::span(&row, 1), capped);
  }
  vtkNew<vtkPolyData> data;
  data->SetPoints(coordinates);
  data->SetVerts(vertices);
  add_point_arrays(*data, arrays, capped);
  add_header(*data->GetFieldData(), header, capped);
  write<vtkXMLPolyDataWriter>(file, *data);
}

void write_table(const std::filesystem::path& file, std::span<const Words> words, std::span<const Array> numbers,
                 const Header& header) {
  const auto rows = words.empty() ? (numbers.empty() ? 0 : numbers[0].values.size()) : words[0].values.size();
  const auto require_rows = [rows](const std::string& name, std::size_t count) {
    require(count == rows,
            "column '" + name + "' has " + std::to_string(count) + " rows, others " + std::to_string(rows));
  };
  vtkNew<vtkTable> table;
  Cap capped;
  for (const auto& [name, values] : words) {
    require_rows(name, values.size());
    vtkNew<vtkStringArray> column;
    for (const auto& value : values) column->InsertNextValue(value);
    attach(*table->GetRowData(), *column, name);
  }
  for (const Array& array : numbers) {
    require_rows(array.name, array.values.size());
    vtkNew<vtkDoubleArray> column;
    for (const double value : array.values) column->InsertNextValue(capped(value));
    attach(*table->GetRowData(), *column, array.name);
  }
  add_header(*table->GetFieldData(), header, capped);
  write<vtkXMLTableWriter>(file, *table);
}

void write_series(const std::filesystem::path& pvd, std::span<const Entry> entries) {
  std::ostringstream xml;
  xml << "<?xml version=\"1.0\"?>\n<VTKFile type=\"Collection\" version=\"0.1\">\n  <Collection>\n";
  for (const Entry& entry : entries) {
    require(!entry.file.empty() && entry.file.is_relative(),
            "'" + entry.file.string() + "': a series names its files relative to the .pvd");
    require(std::isfinite(entry.time), "time " + to_text(entry.time) + " of a series must be finite");
    xml << "    <DataSet timestep=\"" << to_text(entry.time) << "\" part=\"" << entry.part << "\" file=\""
        << escaped(entry.file.generic_string()) << "\"/>\n";
  }
  xml << "  </Collection>\n</VTKFile>\n";
  replace_file(pvd, xml.str());
}

}  // namespace thalweg::vtk
