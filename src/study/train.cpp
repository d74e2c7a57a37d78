#include <cmath>
#include <exception>
#include <ostream>

#include "thalweg/core/file.hpp"
#include "thalweg/core/petsc.hpp"
#include "thalweg/integrate/petsc_ts.hpp"
#include "thalweg/study/checkpoint.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/experiment.hpp"
#include "thalweg/study/fields.hpp"
#include "thalweg/study/postprocess.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"
#include "thalweg/study/weights.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;

/// Moves the progress line with training time or steps.
class Ticker final : public Observer {
 public:
  Ticker(const Console& console, const StopSpec& stop)
      : by_time_(stop.time.has_value()),
        progress_(console, "training", by_time_ ? *stop.time : static_cast<double>(stop.steps.value_or(1))) {}
  void see(const Frame& frame) override { progress_.at(by_time_ ? frame.at.time : static_cast<double>(frame.at.step)); }

 private:
  bool by_time_;
  Progress progress_;
};

RunReport report(const Experiment& ex, const Recorder& recorder, const Outcome& outcome, double seconds,
                 const Console& console) {
  RunReport r{"train",       std::string(name(outcome.status)), outcome.message, {}, {}, outcome.work, seconds,
              console.ranks, petsc::options_in_force()};
  r.numbers = {{"time", outcome.end.time}, {"parameters", static_cast<double>(ex.objective.size())}};
  if (ex.learning) {
    const Dataset& data = ex.learning->data;
    r.numbers.insert(r.numbers.end(), {{"noise_nominal", data.noise_nominal},
                                       {"noise_realised", data.noise_realised},
                                       {"best_accuracy", recorder.best_accuracy()}});
  }
  for (const auto& column : recorder.columns()) r.numbers.emplace_back(column, recorder.last(column));
  const auto limit = ex.scheme.row.limit;
  if (limit && (recorder.records("sharpness") || recorder.records("step_sharpness")))
    r.numbers.emplace_back("stability_limit", limit(ex.scheme.settings));
  return r;
}

void summarise(const Outcome& outcome, const Recorder& recorder, const fs::path& directory, std::ostream& out) {
  out << "ended by " << name(outcome.status) << " at t = " << to_text(outcome.end.time) << " after "
      << outcome.work.steps << " steps, " << outcome.work.gradients << " gradients\n";
  for (const char* column : {"loss", "train_accuracy", "test_accuracy"})
    if (const double value = recorder.last(column); !std::isnan(value)) out << column << ' ' << to_text(value) << '\n';
  out << "results in " << directory.string() << '\n';
  if (fs::exists(directory / "report.html")) out << "report      " << (directory / "report.html").string() << '\n';
  out << "in ParaView "
      << "paraview --state=" << (directory / "view.py").string() << '\n';
}

/// What rank 0 does alone may fail there: all ranks go on, or none.
template <class Deed>
bool done_by_first(const Console& console, MPI_Comm ranks, Deed deed) {
  int ready = 1;
  std::exception_ptr problem;
  if (console.rank == 0) try {
      deed();
    } catch (...) {
      ready = 0;
      problem = std::current_exception();
    }
  MPI_Bcast(&ready, 1, MPI_INT, 0, ranks);
  if (problem) std::rethrow_exception(problem);
  return ready != 0;
}

/// Whether any rank was told to end: they end together or wait for each other forever.
bool any_interrupted(const Console& console, MPI_Comm ranks) {
  int told = console.interrupted && console.interrupted() ? 1 : 0;
  MPI_Allreduce(MPI_IN_PLACE, &told, 1, MPI_INT, MPI_MAX, ranks);
  return told != 0;
}

/// The ranks that train together: all, where data.parallel asks for it.
MPI_Comm team(const Settings& settings, const Console& console) {
  if (!settings.data_parallel || console.ranks == 1) return MPI_COMM_SELF;
  require(!settings.stop.wall, "stop.wall: with data.parallel the ranks' clocks would not agree; take stop.steps");
  require(settings.record.checkpoint == 0, "record.checkpoint: a run of data.parallel keeps none; take 0");
  return MPI_COMM_WORLD;
}

}  // namespace

int train(const Request& request, const Console& console) {
  const MPI_Comm ranks = team(request.settings, console);
  if (console.rank != 0 && ranks == MPI_COMM_SELF) return 0;
  const auto start = std::chrono::steady_clock::now();
  Settings settings = request.settings;
  resolve(settings, request.given);
  const Experiment ex(settings, ranks);
  if (ex.learning) settings.model.loss = ex.learning->loss.name;
  Recorder recorder = ex.recorder();
  require_options_used(read_options(ex.scheme, ex.dynamics));
  const std::string ini = ini_text(settings);
  std::optional<RunCheckpoint> unfinished;
  fs::path directory;
  const bool ready = done_by_first(console, ranks, [&] {
    unfinished = unfinished_run(settings, ini);
    directory = unfinished ? fs::path(settings.out_dir) : choose_directory(settings, "train");
    if (!unfinished) open_directory(directory);
    if (!unfinished && settings.record.checkpoint > 0) write_checkpoint(directory, {ini, {}});
    replace_file(directory / "run.ini", ini);
    if (ex.learning) write_data(directory / "data.csv", ex.learning->data);
  });
  if (!ready) return 0;

  Trajectory path;
  Ticker ticker(console, settings.stop);
  const Schedule when = ex.schedule();
  const Watch watches[] = {{when, recorder}, {when, path}, {{{}, 100}, ticker}};
  Checkpoints checkpoints{settings.record.checkpoint, [&](const Checkpoint& solve) {
                            write_checkpoint(directory, {ini, RunCheckpoint::State{solve, recorder.record(), path}});
                          }};
  if (unfinished && unfinished->state) {
    checkpoints.from = &unfinished->state->solve;
    recorder.resume(unfinished->state->record);
    path = unfinished->state->path;
    console.note("goes on from step " + std::to_string(checkpoints.from->solve.step));
  }
  const Outcome outcome = ex.run(watches, [&] { return any_interrupted(console, ranks); }, checkpoints);
  const bool kept = done_by_first(console, ranks, [&] {
    replace_file(directory / "metrics.csv", csv_text(recorder.columns(), recorder.rows()));
    if (ex.learning)
      write_weights(directory / "weights.csv", ex.learning->model, outcome.y);
    else
      write_parameters(directory / "weights.csv", outcome.y);
  });
  if (!kept) return 0;
  const auto closing = closing_surface(ex, path, console, ranks);
  if (console.rank != 0) return exit_code(outcome.status);

  write_scene(directory, ex, path, closing);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  replace_file(directory / "run.json", run_json(report(ex, recorder, outcome, seconds, console)));
  if (outcome.status != Status::interrupted) remove_checkpoint(directory);
  if (settings.pictures) postprocess("pictures.py", directory, console);
  summarise(outcome, recorder, directory, console.out);
  if (!outcome.message.empty()) console.err << "thalweg: " << outcome.message << '\n';
  return exit_code(outcome.status);
}

}  // namespace thalweg
