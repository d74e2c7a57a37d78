#include <algorithm>
#include <cmath>
#include <ostream>

#include "thalweg/core/file.hpp"
#include "thalweg/core/petsc.hpp"
#include "thalweg/integrate/petsc_ts.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/comparison.hpp"
#include "thalweg/study/crew.hpp"
#include "thalweg/study/postprocess.hpp"
#include "thalweg/study/precision_files.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"
#include "thalweg/study/stable_step.hpp"
#include "thalweg/study/study_run.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// What one rank does at a time with one scheme.
struct Task {
  enum Kind { steps, tolerances, stability } kind;
  const SchemeRow* row;
};

/// The longest ones first, so that no rank begins them last: the ladders of high order end early.
std::vector<Task> tasks_of(const std::vector<const SchemeRow*>& rows, bool stability) {
  std::vector<Task> tasks;
  for (const SchemeRow* row : rows)
    if (row->fixed) tasks.push_back({Task::steps, row});
  for (const SchemeRow* row : rows)
    if (row->adaptive) tasks.push_back({Task::tolerances, row});
  for (const SchemeRow* row : rows)
    if (stability && row->fixed) tasks.push_back({Task::stability, row});
  return tasks;
}

RunRow to_row(std::int64_t task, const Precision& p) {
  return {task,
          p.status,
          p.reason,
          {p.dial, p.errors.theta, p.errors.energy, p.errors.output, static_cast<double>(p.work.steps),
           static_cast<double>(p.work.rejected), static_cast<double>(p.work.gradients),
           static_cast<double>(p.work.products), static_cast<double>(p.work.nonlinear_iterations),
           static_cast<double>(p.work.linear_iterations), static_cast<double>(p.energy_rises), p.estimate},
          p.seconds,
          {}};
}

Precision to_point(const Task& task, const RunRow& row) {
  const auto& m = row.measures;
  const auto count = [&m](std::size_t i) { return static_cast<std::int64_t>(m[i]); };
  Precision p{std::string(task.row->name),
              task.kind == Task::tolerances,
              m[0],
              row.status,
              row.reason,
              {m[1], m[2], m[3]},
              m[11],
              {},
              0,
              row.seconds};
  p.work.steps = count(4);
  p.work.rejected = count(5);
  p.work.gradients = count(6);
  p.work.products = count(7);
  p.work.nonlinear_iterations = count(8);
  p.work.linear_iterations = count(9);
  p.energy_rises = count(10);
  return p;
}

/// The comparison on this rank. Rank 0 collects and writes; all solve the reference and then what they are handed.
class Schemes {
 public:
  Schemes(const Settings& settings, const Console& console)
      : console_(console), experiment_(settings), rows_(compared_schemes(experiment_)) {
    check();
    directory_ = choose_directory(settings, "schemes");
    comparison_.emplace(experiment_, console.interrupted);
    tasks_ = tasks_of(rows_, settings.schemes.stability && comparison_->last_sharpness() > 0);
  }

  int run() {
    if (interrupted()) return 130;
    const Reference& reference = comparison_->reference();
    if (!reference.reached()) {
      if (console_.rank == 0)
        console_.err << "thalweg: the reference " << comparison_->reference_scheme().row.name
                     << " gave up: " << name(reference.outcome().status) << " " << reference.outcome().message
                     << "; name another by schemes.reference or loosen schemes.reference_tolerance\n";
      return 3;
    }
    if (console_.rank == 0) announce();
    work();
    return console_.rank == 0 ? conclude() : 0;
  }

 private:
  bool interrupted() const { return console_.interrupted && console_.interrupted(); }

  void check() const {
    const Settings& s = experiment_.settings;
    require(s.stepping.batch.size == 0, "scheme.batch: schemes are compared on the flow of the whole set, batch 0");
    require(!s.flow.gamma, "flow.gamma: schemes are compared on the flow of first order; leave it out");
    require(!experiment_.flow.noisy(), "schemes are compared on flows without noise");
    std::vector<std::string> asked;
    for (const SchemeRow* row : rows_)
      for (auto& name : read_options(some_scheme(*row, experiment_.settings), experiment_.flow))
        asked.push_back(std::move(name));
    require_options_used(asked);
  }

  void announce() {
    const Reference& reference = comparison_->reference();
    const Errors& error = comparison_->reference_error();
    console_.note("reference " + std::string(comparison_->reference_scheme().row.name) + " in " +
                  std::to_string(reference.outcome().end.step) + " steps, " +
                  duration_text(reference.outcome().work.seconds) + "; it is " + to_text(error.theta) +
                  " from itself at twice the step");
    double seconds = 0;
    for (const Task& task : tasks_)
      seconds += task.kind == Task::stability
                     ? stability_steps(*task.row) * comparison_->seconds_a_step(*task.row, false)
                     : comparison_->expected_seconds(*task.row, task.kind == Task::tolerances);
    console_.note(std::to_string(rows_.size()) + " schemes, about " + duration_text(seconds / console_.ranks) + " on " +
                  std::to_string(console_.ranks) + (console_.ranks == 1 ? " process" : " processes"));
    progress_.emplace(console_, "schemes", static_cast<double>(tasks_.size()));
  }

