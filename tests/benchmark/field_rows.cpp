#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "../network.hpp"
#include "rows.hpp"
#include "thalweg/diagnose/surface.hpp"
#include "thalweg/output/vtk.hpp"

namespace thalweg::bench {
namespace {

Result surface_over_losses() {
  constexpr int side = 31;
  const test::Network net({.hidden = {32, 32}}, 2, 1000);
  const Vector centre = net.model.start(5);
  const Slice plane = make_slice("random", {net.risk, {&centre, 1}}, 2);
  const int sizes[] = {side};
  const double radii[] = {1};
  const Grid grid = slice_grid(2, sizes, radii);
  return compare([&] { sample_surface(net.risk, plane, grid); },
                 {{[&] { net.risk.value(centre, {}); }, side * side}});
}

Result solve_over_copy(std::string_view name) {
  const test::Network net({.hidden = {32, 32}}, 2, 1, std::string(name));
  // The mean survives every solve, so that repeating them in place never leads to denormal numbers.
  Vector x = test::normals(net.model.size(), 3).array() + 1, copy = x;
  const Vector source = x;
  return compare([&] { net.lattice->solve(1, x); }, {{[&] { copy = source; }, 1}})
      .per(static_cast<double>(net.model.size()));
}

/// A directory that ends with its owner.
class Scratch {
 public:
  Scratch() : path_(std::filesystem::temp_directory_path() / ("thalweg-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

Result image_over_file() {
  const Grid grid{.nodes = {1024, 512, 1}};
  const Vector values = test::normals(static_cast<Index>(grid.size()), 3);
  const vtk::Array loss{"loss", {values.begin(), values.end()}};
  const auto bytes = static_cast<std::streamsize>(grid.size() * sizeof(double));
  const Scratch scratch;
  const auto plain = [&] {
    std::ofstream(scratch / "plain", std::ios::binary).write(reinterpret_cast<const char*>(values.data()), bytes);
  };
  return compare(
             [&] {
               vtk::write_image(scratch / "image.vti", grid, {&loss, 1}, {});
             },
             {{plain, 1}})
      .per(static_cast<double>(bytes));
}

}  // namespace

std::vector<Row> field_rows() {
  std::vector<Row> rows{{"surface 31 x 31, 2-32-32-1, N = 1000", "961 losses", {}, {"ms", 1e-3}, surface_over_losses}};
  for (const LatticeKind& kind : lattices())
    rows.push_back({"lattice solve, " + std::string(kind.name), "copy", {}, {"ns/parameter", 1e-9}, [name = kind.name] {
                      return solve_over_copy(name);
                    }});
  rows.push_back({"VTK image of 4 MiB", "plain file", {}, {"GB/s", 1e9, true}, image_over_file});
  return rows;
}

}  // namespace thalweg::bench
