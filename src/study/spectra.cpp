#include "thalweg/study/spectra.hpp"

#include <cmath>
#include <limits>

#include "thalweg/integrate/sharpness.hpp"

namespace thalweg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

constexpr SpectrumKind rows[] = {
    {"hessian", "the Hessian of the loss L",
     [](const Experiment& ex, In y) { return ex.learning ? hessian(ex.learning->risk, y) : hessian(ex.objective, y); }},
    {"gauss-newton", "its Gauss-Newton part: without the curvature of the network, never indefinite",
     [](const Experiment& ex, In y) {
       require(ex.learning != nullptr,
               "spectrum.matrix: gauss-newton is of a network, not of model.kind=" + ex.settings.model_kind);
       return gauss_newton(ex.learning->risk, y);
     }},
};

}  // namespace

std::span<const SpectrumKind> spectra() { return rows; }

Eigenpairs felt_sharpness(const Experiment& ex, In y, double tolerance, const Matrix& start) {
  // Local entropy averages Hessians by weights that depend on the point: no symmetric problem stands behind it.
  if (!ex.flow.self_adjoint()) return {};
  const FlowSpec& flow = ex.settings.flow;
  const Part part = felt_part(ex.scheme.row.implicit);
  std::optional<MetricMap> metric;
  if (diffuses(flow, "gradient")) metric = sobolev_metric(*ex.lattice, flow.sigma, flow.power);
  // M times minus the Jacobian is the symmetric Hessian of the energy.
  const auto apply = [&ex, &metric, part, at = Vector(y)](const Matrix& x, Matrix& ax) {
    ax.resize(x.rows(), x.cols());
    Vector velocity(x.rows());
    for (Index k = 0; k < x.cols(); ++k) {
      ex.flow.jvp(part, {}, at, x.col(k), velocity);
      if (metric)
        metric->apply(-velocity, ax.col(k));
      else
        ax.col(k) = -velocity;
    }
  };
  EigenSettings settings;
  settings.count = 1;
  settings.tolerance = tolerance;
  return eigenpairs({y.size(), apply}, settings, metric ? &*metric : nullptr, start);
}

StabilityLimit stability_limit(const Scheme& scheme) {
  const SchemeSettings& s = scheme.settings;
  const double limit = scheme.row.limit ? scheme.row.limit(s) : nan;
  // Schemes that add stages as they need them have none.
  return {std::isfinite(limit) ? limit : nan, s.rtol || s.atol ? nan : s.step};
}

std::vector<std::size_t> spread(std::size_t states, int count) {
  std::vector<std::size_t> chosen;
  const auto most = std::min<std::size_t>(states, static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < most; ++i)
    chosen.push_back(most == 1 ? states - 1 : (i * (states - 1) + (most - 1) / 2) / (most - 1));
  return chosen;
}

}  // namespace thalweg
