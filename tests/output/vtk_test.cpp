#include "thalweg/output/vtk.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <limits>
#include <numbers>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <vtkCellData.h>
#include <vtkDataArray.h>
#include <vtkFieldData.h>
#include <vtkImageData.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkPolyData.h>
#include <vtkSmartPointer.h>
#include <vtkStringArray.h>
#include <vtkStructuredGrid.h>
#include <vtkTable.h>
#include <vtkXMLDataElement.h>
#include <vtkXMLDataParser.h>
#include <vtkXMLImageDataReader.h>
#include <vtkXMLPolyDataReader.h>
#include <vtkXMLStructuredGridReader.h>
#include <vtkXMLTableReader.h>

namespace thalweg::vtk {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A fresh directory for each test, gone after it.
class VtkFiles : public testing::Test {
 protected:
  VtkFiles() { std::filesystem::create_directories(directory_); }
  ~VtkFiles() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path path(const std::string& name) const { return directory_ / name; }
  const std::filesystem::path& directory() const { return directory_; }

 private:
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("thalweg_vtk_" + std::to_string(::getpid()));
};

template <class Reader>
auto read(const std::filesystem::path& file) {
  vtkNew<Reader> reader;
  reader->SetFileName(file.c_str());
  reader->Update();
  return vtkSmartPointer(reader->GetOutput());
}

auto read_image(const std::filesystem::path& file) { return read<vtkXMLImageDataReader>(file); }
auto read_polydata(const std::filesystem::path& file) { return read<vtkXMLPolyDataReader>(file); }

std::vector<double> values(vtkFieldData& where, const std::string& name) {
  auto* array = where.GetArray(name.c_str());
  if (array == nullptr) throw std::runtime_error("no array '" + name + "' was read");
  std::vector<double> out;
  for (vtkIdType tuple = 0; tuple < array->GetNumberOfTuples(); ++tuple)
    for (int component = 0; component < array->GetNumberOfComponents(); ++component)
      out.push_back(array->GetComponent(tuple, component));
  return out;
}

std::string text(vtkDataObject& data, const std::string& name) {
  auto* array = vtkStringArray::SafeDownCast(data.GetFieldData()->GetAbstractArray(name.c_str()));
  if (array == nullptr) throw std::runtime_error("no text '" + name + "' was read");
  return array->GetValue(0);
}

double number(vtkDataObject& data, const std::string& name) { return values(*data.GetFieldData(), name).at(0); }

std::vector<std::uint64_t> bits(const std::vector<double>& doubles) {
  std::vector<std::uint64_t> out;
  for (const double value : doubles) out.push_back(std::bit_cast<std::uint64_t>(value));
  return out;
}

std::string content(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

std::vector<double> awkward_doubles(std::size_t count) {
  std::vector<double> out{0.1, -0.0, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()};
  while (out.size() < count) out.push_back(std::sin(static_cast<double>(out.size())) / 3);
  return out;
}

Polyline line(int run, const Matrix& points, std::vector<double> time) {
  return {points, {{"time", std::move(time)}}, run};
}

Matrix rows(std::initializer_list<std::array<double, 3>> points) {
  Matrix out(static_cast<Index>(points.size()), 3);
  for (Index i = 0; const auto& [x, y, z] : points) out.row(i++) << x, y, z;
  return out;
}

/// Lets files grow to `bytes` only, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
};

TEST_F(VtkFiles, ImageValuesReadBackBitForBit) {
  const Grid grid{{5, 3, 2}, {0, 0, 0}, {1, 1, 1}};
  const auto loss = awkward_doubles(grid.size());
  const auto slope = awkward_doubles(2 * grid.size());
  write_image(path("a.vti"), grid, std::vector<Array>{{"loss", loss}, {"slope", slope, 2}}, {});
  const auto image = read_image(path("a.vti"));
  EXPECT_EQ(bits(values(*image->GetPointData(), "loss")), bits(loss));
  EXPECT_EQ(bits(values(*image->GetPointData(), "slope")), bits(slope));
  EXPECT_EQ(image->GetPointData()->GetArray("slope")->GetNumberOfComponents(), 2);
}

TEST_F(VtkFiles, ImagesLongerThanTheParsersBufferReadBack) {
  const Grid grid{{97, 61, 1}, {0, 0, 0}, {1, 1, 1}};
  const auto loss = awkward_doubles(grid.size());
  write_image(path("a.vti"), grid, std::vector<Array>{{"loss", loss}}, {});
  EXPECT_EQ(bits(values(*read_image(path("a.vti"))->GetPointData(), "loss")), bits(loss));
}

TEST_F(VtkFiles, ImageNodesAreThoseOfTheGrid) {
  const Grid grid{{7, 5, 3}, {-std::numbers::pi, 0.1, 1e-7}, {std::numbers::pi / 3, 1.0 / 7, 1e-9}};
  write_image(path("a.vti"), grid, {}, {});
  const auto image = read_image(path("a.vti"));
  ASSERT_EQ(static_cast<std::size_t>(image->GetNumberOfPoints()), grid.size());
  for (std::size_t axis = 0; axis < 3; ++axis) {
    EXPECT_EQ(image->GetOrigin()[axis], grid.origin[axis]);
    EXPECT_EQ(image->GetSpacing()[axis], grid.spacing[axis]);
  }
  for (int k = 0; k < grid.nodes[2]; ++k)
    for (int j = 0; j < grid.nodes[1]; ++j)
      for (int i = 0; i < grid.nodes[0]; ++i) {
        const double* node = image->GetPoint(static_cast<vtkIdType>(grid.index(i, j, k)));
        // VTK multiplies and adds like Grid, but may fuse the two: one rounding of the larger term.
        EXPECT_NEAR(node[0], grid.coordinate(0, i), 1e-15);
        EXPECT_NEAR(node[1], grid.coordinate(1, j), 1e-15);
        EXPECT_NEAR(node[2], grid.coordinate(2, k), 1e-22);
      }
}

TEST_F(VtkFiles, HeaderReadsBackAsFieldData) {
  const Header header{R"({"commit": "abc<&>", "name": "naïve"})",
                      1.0 / 3,
                      {{"centre_loss", 0.1}, {"trained_loss", 1e-300}},
                      {{"axis_x", "first principal direction (91 %)"}, {"axis_y", ""}}};
  write_image(path("a.vti"), {}, {}, header);
  write_points(path("a.vtp"), rows({{0, 0, 0}}), {}, header);
  for (const vtkSmartPointer<vtkDataObject>& data : {vtkSmartPointer<vtkDataObject>(read_image(path("a.vti"))),
                                                     vtkSmartPointer<vtkDataObject>(read_polydata(path("a.vtp")))}) {
    EXPECT_EQ(text(*data, "provenance"), header.provenance);
    EXPECT_EQ(number(*data, "TimeValue"), 1.0 / 3);
    EXPECT_EQ(number(*data, "centre_loss"), 0.1);
    EXPECT_EQ(number(*data, "trained_loss"), 1e-300);
    EXPECT_EQ(text(*data, "axis_x"), "first principal direction (91 %)");
    EXPECT_EQ(text(*data, "axis_y"), "");
    EXPECT_EQ(number(*data, "capped"), 0);
  }
}

TEST_F(VtkFiles, TimeIsAbsentUnlessGiven) {
  write_image(path("a.vti"), {}, {}, {});
  EXPECT_EQ(read_image(path("a.vti"))->GetFieldData()->GetArray("TimeValue"), nullptr);
}

TEST_F(VtkFiles, InfinitiesAreCappedAndCountedAndNaNStays) {
  const Grid grid{{2, 2, 1}, {0, 0, 0}, {1, 1, 1}};
  const std::vector<Array> arrays{{"loss", {infinity, -infinity, nan, 1}},
                                  {"pair", {1, infinity, 2, 3, 4, 5, nan, 7}, 2}};
  write_image(path("a.vti"), grid, arrays, {"", {}, {{"centre_loss", infinity}}, {}});
  const auto image = read_image(path("a.vti"));
  const auto loss = values(*image->GetPointData(), "loss");
  EXPECT_EQ(loss[0], 1e300);
  EXPECT_EQ(loss[1], -1e300);
  EXPECT_TRUE(std::isnan(loss[2]));
  EXPECT_EQ(loss[3], 1);
  EXPECT_EQ(values(*image->GetPointData(), "pair")[1], 1e300);
  EXPECT_EQ(number(*image, "centre_loss"), 1e300);
  EXPECT_EQ(number(*image, "capped"), 4);
}

TEST_F(VtkFiles, PolylinesKeepPointsArraysAndRuns) {
  const auto a = rows({{0, 0, 0}, {0.1, 0.2, 0}, {1.0 / 3, 1, 0}});
  const auto b = rows({{-1, 2, 0}, {-2, 3, 0.7}});
  write_polylines(path("a.vtp"), std::vector{line(4, a, {0, 0.5, 1}), line(7, b, {0, 2})}, {});
  const auto data = read_polydata(path("a.vtp"));
  ASSERT_EQ(data->GetNumberOfLines(), 2);
  EXPECT_EQ(data->GetCell(0)->GetNumberOfPoints(), 3);
  EXPECT_EQ(data->GetCell(1)->GetNumberOfPoints(), 2);
  EXPECT_EQ(values(*data->GetCellData(), "run"), (std::vector<double>{4, 7}));
  EXPECT_EQ(values(*data->GetPointData(), "time"), (std::vector<double>{0, 0.5, 1, 0, 2}));
  EXPECT_EQ(data->GetPoint(2)[0], 1.0 / 3);
  EXPECT_EQ(data->GetPoint(4)[2], 0.7);
}

TEST_F(VtkFiles, CoincidentPointsOfALineGoTogetherWithTheirValues) {
  const auto still = rows({{0, 0, 0}, {0, 0, 0}, {1, 0, 0}, {1, 0, 0}, {1, 0, 0}, {0, 0, 0}});
  write_polylines(path("a.vtp"), std::vector{line(0, still, {0, 1, 2, 3, 4, 5})}, {});
  const auto data = read_polydata(path("a.vtp"));
  EXPECT_EQ(data->GetNumberOfPoints(), 3);
  EXPECT_EQ(values(*data->GetPointData(), "time"), (std::vector<double>{0, 2, 5}));
}

TEST_F(VtkFiles, LinesMeetWithoutLosingTheirCommonPoint) {
  const std::vector<Polyline> lines{line(0, rows({{1, 0, 0}, {0, 0, 0}}), {0, 1}),
                                    line(1, rows({{0, 0, 0}, {2, 0, 0}}), {0, 1})};
  write_polylines(path("a.vtp"), lines, {});
  EXPECT_EQ(read_polydata(path("a.vtp"))->GetNumberOfPoints(), 4);
}

TEST_F(VtkFiles, APathThatNeverMovedLeadsFromItsPointToItself) {
  write_polylines(path("a.vtp"), std::vector{line(3, rows({{1, 2, 0}, {1, 2, 0}}), {0, 1})}, {});
  const auto data = read_polydata(path("a.vtp"));
  EXPECT_EQ(data->GetNumberOfPoints(), 1);
  ASSERT_EQ(data->GetNumberOfLines(), 1);
  EXPECT_EQ(data->GetCell(0)->GetNumberOfPoints(), 2);
  EXPECT_EQ(values(*data->GetCellData(), "run"), std::vector<double>{3});
}

TEST_F(VtkFiles, EveryPointIsAVertex) {
  const auto points = rows({{0, 0, 0}, {0, 0, 0}, {1, 2, 3}});
  write_points(path("a.vtp"), points, std::vector<Array>{{"label", {0, 1, 1}}}, {});
  const auto data = read_polydata(path("a.vtp"));
  EXPECT_EQ(data->GetNumberOfPoints(), 3);
  EXPECT_EQ(data->GetNumberOfVerts(), 3);
  EXPECT_EQ(data->GetPoint(2)[2], 3);
  EXPECT_EQ(values(*data->GetPointData(), "label"), (std::vector<double>{0, 1, 1}));
}

TEST_F(VtkFiles, FilesAreRawAppendedWithWideHeaders) {
  write_image(path("a.vti"), {}, std::vector<Array>{{"loss", {1}}}, {});
  const auto xml = content(path("a.vti"));
  EXPECT_NE(xml.find(R"(<!ATTLIST AppendedData encoding CDATA "raw">)"), std::string::npos);
  EXPECT_NE(xml.find("<AppendedData>"), std::string::npos);
  EXPECT_NE(xml.find(R"(header_type="UInt64")"), std::string::npos);
  EXPECT_EQ(xml.find("compressor"), std::string::npos);
}

TEST_F(VtkFiles, SeriesListsEveryPartAtEachTime) {
  std::vector<Entry> entries;
  for (const double time : {0.0, 0.1, 1e-9 + 2})
    for (const int part : {0, 1}) entries.push_back({time, part == 0 ? "field/a&\"<b>.vti" : "data.vtp", part});
  write_series(path("decision.pvd"), entries);
  vtkNew<vtkXMLDataParser> parser;
  parser->SetFileName(path("decision.pvd").c_str());
  ASSERT_TRUE(parser->Parse());
  auto* collection = parser->GetRootElement()->FindNestedElementWithName("Collection");
  ASSERT_EQ(static_cast<std::size_t>(collection->GetNumberOfNestedElements()), entries.size());
  for (int i = 0; const Entry& entry : entries) {
    auto* listed = collection->GetNestedElement(i++);
    double time = nan;
    listed->GetScalarAttribute("timestep", time);
    EXPECT_EQ(time, entry.time);
    EXPECT_EQ(listed->GetAttribute("file"), entry.file.generic_string());
    EXPECT_EQ(listed->GetAttribute("part"), std::to_string(entry.part));
  }
}

TEST_F(VtkFiles, MisuseIsNamed) {
  const auto image = [&](const Array& array) { write_image(path("a.vti"), {}, std::vector{array, array}, {}); };
  for (const std::string name : {"", "2loss", "log10 loss", "loss/time", "naïve"})
    EXPECT_THROW(image({name, {1}}), std::invalid_argument) << name;
  EXPECT_THROW(image({"loss", {1}}), std::invalid_argument) << "twice";
  EXPECT_THROW(image({"loss", {1, 2}}), std::invalid_argument) << "size";
  EXPECT_THROW(image({"loss", {}, 0}), std::invalid_argument) << "components";
  EXPECT_THROW(write_image(path("a.vti"), {{0, 1, 1}}, {}, {}), std::invalid_argument);
  EXPECT_THROW(write_image(path("a.vti"), {}, {}, {"", {}, {{"capped", 1}}, {}}), std::invalid_argument);
  EXPECT_THROW(write_image(path("a.vti"), {}, {}, {"", nan, {}, {}}), std::invalid_argument);
  EXPECT_THROW(write_points(path("a.vtp"), Matrix::Zero(4, 2), {}, {}), std::invalid_argument);
  EXPECT_THROW(write_polylines(path("a.vtp"), std::vector{line(0, Matrix::Zero(0, 3), {})}, {}), std::invalid_argument);
  EXPECT_THROW(write_polylines(path("a.vtp"), std::vector{line(0, Matrix::Zero(2, 3), {0})}, {}),
               std::invalid_argument);
  EXPECT_THROW(write_series(path("a.pvd"), std::vector{Entry{0, "/tmp/a.vti"}}), std::invalid_argument);
  EXPECT_THROW(write_series(path("a.pvd"), std::vector{Entry{infinity, "a.vti"}}), std::invalid_argument);
  EXPECT_TRUE(std::filesystem::is_empty(directory()));
}

TEST_F(VtkFiles, UnwritablePathIsARuntimeErrorThatNamesIt) {
  const auto file = path("absent") / "a.vti";
  try {
    write_image(file, {}, {}, {});
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
  }
  EXPECT_THROW(write_series(path("absent") / "a.pvd", {}), std::runtime_error);
}

TEST_F(VtkFiles, FullDiskThrowsKeepsTheOldFileAndPrintsNothing) {
  const Grid grid{{64, 64, 1}, {0, 0, 0}, {1, 1, 1}};
  const std::vector<Array> arrays{{"loss", std::vector<double>(grid.size(), 1.5)}};
  write_image(path("a.vti"), {}, {}, {"the old one", {}, {}, {}});
  testing::internal::CaptureStderr();
  {
    const FileSizeLimit limit(4096);
    EXPECT_THROW(write_image(path("a.vti"), grid, arrays, {}), std::runtime_error);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(text(*read_image(path("a.vti")), "provenance"), "the old one");
  const std::filesystem::directory_iterator files(directory());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(VtkFiles, AReliefStandsAtItsHeights) {
  const Grid grid{{3, 2, 1}, {-1, 2, 0}, {.5, 4, 1}};
  const std::vector<double> heights{0, 1, 2, 3, infinity, 5};
  const std::vector<Array> arrays{{"loss", {5, 4, 3, 2, 1, 0}, 1}};
  write_relief(path("relief.vts"), grid, heights, arrays, {"{}", {}, {}, {}});
  const auto relief = read<vtkXMLStructuredGridReader>(path("relief.vts"));
  ASSERT_EQ(relief->GetNumberOfPoints(), 6);
  const std::array<double, 3> last{0, 6, 5};
  for (int axis = 0; axis < 3; ++axis) EXPECT_EQ(relief->GetPoint(5)[axis], last[static_cast<std::size_t>(axis)]);
  EXPECT_EQ(relief->GetPoint(4)[2], 1e300);
  EXPECT_EQ(relief->GetPointData()->GetArray("loss")->GetComponent(1, 0), 4);
  EXPECT_THROW(write_relief(path("none.vts"), grid, std::vector<double>(5), arrays, {}), std::invalid_argument);
}

TEST_F(VtkFiles, KeepWordsAndNumbersOfATable) {
  const std::vector<Words> words{{"scheme", {"rk4", "bdf2", ""}}};
  const std::vector<Array> numbers{{"error", {1e-9, nan, infinity}, 1}, {"steps", {1, 2, 3}, 1}};
  write_table(path("points.vtt"), words, numbers, {"{}", {}, {}, {}});
  const auto table = read<vtkXMLTableReader>(path("points.vtt"));
  EXPECT_EQ(table->GetNumberOfRows(), 3);
  EXPECT_EQ(table->GetValueByName(1, "scheme").ToString(), "bdf2");
  const auto errors = values(*table->GetRowData(), "error");
  EXPECT_EQ(errors[0], 1e-9);
  EXPECT_TRUE(std::isnan(errors[1]));
  EXPECT_EQ(errors[2], 1e300);
  EXPECT_EQ(values(*table->GetRowData(), "steps"), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(text(*table, "provenance"), "{}");
  EXPECT_THROW(write_table(path("bad.vtt"), words, std::vector<Array>{{"short", {1}, 1}}, {"{}", {}, {}, {}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace thalweg::vtk
