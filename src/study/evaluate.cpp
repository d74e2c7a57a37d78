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

}  // namespace

int evaluate(const Request& request, const Console& console) {
  Settings settings = request.settings;
  const auto weights_file = input(settings.evaluate_weights, settings.in_dir, "weights.csv", "evaluate.weights");
  const auto data_file = input(settings.evaluate_data, settings.in_dir, "data.csv", "evaluate.data");
  const Weights weights = read_weights(weights_file);
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
  Stream draw(settings.evaluate_seed, Purpose::probe);
  const Vector v = Vector::NullaryExpr(model.size(), [&draw](Index) { return draw.normal(); });
  Vector g(model.size()), hv(model.size());
  const double value = risk.gradient(weights.theta, {}, g);
  risk.hvp(weights.theta, {}, v, hv);
  const auto predicted = decide(loss, model.predict(weights.theta, samples.x));

  settings.evaluate_weights = fs::absolute(weights_file);
  settings.evaluate_data = fs::absolute(data_file);
  const auto directory = choose_directory(settings, "evaluate");
  for (const auto& file : {weights_file, data_file})
    require(!fs::exists(directory) || !fs::equivalent(directory, fs::absolute(file).parent_path()),
            "out.dir: " + directory.string() + " holds " + file.string() + ", which would be lost");
  open_directory(directory);
  replace_file(directory / "run.ini", ini_text(settings));
  std::vector<std::vector<double>> rows;
  for (Index i = 0; i < g.size(); ++i) rows.push_back({static_cast<double>(i), weights.theta[i], g[i], v[i], hv[i]});
  replace_file(directory / "evaluate.csv", csv_text({"index", "theta", "gradient", "v", "hvp"}, rows));
  RunReport report{
      "evaluate", "done", "", {}, {{"loss_name", std::string(loss.name)}, {"split", settings.evaluate_split}},
      {},         0,      1,  ""};
  report.numbers = {{"loss", value},
                    {"accuracy", accuracy(predicted, samples.clean)},
                    {"label_accuracy", accuracy(predicted, samples.label)},
                    {"grad_norm", g.norm()},
                    {"samples", static_cast<double>(samples.size())},
                    {"parameters", static_cast<double>(model.size())}};
  replace_file(directory / "evaluate.json", evaluation_json(report));
  replace_file(directory / "run.json", run_json(report));
  for (const auto& [name, number] : report.numbers) console.out << name << ' ' << to_text(number) << '\n';
  console.out << (directory / "evaluate.csv").string() << '\n';
  return 0;
}

}  // namespace thalweg
