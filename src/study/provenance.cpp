#include "thalweg/study/provenance.hpp"

#include <cmath>

#include <unistd.h>

#include <petscversion.h>
#include <sqlite3.h>
#include <boost/version.hpp>
#include <nlohmann/json.hpp>

namespace thalweg {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json versions() {
  const auto dotted = [](auto... part) {
    std::string text;
    ((text += (text.empty() ? "" : ".") + std::to_string(part)), ...);
    return text;
  };
  return {{"petsc", dotted(PETSC_VERSION_MAJOR, PETSC_VERSION_MINOR, PETSC_VERSION_SUBMINOR)},
          {"eigen", dotted(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
          {"boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
          {"sqlite", SQLITE_VERSION}};
}

Json provenance(const std::string& command) {
  return {{"program", "thalweg"}, {"version", THALWEG_VERSION},     {"commit", THALWEG_COMMIT},
          {"command", command},   {"compiler", "gcc " __VERSION__}, {"versions", versions()}};
}

Json counters(const Work& w) {
  Json all{{"steps", w.steps},
           {"rejected", w.rejected},
           {"gradients", w.gradients},
           {"products", w.products},
           {"nonlinear_iterations", w.nonlinear_iterations},
           {"linear_iterations", w.linear_iterations},
           {"scheme_seconds", w.seconds}};
  if (w.error) all["global_error_estimate"] = number(*w.error);
  return all;
}

}  // namespace

std::string provenance_json(const std::string& command) { return provenance(command).dump(); }

std::string run_json(const RunReport& report) {
  Json json = provenance(report.command);
  json["status"] = report.status;
  if (!report.message.empty()) json["message"] = report.message;
  for (const auto& [name, value] : report.texts) json[name] = value;
  for (const auto& [name, value] : report.numbers) json["results"][name] = number(value);
  if (report.work) json["counters"] = counters(*report.work);
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  json["host"] = host;
  json["ranks"] = report.ranks;
  json["seconds"] = report.seconds;
  json["petsc_options"] = report.petsc_options;
  return json.dump(2) + "\n";
}

std::string evaluation_json(const RunReport& report) {
  Json json;
  for (const auto& [name, value] : report.numbers) json[name] = number(value);
  for (const auto& [name, value] : report.texts) json[name] = value;
  return json.dump(2) + "\n";
}

}  // namespace thalweg
