#include <algorithm>
#include <ostream>

#include "thalweg/core/file.hpp"
#include "thalweg/core/petsc.hpp"
#include "thalweg/integrate/petsc_ts.hpp"
#include "thalweg/study/claims.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/crew.hpp"
#include "thalweg/study/design.hpp"
#include "thalweg/study/effects.hpp"
#include "thalweg/study/fields.hpp"
#include "thalweg/study/postprocess.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"
#include "thalweg/study/run_table.hpp"
#include "thalweg/study/study_run.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Builds the first seed of every cell with every step it may try, so that a bad level is a sentence before anything is
/// written.
void check_design(const Design& design) {
  const auto cells = design.size() / static_cast<std::int64_t>(design.axes().back().levels.size());
  std::vector<std::string> asked;
  for (std::int64_t run = 0; run < cells; ++run) {
    for (const double factor : step_factors(design, run)) {
      const auto experiment = make_experiment(design, run, factor);
      require(design.level(run, "matching") != "tuned" || validates(*experiment),
              "study.matching: tuned chooses by the validation accuracy, which needs validation samples and the probe "
              "validation_accuracy");
      for (auto& name : read_options(experiment->scheme, experiment->dynamics)) asked.push_back(std::move(name));
    }
  }
  require_options_used(asked);
}

/// The study on this rank. Rank 0 owns the table and the directory; the others only run.
class Study {
 public:
  Study(const Settings& settings, const Console& console) : settings_(settings), console_(console), design_(settings) {
    check_design(design_);
  }

  int run() {
    if (prepare_together() != 0) return console_.rank == 0 ? failed_ : 0;
    Crew crew(static_cast<std::int64_t>(pending_.size()), [this](const std::string& bytes) { keep(unpacked(bytes)); });
    together(console_, [&] { work(crew); });
    return console_.rank == 0 ? conclude() : 0;
  }

 private:
  void work(Crew& crew) {
    CrewWatch watch(crew);
    while (!console_.interrupted || !console_.interrupted()) {
      const auto task = crew.next();
      if (!task) break;
      RunRow row = run_or_fail(design_, pending_[static_cast<std::size_t>(*task)], settings_.study.curves,
                               console_.interrupted, console_.ranks > 1 ? &watch : nullptr);
      // An interrupted run is no result: it starts afresh when the study resumes.
      if (row.status != "interrupted") crew.send(packed(row));
      crew.poll();
    }
    crew.finish();
  }

