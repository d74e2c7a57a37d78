#include "thalweg/study/slices.hpp"

#include <algorithm>
#include <cmath>

#include "thalweg/core/file.hpp"
#include "thalweg/core/table.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"

namespace thalweg {
namespace {

/// The smallest loss that log10_loss shows: below it a logarithm only magnifies rounding.
constexpr double smallest_loss = 1e-16;

constexpr SurfacePrecision precision_rows[] = {
    {"double", "53 bits, as everything else", false},
    {"float", "24 bits for the loss of a network: twice the speed and more, within about 1e-6 of the loss", true},
};

std::vector<Index> range(Index first, Index count, Index stride = 1) {
  std::vector<Index> all;
  for (Index k = 0; k < count; ++k) all.push_back(first + k * stride);
  return all;
}

/// Each unit's incoming weights, and each layer's biases: what a rescaling of a ReLU layer scales alike.
ParameterGroups filters_of(std::span<const Layer> layers) {
  ParameterGroups groups;
  for (const Layer& l : layers) {
    for (Index i = 0; i < l.outputs; ++i) groups.push_back(range(l.weights + i, l.inputs, l.outputs));
    groups.push_back(range(l.biases, l.outputs));
  }
  return groups;
}

ParameterGroups weights_and_biases_of(std::span<const Layer> layers) {
  ParameterGroups groups;
  for (const Layer& l : layers) {
    groups.push_back(range(l.weights, l.inputs * l.outputs));
    groups.push_back(range(l.biases, l.outputs));
  }
  return groups;
}

}  // namespace

std::span<const SurfacePrecision> surface_precisions() { return precision_rows; }

Sampled::Sampled(const Experiment& ex) : objective_(ex.objective) {
  const Settings& s = ex.settings;
  if (!find(surface_precisions(), s.surface.precision, "surface.precision").single) return;
  single_.emplace(ex.learning->model, ex.learning->data.train, ex.learning->loss, s.model.weight_decay, true);
}

DirectionSource direction_source(const Experiment& ex, std::span<const Vector> states) {
  DirectionSource source{ex.objective, states, {}, {}, {}, {}, ex.settings.surface.seed};
  if (ex.learning) {
    source.filters = filters_of(ex.learning->model.layers());
    source.layers = weights_and_biases_of(ex.learning->model.layers());
  }
  return source;
}

Grid grid_for(const SurfaceSpec& spec, const Slice& slice, std::span<const Vector> states) {
  const double own = find(direction_kinds(), spec.directions, "surface.directions").radius;
  if (!spec.radius.empty()) return slice_grid(slice.dimension(), spec.size, spec.radius);
  if (spec.directions == "points") return slice_grid_through_one(slice.dimension(), spec.size, own);
  const double radius[] = {own > 0 ? own : radius_of(slice, states)};
  return slice_grid(slice.dimension(), spec.size, radius);
}

double log_zero(const std::vector<double>& values) {
  double zero = 0;
  for (const double v : values) zero = std::fmin(zero, v);
  return zero;
}

std::vector<double> logarithms(const std::vector<double>& values, double zero) {
  std::vector<double> logs(values.size());
  std::transform(values.begin(), values.end(), logs.begin(),
                 [zero](double v) { return std::log10(std::max(v - zero, smallest_loss)); });
  return logs;
}

vtk::Header slice_header(const std::string& command, const Experiment& ex, const Slice& slice, const Surface& surface) {
  const Functional& functional = ex.objective;
  vtk::Header header{provenance_json(command), {}, {}, {}};
  header.numbers = {{"centre_loss", surface.centre()},
                    {"trained_loss", functional.value(slice.centre, {})},
                    {"log10_zero", log_zero(surface.values)}};
  const auto checks = check_axes(functional, slice, surface);
  double asked = 1;
  for (std::size_t k = 0; k < checks.size(); ++k) {
    const std::string axis(1, "xyz"[k]);
    const double length = slice.directions.col(static_cast<Index>(k)).norm(), radius = -surface.grid.origin[k];
    asked *= 2 * radius * length;
    header.numbers.insert(header.numbers.end(), {{"radius_" + axis, radius},
                                                 {"unit_" + axis, length},
                                                 {"slope_" + axis, checks[k].slope},
                                                 {"gradient_" + axis, checks[k].gradient},
                                                 {"curvature_" + axis, checks[k].curvature},
                                                 {"product_" + axis, checks[k].product}});
    header.texts.emplace_back("axis_" + axis, slice.titles[k]);
  }
  header.texts.emplace_back("precision", ex.settings.surface.precision);
  header.numbers.insert(header.numbers.end(), {{"asked_area", asked}, {"area", area(slice, surface.grid)}});
  return header;
}

vtk::Polyline projected(const Functional& functional, const Trajectory& path, const Slice& slice,
                        const Surface& surface, int run) {
  const std::size_t n = path.states.size();
  vtk::Polyline line{Matrix::Zero(static_cast<Index>(n), 3), {}, run};
  for (const char* name : {"time", "step", "loss", "surface_loss", "distance"})
    line.arrays.push_back({name, std::vector<double>(n), 1});
  for (std::size_t k = 0; k < n; ++k) {
    const auto [at, distance] = project(slice, path.states[k]);
    line.points.row(static_cast<Index>(k)) << at[0], at[1], at[2];
    const double values[] = {path.times[k], static_cast<double>(path.steps[k]), functional.value(path.states[k], {}),
                             surface.at(at), distance};
    for (std::size_t j = 0; j < line.arrays.size(); ++j) line.arrays[j].values[k] = values[j];
  }
  return line;
}

void write_directions(const std::filesystem::path& file, const Slice& slice) {
  std::vector<std::string> columns{"index", "centre"};
  for (int k = 1; k <= slice.dimension(); ++k) columns.push_back("d" + std::to_string(k));
  std::vector<std::vector<double>> rows;
  for (Index i = 0; i < slice.centre.size(); ++i) {
    rows.push_back({static_cast<double>(i), slice.centre[i]});
    for (Index k = 0; k < slice.dimension(); ++k) rows.back().push_back(slice.directions(i, k));
  }
  replace_file(file, csv_text(columns, rows));
}

}  // namespace thalweg
