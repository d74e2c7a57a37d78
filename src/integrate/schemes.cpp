#include "thalweg/integrate/schemes.hpp"

#include <vector>

#include "thalweg/core/table.hpp"
#include "thalweg/integrate/descent.hpp"

namespace thalweg {
namespace {

std::vector<SchemeRow> joined() {
  std::vector<SchemeRow> all;
  for (const auto& rows : {petsc_schemes(), petsc_second_order_schemes(), descents()})
    all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

}  // namespace

std::span<const SchemeRow> schemes() {
  static const std::vector<SchemeRow> all = joined();
  return all;
}

Scheme make_scheme(std::string_view name, const SchemeSettings& settings) {
  refuse(refused_schemes(), name, "scheme.name");
  const SchemeRow& row = find(schemes(), name, "scheme.name");
  require(settings.step > 0, "scheme.step: " + to_text(settings.step) + " is not positive");
  require(row.adaptive || (!settings.rtol && !settings.atol),
          "scheme.rtol: " + std::string(name) + " has no error estimate to adapt its step by");
  require(!settings.rtol || *settings.rtol >= 0, "scheme.rtol: must not be negative");
  require(!settings.atol || *settings.atol >= 0, "scheme.atol: must not be negative");
  require(settings.theta >= 0 && settings.theta <= 1, "scheme.theta: " + to_text(settings.theta) + " is not in [0, 1]");
  refuse(refused_adaptors(), settings.adapt, "scheme.adapt");
  find(adaptors(), settings.adapt, "scheme.adapt");
  if (row.check) row.check(settings);
  require_descent_options(row, settings);
  return {row, settings};
}

}  // namespace thalweg
