#include "surface_files.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <span>
#include <sstream>

#include "thalweg/core/file.hpp"
#include "thalweg/diagnose/topology.hpp"
#include "thalweg/study/run_directory.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;
using Rows = std::vector<std::vector<double>>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Height of the warped surface in widths of the plane.
constexpr double relief = .5;

/// One column of the values.
std::vector<double> column(const SurfaceResult& r, std::size_t j) {
  const std::size_t columns = r.measures.columns().size();
  std::vector<double> values;
  for (std::size_t at = j; at < r.values.size(); at += columns) values.push_back(r.values[at]);
  return values;
}

/// A hundredth of the way from the lowest value to the median: the shallowest dent that counts as a basin.
double default_persistence(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  const double median = *middle;
  return (median - *std::min_element(values.begin(), values.end())) / 100;
}

/// Writes one surface command's files and gathers its numbers.
class Files {
 public:
  Files(const fs::path& directory, const SurfaceResult& r)
      : directory_(directory),
        r_(r),
        slice_(r.plan.slice),
        surface_{r.plan.grid, column(r, 0)},
        header_(slice_header("surface", r.experiment, slice_, surface_)),
        tree_(merge_tree(surface_.grid, surface_.values)),
        threshold_(spec().persistence.value_or(default_persistence(surface_.values))) {}

  std::vector<std::pair<std::string, double>> write() {
    header_.numbers.emplace_back("persistence", threshold_);
    write_directions(directory_ / "directions.csv", slice_);
    write_grid();
    write_paths();
    write_variance();
    write_topology();
    if (!spec().heat.empty()) write_heat();
    if (!r_.plan.others.empty()) write_connection();
    auto numbers = header_.numbers;
    numbers.insert(numbers.end(), numbers_.begin(), numbers_.end());
    return numbers;
  }

 private:
  const SurfaceSpec& spec() const { return r_.experiment.settings.surface; }

  std::vector<vtk::Array> arrays() const {
    std::vector<vtk::Array> all{{"loss", surface_.values, 1},
                                {"log10_loss", logarithms(surface_.values, log_zero(surface_.values)), 1}};
    for (std::size_t j = 1; j < r_.measures.columns().size(); ++j)
      all.push_back({r_.measures.columns()[j], column(r_, j), 1});
    const auto labels = tree_.labels(threshold_);
    all.push_back({"basin", {labels.begin(), labels.end()}, 1});
    return all;
  }

  void write_grid() const {
    const auto all = arrays();
    const int d = slice_.dimension();
    vtk::write_image(directory_ / (d == 3 ? "volume.vti" : "surface.vti"), surface_.grid, all, header_);
    if (d == 3) return;  // a volume's table would be megabytes of text
    if (d == 2) vtk::write_relief(directory_ / "surface.vts", surface_.grid, heights(all[1].values), all, header_);
    std::vector<std::string> columns(d == 2 ? std::vector<std::string>{"x", "y"} : std::vector<std::string>{"x"});
    for (const auto& name : r_.measures.columns()) columns.push_back(name);
    Rows rows;
    for (std::size_t node = 0; node < surface_.grid.size(); ++node) {
      const auto c = node_coordinates(surface_.grid, node);
      rows.emplace_back(c.begin(), c.begin() + d);
      for (std::size_t j = 0; j < r_.measures.columns().size(); ++j)
        rows.back().push_back(r_.values[node * r_.measures.columns().size() + j]);
    }
    replace_file(directory_ / "surface.csv", csv_text(columns, rows));
  }

