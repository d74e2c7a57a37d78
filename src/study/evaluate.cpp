#include <ostream>

#include "thalweg/core/file.hpp"
#include "thalweg/core/random.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/experiment.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"
#include "thalweg/study/weights.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;

fs::path input(const std::string& given, const std::string& in_dir, const char* file, const char* key) {
  require(!given.empty() || !in_dir.empty(), std::string(key) + ": name a file, or a finished run by in.dir");
  return given.empty() ? fs::path(in_dir) / file : fs::path(given);
}

Samples join(const Dataset& data) {
  Samples all = data.train;
  for (const Samples* s : {&data.validation, &data.test}) {
    Matrix x(all.x.rows() + s->x.rows(), all.x.cols());
    x << all.x, s->x;
    all.x = std::move(x);
    all.clean.insert(all.clean.end(), s->clean.begin(), s->clean.end());
    all.label.insert(all.label.end(), s->label.begin(), s->label.end());
  }
  return all;
}

Samples chosen_split(const Dataset& data, const std::string& split) {
  if (split == "all") return join(data);
  const Samples& s = split == "train" ? data.train : split == "test" ? data.test : data.validation;
  require(s.size() > 0, "evaluate.split: the data has no sample in " + split);
  return s;
}

double accuracy(const std::vector<int>& predicted, const std::vector<int>& truth) {
  double right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) right += predicted[i] == truth[i];
  return right / static_cast<double>(truth.size());
}

/// What evaluate says about a functional at theta, along a random v.
struct Evaluation {
  Evaluation(const Functional& functional, const Vector& at, std::uint64_t seed)
      : theta(at), g(at.size()), v(at.size()), hv(at.size()) {
    Stream draw(seed, Purpose::probe);
    for (double& entry : v) entry = draw.normal();
    value = functional.gradient(theta, {}, g);
    functional.hvp(theta, {}, v, hv);
    numbers = {{"loss", value}, {"grad_norm", g.norm()}, {"parameters", static_cast<double>(theta.size())}};
  }

  std::string csv() const {
    std::vector<std::vector<double>> rows;
    for (Index i = 0; i < g.size(); ++i) rows.push_back({static_cast<double>(i), theta[i], g[i], v[i], hv[i]});
    return csv_text({"index", "theta", "gradient", "v", "hvp"}, rows);
  }

  const Vector& theta;
  Vector g, v, hv;
  double value;
  std::vector<std::pair<std::string, double>> numbers;
  std::vector<std::pair<std::string, std::string>> texts;
};

Evaluation evaluate_landscape(Settings& settings, const Weights& weights) {
  require(weights.widths.empty(), "evaluate.weights: weights of a network, but model.kind=" + settings.model_kind);
  settings.landscape.dimension = weights.theta.size();
  const Experiment experiment(settings);
  return {experiment.objective, weights.theta, settings.evaluate_seed};
}

Evaluation evaluate_network(Settings& settings, const Weights& weights, const fs::path& data_file) {
  require(!weights.widths.empty(), "evaluate.weights: parameters of a landscape; which one, model.kind has to say");
  const Dataset set = read_data(data_file);
  const Samples samples = chosen_split(set, settings.evaluate_split);
  settings.model.hidden.assign(weights.widths.begin() + 1, weights.widths.end() - 1);
  const Index outputs = weights.widths.back();
  const int classes = std::max(2, static_cast<int>(outputs));
  require(set.classes() <= classes, "evaluate.data: " + std::to_string(set.classes()) +
                                        " classes, but the weights have " + std::to_string(outputs) + " outputs");
  // A single output settles what auto means; with two, only softmax and mse can be meant.
  const Loss& loss = settings.model.loss == "auto" && outputs > 1 ? loss_for("softmax", classes)
                                                                  : loss_for(settings.model.loss, classes);
  settings.model.loss = loss.name;
  const Mlp model(settings.model, weights.widths.front(), outputs);
  const Risk risk(model, samples, loss, settings.model.weight_decay);
  Evaluation result(risk, weights.theta, settings.evaluate_seed);
  const auto predicted = decide(loss, model.predict(weights.theta, samples.x));
  result.numbers.insert(result.numbers.end(), {{"accuracy", accuracy(predicted, samples.clean)},
                                               {"label_accuracy", accuracy(predicted, samples.label)},
                                               {"samples", static_cast<double>(samples.size())}});
  result.texts = {{"loss_name", std::string(loss.name)}, {"split", settings.evaluate_split}};
  return result;
}

}  // namespace

int evaluate(const Request& request, const Console& console) {
  Settings settings = request.settings;
  const auto weights_file = input(settings.evaluate_weights, settings.in_dir, "weights.csv", "evaluate.weights");
  std::vector<fs::path> files{weights_file};
  if (learns(settings)) files.push_back(input(settings.evaluate_data, settings.in_dir, "data.csv", "evaluate.data"));
  const Weights weights = read_weights(weights_file);
  const Evaluation result =
      learns(settings) ? evaluate_network(settings, weights, files[1]) : evaluate_landscape(settings, weights);

  settings.evaluate_weights = fs::absolute(weights_file);
  if (learns(settings)) settings.evaluate_data = fs::absolute(files[1]);
  const auto directory = choose_directory(settings, "evaluate");
  for (const auto& file : files)
    require(!fs::exists(directory) || !fs::equivalent(directory, fs::absolute(file).parent_path()),
            "out.dir: " + directory.string() + " holds " + file.string() + ", which would be lost");
  open_directory(directory);
  replace_file(directory / "run.ini", ini_text(settings));
  replace_file(directory / "evaluate.csv", result.csv());
  const RunReport report{"evaluate", "done", "", result.numbers, result.texts, {}, 0, 1, ""};
  replace_file(directory / "evaluate.json", evaluation_json(report));
  replace_file(directory / "run.json", run_json(report));
  for (const auto& [name, number] : report.numbers) console.out << name << ' ' << to_text(number) << '\n';
  console.out << (directory / "evaluate.csv").string() << '\n';
  return 0;
}

}  // namespace thalweg
