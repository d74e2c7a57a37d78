#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <ostream>

#include "connection.hpp"
#include "surface_files.hpp"
#include "thalweg/core/file.hpp"
#include "thalweg/core/petsc.hpp"
#include "thalweg/integrate/petsc_ts.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/finished_run.hpp"
#include "thalweg/study/node_values.hpp"
#include "thalweg/study/postprocess.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Makes the paths of further runs absolute, so that run.ini serves from anywhere.
void resolve_runs(SurfaceSpec& spec) {
  for (auto& run : spec.runs) run = fs::absolute(run).string();
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Collective: rank 0's vector on all ranks.
void share(Vector& values) {
  auto size = static_cast<std::int64_t>(values.size());
  MPI_Bcast(&size, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
  values.resize(size);
  MPI_Bcast(values.data(), static_cast<int>(size), MPI_DOUBLE, 0, MPI_COMM_WORLD);
}

std::string_view bytes_of(const Vector& values) {
  return {reinterpret_cast<const char*>(values.data()), static_cast<std::size_t>(values.size()) * sizeof(double)};
}

/// A surface on this rank. Rank 0 owns the paths, the slice and the directory; the others evaluate.
class SurfaceRun {
 public:
  SurfaceRun(Settings settings, const Console& console)
      : settings_(std::move(settings)), console_(console), run_(settings_), measures_(run_.experiment()) {}

  int run() {
    if (prepare_together() != 0) return 0;
    const NodeTask task{plan_.grid.size(), measures_.columns().size(),
                        plan_.slice.dimension() == 1 ? 1 : static_cast<std::size_t>(plan_.grid.nodes[0]),
                        [this](std::size_t node, double* values) {
                          measures_.measure(plan_.slice.at(node_coordinates(plan_.grid, node)), values);
                        }};
    const NodeValues values = measure_nodes(task, partial(), question(), console_);
    return console_.rank == 0 ? conclude(values) : 0;
  }

 private:
  fs::path partial() const { return directory_ / "surface.partial"; }

  /// Collective. Rank 0 prepares; all learn whether it could, and the slice.
  int prepare_together() {
    std::exception_ptr problem;
    int failed = 0;
    if (console_.rank == 0) {
      try {
        prepare();
      } catch (...) {
        problem = std::current_exception();
        failed = 1;
      }
    }
    MPI_Bcast(&failed, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (problem) std::rethrow_exception(problem);
    if (failed == 0) share_plan();
    return failed;
  }

  /// Paths are integrated once more on rank 0 alone: where a run ended by the clock, two ranks would not agree on them.
  void prepare() {
    plan_ = plan_surface(run_, console_);
    open();
    console_.note(std::to_string(plan_.grid.size()) + " points, " + said_time());
  }

  std::string said_time() const {
    const auto start = Clock::now();
    std::vector<double> values(measures_.columns().size());
    measures_.measure(plan_.slice.centre, values.data());
    const double each = std::chrono::duration<double>(Clock::now() - start).count();
    const double all = each * static_cast<double>(plan_.grid.size()) / console_.ranks;
    return all < 1 ? "less than a second" : "about " + duration_text(all);
  }

  /// A killed run of the same keys goes on in its directory.
  void open() {
    const std::string ini = ini_text(settings_);
    directory_ = settings_.out_dir;
    if (!settings_.out_dir.empty() && !settings_.overwrite && fs::exists(partial()) &&
        text_of(directory_ / "run.ini") == ini)
      return;
    directory_ = choose_directory(settings_, "surface");
    require_inputs_survive(settings_, directory_);
    open_directory(directory_);
    replace_file(directory_ / "run.ini", ini);
  }

  void share_plan() {
    share(plan_.slice.centre);
    Vector flat = plan_.slice.directions.reshaped();
    share(flat);
    plan_.slice.directions = flat.reshaped(plan_.slice.centre.size(), flat.size() / plan_.slice.centre.size());
    MPI_Bcast(&plan_.grid, sizeof plan_.grid, MPI_BYTE, 0, MPI_COMM_WORLD);
  }

  /// All that the values depend on: point, directions, grid, and the keys of objective and probes.
  std::uint64_t question() const {
    Settings keys = settings_;
    keys.surface.heat.clear();
    keys.surface.persistence.reset();
    const Vector flat = plan_.slice.directions.reshaped();
    Vector grid(9);
    for (std::size_t axis = 0; axis < 3; ++axis)
      grid.segment<3>(static_cast<Index>(3 * axis)) << plan_.grid.nodes[axis], plan_.grid.origin[axis],
          plan_.grid.spacing[axis];
    return digest(bytes_of(grid), digest(bytes_of(flat), digest(bytes_of(plan_.slice.centre), digest(ini_text(keys)))));
  }

  int conclude(const NodeValues& values) {
    if (!values.complete) {
      console_.err << "thalweg: interrupted; with --out.dir=" << directory_.string() << " the same command goes on\n";
      return 130;
    }
    const SurfaceResult result{run_.experiment(), plan_, measures_, values.values};
    RunReport report{"surface",
                     "done",
                     "",
                     write_surface_files(directory_, result),
                     {},
                     {},
                     0,
                     console_.ranks,
                     petsc::options_in_force()};
    report.numbers.insert(report.numbers.end(), {{"points", static_cast<double>(plan_.grid.size())},
                                                 {"points_computed", static_cast<double>(values.computed)},
                                                 {"points_kept", static_cast<double>(values.kept)}});
    report.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    replace_file(directory_ / "run.json", run_json(report));
    fs::remove(partial());
    add_scene(directory_);
    if (settings_.pictures) postprocess("geometry.py", directory_, console_);
    for (const auto& [name, value] : report.numbers) console_.out << name << ' ' << to_text(value) << '\n';
    console_.out << "results in " << directory_.string() << '\n'
                 << "in ParaView paraview --state=" << (directory_ / "view.py").string() << '\n';
    return 0;
  }

  Settings settings_;
  const Console& console_;
  const Clock::time_point start_ = Clock::now();
  const FinishedRun run_;
  const Measures measures_;
  SurfacePlan plan_;
  fs::path directory_;
};

}  // namespace

int surface(const Request& request, const Console& console) {
  Settings settings = request.settings;
  resolve_finished(settings);
  resolve_runs(settings.surface);
  resolve(settings, request.given);
  require(settings.surface.size.front() > 1, "surface.size: a surface needs an odd number of nodes above 1");
  return SurfaceRun(settings, console).run();
}

}  // namespace thalweg