  /// log10 of the loss from the lowest node up, so that the highest stands half a width above it.
  std::vector<double> heights(const std::vector<double>& logs) const {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const double v : logs)
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
    const double width = std::max((surface_.grid.nodes[0] - 1) * surface_.grid.spacing[0],
                                  (surface_.grid.nodes[1] - 1) * surface_.grid.spacing[1]);
    std::vector<double> z(logs.size());
    std::transform(logs.begin(), logs.end(), z.begin(), [&](double v) {
      return high > low ? relief * width * ((std::isfinite(v) ? v : high) - low) / (high - low) : 0;
    });
    return z;
  }

  void write_paths() const {
    std::vector<vtk::Polyline> lines;
    for (std::size_t k = 0; k < r_.plan.paths.size(); ++k)
      lines.push_back(projected(r_.experiment.objective, r_.plan.paths[k], slice_, surface_, static_cast<int>(k)));
    vtk::write_polylines(directory_ / "paths.vtp", lines, header_);
  }

  void write_variance() const {
    if (r_.plan.paths[0].states.size() < 3) return;
    const Vector fractions = variance_fractions(r_.plan.paths[0].states);
    Rows rows;
    for (int k = 1; k <= std::min<Index>(10, fractions.size() - 1); ++k)
      rows.push_back({static_cast<double>(k), fractions[k - 1], random_walk_fraction(k)});
    replace_file(directory_ / "pca.csv", csv_text({"component", "variance_fraction", "random_walk"}, rows));
  }

  /// One row a basin that lasts; the lowest one's death is not a number.
  void append_basins(const MergeTree& tree, double heat_time, Rows& rows) const {
    for (std::size_t k = 0; k < tree.basins.size(); ++k) {
      const Basin& b = tree.basins[k];
      if (k > 0 && b.persistence() < threshold_) break;
      const auto at = node_coordinates(surface_.grid, b.minimum), saddle = node_coordinates(surface_.grid, b.saddle);
      rows.push_back({heat_time, static_cast<double>(k), at[0], at[1], at[2], b.birth});
      if (k == 0)
        rows.back().insert(rows.back().end(), 6, nan);
      else
        rows.back().insert(rows.back().end(),
                           {saddle[0], saddle[1], saddle[2], b.death, b.persistence(), static_cast<double>(b.parent)});
    }
  }

  void write_topology() {
    append_basins(tree_, 0, basins_);
    numbers_.emplace_back("basins", static_cast<double>(basins_.size()));
    write_critical(directory_ / "critical.vtp", basins_, header_);
    save_basins();
  }

  /// The minima of these basins, and the saddles at which all but the first end.
  void write_critical(const fs::path& file, std::span<const std::vector<double>> basins, vtk::Header header) const {
    Matrix points(static_cast<Index>(2 * basins.size() - 1), 3);
    std::vector<vtk::Array> arrays{{"kind", {}, 1}, {"basin", {}, 1}, {"loss", {}, 1}, {"persistence", {}, 1}};
    Index row = 0;
    const auto add = [&](double kind, const std::vector<double>& basin, std::size_t first, double loss) {
      points.row(row++) << basin[first], basin[first + 1], basin[first + 2];
      const double values[] = {kind, basin[1], loss, basin[10]};
      for (std::size_t j = 0; j < arrays.size(); ++j) arrays[j].values.push_back(values[j]);
    };
    for (const auto& basin : basins) add(0, basin, 2, basin[5]);
    for (std::size_t k = 1; k < basins.size(); ++k) add(1, basins[k], 6, basins[k][9]);
    header.texts.emplace_back("kinds", "minimum,saddle");
    vtk::write_points(file, points, arrays, header);
  }

  void save_basins() const {
    replace_file(directory_ / "topology.csv", csv_text({"heat_time", "basin", "x", "y", "z", "birth", "saddle_x",
                                                        "saddle_y", "saddle_z", "death", "persistence", "parent"},
                                                       basins_));
  }

  /// heat/NAME_0007.EXT.
  static fs::path in_series(const char* name, std::size_t k, const char* extension) {
    std::ostringstream file;
    file << name << '_' << std::setw(4) << std::setfill('0') << k << extension;
    return fs::path("heat") / file.str();
  }

  void write_heat() {
    fs::create_directories(directory_ / "heat");
    std::vector<double> times = spec().heat;
    times.push_back(0);
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    std::vector<vtk::Entry> entries;
    Rows rows;
    for (std::size_t k = 0; k < times.size(); ++k) {
      const auto u = heat_flow(surface_.grid, surface_.values, times[k]);
      const MergeTree tree = merge_tree(surface_.grid, u);
      Rows basins;
      append_basins(tree, times[k], basins);
      const auto labels = tree.labels(threshold_);
      const std::vector<vtk::Array> arrays{{"loss", u, 1},
                                           {"log10_loss", logarithms(u, log_zero(surface_.values)), 1},
                                           {"basin", {labels.begin(), labels.end()}, 1}};
      // Only what still holds of the smoothed values.
      const vtk::Header header{
          header_.provenance,
          times[k],
          {{"sigma", std::sqrt(2 * times[k])}, {"log10_zero", log_zero(surface_.values)}, {"persistence", threshold_}},
          header_.texts};
      const fs::path plane = in_series("heat", k, ".vti"), critical = in_series("critical", k, ".vtp");
      vtk::write_image(directory_ / plane, surface_.grid, arrays, header);
      write_critical(directory_ / critical, basins, header);
      entries.insert(entries.end(), {{times[k], plane, 0}, {times[k], critical, 1}});
      const auto count = static_cast<double>(basins.size());
      if (times[k] > 0) basins_.insert(basins_.end(), basins.begin(), basins.end());
      rows.push_back({times[k], std::sqrt(2 * times[k]), count, tree.basins[0].birth,
                      tree.basins.size() > 1 ? tree.basins[1].persistence() : 0});
    }
    vtk::write_series(directory_ / "heat.pvd", entries);
    replace_file(directory_ / "heat.csv",
                 csv_text({"heat_time", "sigma", "basins", "lowest", "largest_persistence"}, rows));
    save_basins();
  }

  /// The straight line to the second run, and the trained curve: their measures, and their ways over the surface.
  void write_connection() {
    const auto& names = r_.measures.columns();
    const Vector &a = slice_.centre, &b = r_.plan.others[0];
    std::vector<std::string> columns{"t"};
    const int curves = r_.plan.bezier ? 2 : 1;
    for (int curve = 0; curve < curves; ++curve)
      for (const auto& name : names) columns.push_back((curve == 0 ? "linear_" : "bezier_") + name);
    Rows rows;
    Trajectory ways[2];
    constexpr int intervals = 60;
    std::vector<double> values(names.size());
    for (int k = 0; k <= intervals; ++k) {
      const double t = static_cast<double>(k) / intervals;
      rows.push_back({t});
      for (int curve = 0; curve < curves; ++curve) {
        // (1-t) a + t b has both ends to the last bit.
        const Vector y = curve == 0 ? Vector((1 - t) * a + t * b) : r_.plan.bezier->at(t);
        r_.measures.measure(y, values.data());
        rows.back().insert(rows.back().end(), values.begin(), values.end());
        ways[curve].times.push_back(t);
        ways[curve].steps.push_back(k);
        ways[curve].states.push_back(y);
      }
    }
    std::vector<vtk::Polyline> lines;
    for (int curve = 0; curve < curves; ++curve) {
      lines.push_back(projected(r_.experiment.objective, ways[curve], slice_, surface_, curve));
      const std::size_t at = 1 + static_cast<std::size_t>(curve) * names.size();
      double barrier = 0;
      for (const auto& row : rows) {
        const double above = row[at] - (1 - row[0]) * rows.front()[at] - row[0] * rows.back()[at];
        barrier = std::isnan(above) ? above : std::max(barrier, above);  // what has no loss has no barrier
      }
      numbers_.emplace_back(curve == 0 ? "linear_barrier" : "bezier_barrier", barrier);
    }
    replace_file(directory_ / "connect.csv", csv_text(columns, rows));
    vtk::write_polylines(directory_ / "connect.vtp", lines, header_);
  }

  const fs::path& directory_;
  const SurfaceResult& r_;
  const Slice& slice_;
  const Surface surface_;
  vtk::Header header_;
  const MergeTree tree_;
  const double threshold_;
  Rows basins_;
  std::vector<std::pair<std::string, double>> numbers_;
};

}  // namespace

std::vector<std::pair<std::string, double>> write_surface_files(const fs::path& directory,
                                                                const SurfaceResult& result) {
  return Files(directory, result).write();
}

}  // namespace thalweg
