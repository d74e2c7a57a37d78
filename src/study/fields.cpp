#include "thalweg/study/fields.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "thalweg/core/file.hpp"
#include "thalweg/study/postprocess.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/slices.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;

Grid domain_grid(const Dataset& data, int size) {
  Grid grid{{size, size, 1}, {data.low[0], data.low[1], 0}, {1, 1, 1}};
  for (Index a = 0; a < 2; ++a) grid.spacing[static_cast<std::size_t>(a)] = (data.high[a] - data.low[a]) / (size - 1);
  return grid;
}

Matrix nodes_of(const Grid& grid) {
  Matrix nodes(static_cast<Index>(grid.size()), 2);
  for (int j = 0; j < grid.nodes[1]; ++j)
    for (int i = 0; i < grid.nodes[0]; ++i)
      nodes.row(static_cast<Index>(grid.index(i, j))) << grid.coordinate(0, i), grid.coordinate(1, j);
  return nodes;
}

/// Class probabilities of logits: the link of the loss; for mse the output itself, kept within [0, 1].
Matrix probabilities(const Loss& loss, const Matrix& logits) {
  if (loss.name == "mse") return logits.cwiseMax(0).cwiseMin(1);
  if (logits.cols() == 1) return (1 + (-logits.array()).exp()).inverse();
  const Eigen::ArrayXd top = logits.rowwise().maxCoeff();
  const Eigen::ArrayXXd e = (logits.array().colwise() - top).exp();
  return e.colwise() / e.rowwise().sum();
}

std::vector<vtk::Array> decision_arrays(const Experiment& ex, const Matrix& nodes, const Vector& theta) {
  const Matrix logits = ex.learning->model.predict(theta, nodes);
  const Matrix p = probabilities(ex.learning->loss, logits);
  vtk::Array probability{"probability", std::vector<double>(static_cast<std::size_t>(p.rows())), 1};
  if (ex.learning->data.classes() == 2) {
    Vector::Map(probability.values.data(), p.rows()) = p.rightCols(1);
    return {std::move(probability)};
  }
  const auto winner = decide(ex.learning->loss, logits);
  for (Index i = 0; i < p.rows(); ++i) {
    const auto s = static_cast<std::size_t>(i);
    probability.values[s] = p(i, winner[s]);
  }
  return {std::move(probability), {"class", {winner.begin(), winner.end()}, 1}};
}

std::string frame_name(std::size_t k) {
  char name[32];
  std::snprintf(name, sizeof name, "field_%04zu.vti", k);
  return name;
}

/// Only finite states can be drawn; a diverged run keeps those before.
Trajectory drawable(const Trajectory& path) {
  Trajectory finite;
  for (std::size_t k = 0; k < path.states.size(); ++k) {
    if (!path.states[k].allFinite()) break;
    finite.times.push_back(path.times[k]);
    finite.steps.push_back(path.steps[k]);
    finite.states.push_back(path.states[k]);
  }
  return finite;
}

void write_surface(const fs::path& directory, const Experiment& ex, const Trajectory& path,
                   const ClosingSurface& closing) {
  const auto& [slice, surface] = closing;
  const vtk::Header header = slice_header("train", ex, slice, surface);
  const std::vector<vtk::Array> arrays{{"loss", surface.values, 1},
                                       {"log10_loss", logarithms(surface.values, log_zero(surface.values)), 1}};
  vtk::write_image(directory / "surface.vti", surface.grid, arrays, header);
  const std::vector<vtk::Polyline> lines{projected(ex.objective, path, slice, surface)};
  vtk::write_polylines(directory / "trajectory.vtp", lines, header);
  write_directions(directory / "directions.csv", slice);
}

}  // namespace

Matrix positions(const Dataset& data) {
  Matrix points = Matrix::Zero(data.train.size() + data.validation.size() + data.test.size(), 3);
  Index row = 0;
  for (const Samples* s : {&data.train, &data.validation, &data.test}) {
    points.block(row, 0, s->size(), s->x.cols()) = s->x;
    row += s->size();
  }
  return points;
}

std::vector<vtk::Array> point_arrays(const Dataset& data) {
  std::vector<vtk::Array> arrays;
  for (const char* name : {"label", "clean", "fragment", "split", "flipped"}) arrays.push_back({name, {}, 1});
  int split = 0;
  for (const Samples* s : {&data.train, &data.validation, &data.test}) {
    for (std::size_t i = 0; i < s->label.size(); ++i) {
      const int values[] = {s->label[i], s->clean[i], s->fragment[i], split, s->label[i] != s->clean[i]};
      for (std::size_t j = 0; j < arrays.size(); ++j) arrays[j].values.push_back(values[j]);
    }
    ++split;
  }
  return arrays;
}

void write_decision(const fs::path& directory, const Experiment& ex, const Trajectory& path) {
  const fs::path folder = directory / "decision";
  fs::create_directories(folder);
  const std::string provenance = provenance_json("train");
  const Dataset& data = ex.learning->data;
  vtk::write_points(folder / "data.vtp", positions(data), point_arrays(data), {provenance, {}, {}, {}});
  const Grid grid = domain_grid(data, ex.settings.decision_size);
  const Matrix nodes = nodes_of(grid);
  std::vector<vtk::Entry> entries;
  for (std::size_t k = 0; k < path.states.size(); ++k) {
    const double step = static_cast<double>(path.steps[k]);
    vtk::write_image(folder / frame_name(k), grid, decision_arrays(ex, nodes, path.states[k]),
                     {provenance, path.times[k], {{"step", step}}, {}});
    entries.push_back({path.times[k], fs::path("decision") / frame_name(k), 0});
    entries.push_back({path.times[k], "decision/data.vtp", 1});
  }
  vtk::write_series(directory / "decision.pvd", entries);
}

std::optional<ClosingSurface> closing_surface(const Experiment& ex, const Trajectory& path, const Console& console,
                                              MPI_Comm ranks) {
  const SurfaceSpec& spec = ex.settings.surface;
  if (spec.size.front() <= 1 || ex.objective.size() <= 1) return std::nullopt;
  const Trajectory finite = drawable(path);
  Progress progress(console, "surface", spec.size.back());
  const Slice slice = make_slice(spec.directions, direction_source(ex, finite.states), 2);
  const Sampled sampled(ex);
  const Surface surface = sample_surface(
      *sampled, slice, grid_for(spec, slice, finite.states), [&](int done) { progress.at(done); }, ranks);
  return ClosingSurface{slice, surface};
}

void write_scene(const fs::path& directory, const Experiment& ex, const Trajectory& path,
                 const std::optional<ClosingSurface>& closing) {
  fs::create_directories(directory);
  const Trajectory finite = drawable(path);
  if (closing) write_surface(directory, ex, finite, *closing);
  if (ex.settings.decision_size > 1 && ex.learning && ex.learning->data.features() == 2)
    write_decision(directory, ex, finite);
  add_scene(directory);
}

}  // namespace thalweg
