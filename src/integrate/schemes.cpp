#include "thalweg/integrate/schemes.hpp"

#include "thalweg/core/table.hpp"
#include "thalweg/integrate/descent.hpp"
#include "thalweg/integrate/petsc_ts.hpp"

namespace thalweg {
namespace {

/// A factory for a row of the table from a PETSc type and its subtype.
template <const PetscScheme& scheme>
std::unique_ptr<Stepper> petsc(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return petsc_stepper(scheme, flow, settings, y0, horizon);
}

constexpr PetscScheme forward_euler{TSEULER, Part::none, nullptr, false};
constexpr PetscScheme rk4{TSRK, Part::none, [](TS ts) { petsc::check(TSRKSetType(ts, TSRK4)); }, false};
constexpr PetscScheme rk5dp{TSRK, Part::none, [](TS ts) { petsc::check(TSRKSetType(ts, TSRK5DP)); }, true};
constexpr PetscScheme backward_euler{TSBEULER, Part::all, nullptr, false};
constexpr PetscScheme crank_nicolson{TSCN, Part::all, nullptr, false};
constexpr PetscScheme bdf2{TSBDF, Part::all, [](TS ts) { petsc::check(TSBDFSetOrder(ts, 2)); }, false};
constexpr PetscScheme arkimex3{TSARKIMEX, Part::stiff, [](TS ts) { petsc::check(TSARKIMEXSetType(ts, TSARKIMEX3)); },
                               false};

constexpr SchemeRow rows[] = {
    {"forward-euler", "explicit Euler (TSEULER)", 1, Part::none, false, true, "", petsc<forward_euler>},
    {"rk4", "classical Runge-Kutta (TSRK 4)", 4, Part::none, false, true, "", petsc<rk4>},
    {"rk5dp", "Dormand-Prince 5(4) (TSRK 5dp)", 5, Part::none, true, true, "", petsc<rk5dp>},
    {"backward-euler", "implicit Euler (TSBEULER)", 1, Part::all, false, true, "", petsc<backward_euler>},
    {"crank-nicolson", "trapezoidal rule (TSCN)", 2, Part::all, false, true, "", petsc<crank_nicolson>},
    {"bdf2", "two-step backward differentiation (TSBDF 2)", 2, Part::all, true, true, "", petsc<bdf2>},
    {"arkimex3", "additive Runge-Kutta, stiff part implicit (TSARKIMEX 3)", 3, Part::stiff, true, true, "",
     petsc<arkimex3>},
    {"sgd", "theta - eta g, batch gradients", 1, Part::none, false, false, "", explicit_descent},
    {"momentum", "heavy ball: u <- beta u - eta g, theta + u", 0, Part::none, false, false, "", heavy_ball_descent},
    {"diffusion-sgd", "solve (I + eta nu K) theta+ = theta - eta g", 1, Part::stiff, false, false, "weights",
     semi_implicit_descent},
    {"laplacian-sgd", "theta - eta (I + sigma K)^-m g", 1, Part::none, false, false, "gradient", explicit_descent},
};

}  // namespace

std::span<const SchemeRow> schemes() { return rows; }

Scheme make_scheme(std::string_view name, const SchemeSettings& settings) {
  const SchemeRow& row = find(schemes(), name, "scheme.name");
  require(settings.step > 0, "scheme.step: " + to_text(settings.step) + " is not positive");
  require(row.adaptive || (!settings.rtol && !settings.atol),
          "scheme.rtol: " + std::string(name) + " has no error estimate to adapt its step by");
  require(!settings.rtol || *settings.rtol >= 0, "scheme.rtol: must not be negative");
  require(!settings.atol || *settings.atol >= 0, "scheme.atol: must not be negative");
  return {row, settings};
}

}  // namespace thalweg