  void work() {
    Crew crew(static_cast<std::int64_t>(tasks_.size()), [this](const std::string& bytes) { keep(unpacked(bytes)); });
    together(console_, [&] {
      while (!interrupted()) {
        const auto number = crew.next();
        if (!number) break;
        solve(*number, crew);
        crew.poll();
      }
    });
    crew.finish();
    progress_.reset();
  }

  void solve(std::int64_t number, Crew& crew) const {
    const Task& task = tasks_[static_cast<std::size_t>(number)];
    if (task.kind == Task::stability) {
      // Modes that grow by themselves say nothing of a scheme; without them the fastest decay is so much faster.
      const Vector& end = comparison_->reference().last();
      const double growth = growth_rate(experiment_.flow, end), sharp = comparison_->last_sharpness();
      const Linearisation linear(experiment_.flow, end, growth);
      const Scheme scheme{*task.row, comparison_->settings_at(false, 1)};
      const double step = largest_stable_step(linear, scheme, sharp + growth) * (sharp + growth) / sharp;
      crew.send(packed({number, "", "", {step}, 0, {}}));
      return;
    }
    comparison_->measure_ladder(*task.row, task.kind == Task::tolerances, console_.interrupted,
                                [&](const Precision& point) { crew.send(packed(to_row(number, point))); });
    crew.send(packed({number, "done", "", {}, 0, {}}));
  }

  void keep(const RunRow& row) {
    const Task& task = tasks_[static_cast<std::size_t>(row.run)];
    if (row.measures.size() > 1) {
      points_[row.run].push_back(to_point(task, row));
      return;
    }
    if (task.kind == Task::stability) stable_steps_[task.row->name] = row.measures[0];
    progress_->at(static_cast<double>(++finished_));
  }

  int conclude() {
    std::vector<Precision> points;
    for (const auto& [task, ladder] : points_) points.insert(points.end(), ladder.begin(), ladder.end());
    const auto orders = orders_of(*comparison_, rows_, points, stable_steps_);
    const Settings& s = experiment_.settings;
    open_directory(directory_);
    replace_file(directory_ / "run.ini", ini_text(s));
    replace_file(directory_ / "precision.csv", precision_csv(points));
    replace_file(directory_ / "orders.csv", orders_csv(orders));
    write_precision_table(directory_ / "precision.vtt", points);
    RunReport report{"schemes",
                     interrupted() ? "interrupted" : "done",
                     "",
                     {},
                     {},
                     {},
                     seconds(),
                     console_.ranks,
                     petsc::options_in_force()};
    const Errors& error = comparison_->reference_error();
    report.texts = {{"reference", std::string(comparison_->reference_scheme().row.name)}};
    report.numbers = {{"points", static_cast<double>(points.size())},
                      {"reference_tolerance", *comparison_->reference_scheme().settings.rtol},
                      {"reference_error_theta", error.theta},
                      {"reference_error_energy", error.energy},
                      {"reference_error_output", error.output},
                      {"sharpness", comparison_->sharpness()},
                      {"last_sharpness", comparison_->last_sharpness()}};
    replace_file(directory_ / "run.json", run_json(report));
    if (s.pictures) postprocess("precision.py", directory_, console_);
    console_.out << cheapest_sentence(points, s.schemes.accuracies) << '\n';
    console_.out << "results in " << directory_.string() << '\n';
    if (fs::exists(directory_ / "report.html"))
      console_.out << "report      " << (directory_ / "report.html").string() << '\n';
    return interrupted() ? 130 : 0;
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  const Console& console_;
  const Experiment experiment_;
  const std::vector<const SchemeRow*> rows_;
  const Clock::time_point start_ = Clock::now();
  fs::path directory_;
  std::optional<Comparison> comparison_;
  std::vector<Task> tasks_;
  std::map<std::int64_t, std::vector<Precision>> points_;
  std::map<std::string_view, double> stable_steps_;
  std::optional<Progress> progress_;
  std::size_t finished_ = 0;
};

}  // namespace

int compare_schemes(const Request& request, const Console& console) {
  Settings settings = request.settings;
  require(settings.scheme == Settings().scheme, "scheme.name: " + settings.scheme + " follows schemes.names");
  resolve(settings, request.given);
  return Schemes(settings, console).run();
}

}  // namespace thalweg
