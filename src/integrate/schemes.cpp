#include "thalweg/integrate/schemes.hpp"

#include <stdexcept>
#include <vector>

#include "thalweg/core/table.hpp"
#include "thalweg/integrate/descent.hpp"

namespace thalweg {
namespace {

std::vector<SchemeRow> joined() {
  std::vector<SchemeRow> all;
  for (const auto& rows :
       {petsc_schemes(), petsc_second_order_schemes(),
#ifdef THALWEG_SUNDIALS
        sundials_schemes(),
#endif
        descents(), stabilised_schemes(), exponential_schemes(), energy_stable_schemes(), stochastic_schemes()})
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
  Scheme scheme{row, settings};
  if (!row.fixed && !settings.rtol && !settings.atol) scheme.settings.rtol = default_rtol;
  return scheme;
}

namespace {

void require_noise_taken(const Scheme& scheme, const Flow& flow) {
  if (!flow.noisy() || scheme.row.noisy) return;
  std::string takers;
  for (const SchemeRow& row : schemes())
    if (row.noisy) takers += (takers.empty() ? "" : ", ") + std::string(row.name);
  throw std::invalid_argument("scheme.name: " + std::string(scheme.row.name) +
                              " adds no noise, and flow.diffusion=law is nothing else; take " + takers);
}

}  // namespace

void require_fits(const Scheme& scheme, const Flow& flow) {
  require_noise_taken(scheme, flow);
  require(scheme.row.batches || Batches(scheme.settings.batch, flow.samples()).whole(),
          "scheme.batch: " + std::string(scheme.row.name) +
              " builds on past steps, which saw other batches; take 0, or a one-step scheme such as rk4 or sgd");
}

}  // namespace thalweg