  /// Collective. Rank 0 prepares; all learn whether it could and which runs are left.
  int prepare_together() {
    std::exception_ptr problem;
    if (console_.rank == 0) {
      try {
        prepare();
      } catch (...) {
        problem = std::current_exception();
        failed_ = 1;
      }
    }
    MPI_Bcast(&failed_, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (problem) std::rethrow_exception(problem);
    if (failed_ != 0) return failed_;
    std::int64_t count = static_cast<std::int64_t>(pending_.size());
    MPI_Bcast(&count, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
    pending_.resize(static_cast<std::size_t>(count));
    MPI_Bcast(pending_.data(), static_cast<int>(count), MPI_INT64_T, 0, MPI_COMM_WORLD);
    return failed_;
  }

  void prepare() {
    Settings own = settings_;
    if (own.out_dir.empty()) own.out_dir = "results/study";
    directory_ = own.out_dir;
    // Opened before anything is written: a bad one is misuse.
    std::vector<RunTable> shards;
    for (const fs::path shard : settings_.study.merge) shards.push_back(shard_table(shard));
    if (own.overwrite || !fs::exists(directory_ / "study.sqlite")) open_directory(choose_directory(own, "study"));
    table_.emplace(directory_ / "study.sqlite", identity(), table_columns());
    for (const RunTable& shard : shards) table_->merge(shard);
    // Behind the table, by which a study is known to be resumable: one killed between the two can go on.
    replace_file(directory_ / "run.ini", ini_text(settings_));
    const auto done = table_->finished();
    const auto [part, parts] = shard();
    for (std::int64_t r = part; r < design_.size(); r += parts)
      if (!done.contains(r)) pending_.push_back(r);
    size_ = (design_.size() - part + parts - 1) / parts;
    announce(size_ - static_cast<std::int64_t>(pending_.size()));
    progress_.emplace(console_, "study", static_cast<double>(size_));
  }

  /// What makes it this study, whichever part of it is at work.
  std::string identity() const {
    Settings all = settings_;
    all.study.shard.clear();
    all.study.merge.clear();
    return ini_text(all);
  }

  /// The first run of this part and the number of parts.
  std::pair<std::int64_t, std::int64_t> shard() const {
    const std::string& text = settings_.study.shard;
    if (text.empty()) return {0, 1};
    return {std::stoll(text) - 1, std::stoll(text.substr(text.find('/') + 1))};
  }

  RunTable shard_table(const fs::path& directory) const {
    require(fs::exists(directory / "study.sqlite"), "study.merge: " + directory.string() + " holds no study.sqlite");
    std::error_code absent;
    require(!fs::equivalent(directory, directory_, absent),
            "study.merge: " + directory.string() + " is out.dir itself");
    try {
      return {directory / "study.sqlite", identity(), table_columns()};
    } catch (const std::invalid_argument&) {
      throw std::invalid_argument("study.merge: " + directory.string() + " holds a study of another design");
    }
  }

  /// How often a run is solved.
  double solves(std::int64_t run) const {
    return design_.level(run, "matching") == "tuned" ? static_cast<double>(settings_.study.tuning.size()) : 1;
  }

  /// Times one run to say how long the rest will take.
  void announce(std::int64_t done) {
    std::string text = std::to_string(size_) + " runs";
    if (done > 0) text += ", " + std::to_string(done) + " of them finished before";
    if (!pending_.empty() && console_.notes) {
      const double each = run_or_fail(design_, pending_.front(), false, console_.interrupted, nullptr).seconds;
      double all = 0;
      for (const std::int64_t run : pending_) all += solves(run);
      text += ", about " + duration_text(each * all / solves(pending_.front()) / console_.ranks) + " on " +
              std::to_string(console_.ranks) + (console_.ranks == 1 ? " process" : " processes");
    }
    console_.note(text);
  }

  void keep(const RunRow& row) {
    table_->add(row);
    ++kept_;
    progress_->at(static_cast<double>(size_ - static_cast<std::int64_t>(pending_.size() - kept_)));
  }

  /// The first cell's run of every method at the first seed once more, at the step that the table has, for ParaView:
  /// runs keep no states.
  void write_scenes(std::span<const RunRow> rows) const {
    const auto& methods = design_.axes()[design_.axes().size() - 2].levels;
    for (std::size_t m = 0; m < methods.size(); ++m) {
      const auto run = static_cast<std::int64_t>(m);
      const auto row = std::ranges::find(rows, run, &RunRow::run);
      const auto experiment = make_experiment(design_, run, row == rows.end() ? 1 : step_factor(design_, *row));
      Trajectory path;
      const Watch watch{experiment->schedule(), path};
      experiment->run({&watch, 1}, console_.interrupted);
      write_scene(directory_ / "paraview" / methods[m], *experiment, path,
                  closing_surface(*experiment, path, console_));
    }
  }

  int conclude() {
    progress_.reset();
    std::vector<RunRow> rows;
    table_->each(false, [&](const RunRow& row) { rows.push_back(row); });
    replace_file(directory_ / "runs.csv", runs_csv(design_, rows));
    replace_file(directory_ / "effects.csv", effects_csv(design_, settings_.study.baseline, rows));
    replace_file(directory_ / "shares.csv", shares_csv(design_, rows));
    const auto answers = claims(design_, settings_.study.baseline, rows);
    replace_file(directory_ / "claims.csv", claims_csv(answers));
    if (settings_.study.curves)
      replace_file(directory_ / "curves.csv", [&](std::ostream& out) {
        out << curves_header();
        table_->each(true, [&](const RunRow& row) { out << curve_lines(row); });
      });
    const auto left = pending_.size() - kept_;
    const auto bad = std::count_if(rows.begin(), rows.end(), [](const RunRow& r) {
      return r.status == name(Status::diverged) || r.status == name(Status::failed);
    });
    RunReport report{"study",        left > 0 ? "interrupted" : "done", "", {}, {}, {}, seconds_since(start_),
                     console_.ranks, petsc::options_in_force()};
    report.numbers = {{"runs", static_cast<double>(rows.size())}, {"diverged", static_cast<double>(bad)}};
    replace_file(directory_ / "run.json", run_json(report));
    if (settings_.pictures) {
      write_scenes(rows);
      postprocess("report.py", directory_, console_);
    }
    for (const Claim& claim : answers) console_.out << claim.question << '\n' << "  " << claim.answer << '\n';
    console_.out << rows.size() << " of " << design_.size() << " runs finished, " << bad << " diverged or gave up\n"
                 << "results in " << directory_.string() << '\n';
    if (fs::exists(directory_ / "report.html"))
      console_.out << "report      " << (directory_ / "report.html").string() << '\n';
    if (fs::exists(directory_ / "paraview"))
      console_.out << "in ParaView paraview --state="
                   << (directory_ / "paraview" / settings_.study.baseline / "view.py").string() << '\n';
    return left > 0 ? 130 : bad > 0 ? 3 : 0;
  }

  const Settings& settings_;
  const Console& console_;
  const Design design_;
  const Clock::time_point start_ = Clock::now();
  int failed_ = 0;
  fs::path directory_;
  std::optional<RunTable> table_;
  std::vector<std::int64_t> pending_;
  std::optional<Progress> progress_;
  std::int64_t size_ = 0;  // of this part
  std::size_t kept_ = 0;
};

}  // namespace

int study(const Request& request, const Console& console) { return Study(request.settings, console).run(); }

}  // namespace thalweg
