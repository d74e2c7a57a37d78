#include <ostream>

#include "thalweg/core/file.hpp"
#include "thalweg/data/oracle.hpp"
#include "thalweg/output/vtk.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/fields.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"

namespace thalweg {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::pair<std::string, double>> numbers_of(const Dataset& data, const DataSpec& spec) {
  std::vector<std::pair<std::string, double>> numbers{
      {"features", static_cast<double>(data.features())},
      {"classes", data.classes()},
      {"train_samples", static_cast<double>(data.train.size())},
      {"validation_samples", static_cast<double>(data.validation.size())},
      {"test_samples", static_cast<double>(data.test.size())},
      {"noise_nominal", data.noise_nominal},
      {"noise_realised", data.noise_realised}};
  const auto known = oracles(spec);
  numbers.insert(numbers.end(), known.begin(), known.end());
  return numbers;
}

}  // namespace

int data(const Request& request, const Console& console) {
  Settings settings = request.settings;
  resolve(settings, request.given);
  const Dataset set = make_dataset(settings.data);
  const auto directory = choose_directory(settings, "data");
  open_directory(directory);
  replace_file(directory / "run.ini", ini_text(settings));
  write_data(directory / "data.csv", set);
  if (set.features() <= 3)
    vtk::write_points(directory / "data.vtp", positions(set), point_arrays(set), {provenance_json("data"), {}, {}, {}});
  RunReport report{"data", "done", "", numbers_of(set, settings.data), {}, {}, 0, 1, ""};
  replace_file(directory / "run.json", run_json(report));
  for (const auto& [name, value] : report.numbers) console.out << name << ' ' << to_text(value) << '\n';
  console.out << "class_names " << joined(set.class_names) << "\nfeature_names " << joined(set.feature_names) << '\n'
              << (directory / "data.csv").string() << '\n';
  return 0;
}

}  // namespace thalweg
