#include "thalweg/study/run_directory.hpp"

#include "thalweg/core/core.hpp"

namespace thalweg {

namespace fs = std::filesystem;

namespace {

/// All that any command writes. What else lies in a directory is somebody's own.
constexpr std::string_view written[] = {
    "run.ini", "run.json", "report.html", "view.py", "paraview",
    // train
    "metrics.csv", "metrics.png", "weights.csv", "data.csv", "data.vtp", "surface.vti", "surface.png", "trajectory.vtp",
    "directions.csv", "decision.pvd", "decision", "decision.png", "checkpoint.bin",
    // evaluate
    "evaluate.csv", "evaluate.json",
    // study
    "runs.csv", "curves.csv", "effects.csv", "shares.csv", "claims.csv", "study.sqlite", "study.sqlite-wal", "study.sqlite-shm",
    // spectrum
    "spectrum.csv", "spectrum.json", "spectrum.png", "vectors.csv", "density.csv", "sharpness.csv", "sharpness.png",
    // surface
    "surface.csv", "surface.vts", "surface.partial", "volume.vti", "volume.png", "paths.vtp", "pca.csv", "pca.png",
    "topology.csv", "critical.vtp", "heat.pvd", "heat", "heat.csv", "heat.png", "connect.csv", "connect.vtp",
    "connect.png", "line.png",
    // schemes
    "precision.csv", "precision.vtt", "orders.csv", "precision.png", "stability.png",
    // limit
    "limit.csv", "fit.csv", "limit.png"};

}  // namespace

fs::path choose_directory(const Settings& settings, std::string_view command) {
  if (settings.out_dir.empty()) {
    for (int n = 1;; ++n)
      if (const fs::path free = "results/" + std::string(command) + "-" + std::to_string(n); !fs::exists(free))
        return free;
  }
  const fs::path directory = settings.out_dir;
  if (!fs::exists(directory) || (fs::is_directory(directory) && fs::is_empty(directory))) return directory;
  require(fs::exists(directory / "run.ini"),
          "out.dir: " + directory.string() + " exists and holds something other than a run");
  require(settings.overwrite,
          "out.dir: " + directory.string() + " holds a run; take another one or add --out.overwrite=true");
  return directory;
}

void open_directory(const fs::path& directory) {
  std::error_code failure;
  fs::create_directories(directory, failure);
  if (failure) throw std::runtime_error("out.dir: cannot create '" + directory.string() + "': " + failure.message());
  for (const auto name : written) fs::remove_all(directory / name);
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_text(const std::vector<std::string>& columns, const std::vector<std::vector<double>>& rows) {
  std::string text;
  for (std::size_t j = 0; j < columns.size(); ++j) text += (j == 0 ? "" : ",") + columns[j];
  text += '\n';
  for (const auto& row : rows) {
    for (std::size_t j = 0; j < row.size(); ++j) text += (j == 0 ? "" : ",") + to_text(row[j]);
    text += '\n';
  }
  return text;
}

}  // namespace thalweg
