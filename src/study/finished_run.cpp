#include "thalweg/study/finished_run.hpp"

#include "thalweg/study/weights.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;

std::string input(const std::string& given, const std::string& in_dir, const char* file, const char* key) {
  require(!given.empty() || !in_dir.empty(), std::string(key) + ": name a file, or a finished run by in.dir");
  return fs::absolute(given.empty() ? fs::path(in_dir) / file : fs::path(given)).string();
}

Vector finite_weights(const std::string& file) {
  const Vector theta = read_weights(file).theta;
  require(theta.allFinite(), "evaluate.weights: " + file + " holds weights that are not finite: the run diverged");
  return theta;
}

}  // namespace

void resolve_finished(Settings& s) {
  s.evaluate_weights = input(s.evaluate_weights, s.in_dir, "weights.csv", "evaluate.weights");
  const Weights weights = read_weights(s.evaluate_weights);
  require(weights.widths.empty() != learns(s),
          "evaluate.weights: " + s.evaluate_weights + " does not belong to model.kind=" + s.model_kind);
  if (!learns(s)) return;
  s.evaluate_data = input(s.evaluate_data, s.in_dir, "data.csv", "evaluate.data");
  s.model.hidden.assign(weights.widths.begin() + 1, weights.widths.end() - 1);
  if (s.model.loss == "auto" && weights.widths.back() > 1) s.model.loss = "softmax";
}

void require_inputs_survive(const Settings& s, const fs::path& directory) {
  for (const fs::path file : {s.evaluate_weights, s.evaluate_data})
    require(file.empty() || !fs::exists(directory) || !fs::equivalent(directory, file.parent_path()),
            "out.dir: " + directory.string() + " holds " + file.string() + ", which would be lost");
}

FinishedRun::FinishedRun(const Settings& s)
    : experiment_(learns(s) ? std::make_unique<Experiment>(s, read_data(s.evaluate_data))
                            : std::make_unique<Experiment>(s)),
      theta_(finite_weights(s.evaluate_weights)) {
  require(theta_.size() == experiment().objective.size(), "evaluate.weights: " + std::to_string(theta_.size()) +
                                                              " parameters, but the objective on these data has " +
                                                              std::to_string(experiment().objective.size()));
}

Settings FinishedRun::settings_of(const fs::path& directory) {
  Settings s = read_settings(directory / "run.ini");
  s.in_dir = directory.string();
  resolve_finished(s);
  return s;
}

Trajectory FinishedRun::path(const Console& console) const {
  Trajectory all, finite;
  const Watch watch{experiment().schedule(), all};
  experiment().run({&watch, 1}, console.interrupted);
  if (all.states.empty() || all.states.back() != theta_)
    console.note("the run did not repeat bit for bit: its path ends " + to_text((all.states.back() - theta_).norm()) +
                 " away from its weights");
  for (std::size_t k = 0; k < all.states.size() && all.states[k].allFinite(); ++k) {
    finite.times.push_back(all.times[k]);
    finite.steps.push_back(all.steps[k]);
    finite.states.push_back(std::move(all.states[k]));
  }
  return finite;
}

}  // namespace thalweg
