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
    {.name = "forward-euler",
     .family = "Runge-Kutta",
     .what = "explicit Euler (TSEULER)",
     .order = 1,
     .make = petsc<forward_euler>},
    {.name = "rk4", .family = "Runge-Kutta", .what = "classical Runge-Kutta (TSRK 4)", .order = 4, .make = petsc<rk4>},
    {.name = "rk5dp",
     .family = "Runge-Kutta",
     .what = "Dormand-Prince 5(4) (TSRK 5dp)",
     .order = 5,
     .adaptive = true,
     .make = petsc<rk5dp>},
    {.name = "backward-euler",
     .family = "theta",
     .what = "implicit Euler (TSBEULER)",
     .order = 1,
     .implicit = Part::all,
     .make = petsc<backward_euler>},
    {.name = "crank-nicolson",
     .family = "theta",
     .what = "trapezoidal rule (TSCN)",
     .order = 2,
     .implicit = Part::all,
     .make = petsc<crank_nicolson>},
    {.name = "bdf2",
     .family = "BDF",
     .what = "two-step backward differentiation (TSBDF 2)",
     .order = 2,
     .implicit = Part::all,
     .adaptive = true,
     .make = petsc<bdf2>},
    {.name = "arkimex3",
     .family = "ARKIMEX",
     .what = "additive Runge-Kutta, stiff part implicit (TSARKIMEX 3)",
     .order = 3,
     .implicit = Part::stiff,
     .adaptive = true,
     .make = petsc<arkimex3>},
};

}  // namespace

std::span<const SchemeRow> petsc_schemes() { return rows; }

}  // namespace thalweg
