#include "petsc_refusals.hpp"

#include <petscsys.h>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg {
namespace {

#ifdef THALWEG_SUNDIALS
constexpr std::string_view stiff_multistep = "cvode-bdf";
#else
constexpr std::string_view stiff_multistep = "bdf5";
#endif

constexpr Refusal schemes_rows[] = {
    {"arkimex-bpr3", "is of order 1 where the diffusion alone is implicit", "arkimex3 or arkimex-bpr3-implicit"},
    {"rosw-ark3", "loses its order or diverges on training flows", "rosw-ra34pw2"},
    {"rosw-lassp3p4s2c", "loses its order or diverges on training flows", "rosw-ra34pw2"},
    {"rosw-llssp3p4s2c", "loses its order or diverges on training flows", "rosw-ra34pw2"},
    {"glee-be1", "does not move from its start and says nothing", "backward-euler"},
    {"glee25i", "is unstable at steps where the other pairs are not", "glee24"},
    {"eimex", "gains nothing over ARKIMEX and steps past the end of the run", "arkimex4"},
    {"mprk", "gains nothing over Runge-Kutta here and steps past the end of the run", "rk3bs"},
    {"discgrad", "conserves no energy as PETSc sets it up, which is the midpoint rule", "discrete-gradient"},
    {"glle", "ends in values that are no numbers", "arkimex4-implicit"},
    {"irk", "needs an assembled Hessian", "arkimex5-implicit"},
    {"mimex", "crashes without a stiff part of its own kind", "arkimex3"},
    {"pseudo", "takes ever longer steps and jumps between basins", "backward-euler"},
    {"radau5", "is not in this build of PETSc", stiff_multistep},
    {"sundials", "is not in this build of PETSc", stiff_multistep},
};

constexpr Refusal adaptor_rows[] = {
    {"none", "is what a scheme does without tolerances", "no scheme.rtol and no scheme.atol"},
    {"cfl", "needs a bound of the step that training flows have none of", "basic"},
    {"glee", "shortens steps for an error that is made already, without end", "basic"},
    {"history", "replays the steps of another run", "basic"},
};

/// Options by which a scheme would silently be another one or wrong; `value` empty: whatever it is.
struct RefusedOption {
  const char* name;
  std::string_view value, why, instead;
};

constexpr std::string_view behind = "would change the scheme behind its name";
constexpr std::string_view has_key = "has a key, which the run is recorded with";

constexpr RefusedOption options[] = {
    {"-ts_type", "", behind, "scheme.name"},
    {"-ts_rk_type", "", behind, "scheme.name"},
    {"-ts_ssp_type", "", behind, "scheme.name"},
    {"-ts_bdf_order", "", behind, "scheme.name"},
    {"-ts_arkimex_type", "", behind, "scheme.name"},
    {"-ts_arkimex_fully_implicit", "", "would solve for half of the flow and drop the other", "an -implicit scheme"},
    {"-ts_rosw_type", "", behind, "scheme.name"},
    {"-ts_rosw_recompute_jacobian", "", "takes the order from a Rosenbrock scheme", "an arkimex or bdf scheme"},
    {"-ts_glee_type", "", behind, "scheme.name"},
    {"-ts_basicsymplectic_type", "", behind, "scheme.name"},
    {"-ts_theta_theta", "", behind, "scheme.theta"},
    {"-ts_theta_endpoint", "", behind, "scheme.name=crank-nicolson"},
    {"-ts_ssp_nstages", "", behind, "scheme.stages"},
    {"-ts_alpha_radius", "", "starts at order 1 below radius 1", "bdf2 or arkimex-l2-implicit for damping"},
    {"-ts_alpha_alpha_m", "", "starts at order 1 below radius 1", "bdf2 or arkimex-l2-implicit for damping"},
    {"-ts_alpha_alpha_f", "", "starts at order 1 below radius 1", "bdf2 or arkimex-l2-implicit for damping"},
    {"-ts_alpha_gamma", "", "starts at order 1 below radius 1", "bdf2 or arkimex-l2-implicit for damping"},
    {"-ts_alpha_beta", "", "starts at order 1 below radius 1", "bdf2 or arkimex-l2-implicit for damping"},
    {"-ts_discgrad_gonzalez", "", "belongs to a scheme that conserves nothing here", "scheme.name=discrete-gradient"},
    {"-ts_dt", "", has_key, "scheme.step"},
    {"-ts_rtol", "", has_key, "scheme.rtol"},
    {"-ts_atol", "", has_key, "scheme.atol"},
    {"-ts_adapt_type", "", has_key, "scheme.adapt"},
    {"-ts_max_time", "", has_key, "stop.time"},
    {"-ts_final_time", "", has_key, "stop.time"},
    {"-ts_max_steps", "", has_key, "stop.steps"},
    {"-ts_init_time", "", "would shift the time that is recorded", "stop.time"},
    {"-ts_time_span", "", "would change the steps", "record.count"},
    {"-ts_exact_final_time", "", "would end the run beside stop.time", "the default"},
    {"-ts_adapt_wnormtype", "2",
     "dilutes one stiff direction among many parameters: 24 % of error at a tolerance of "
     "1e-3 were measured",
     "infinity, the default"},
    {"-ts_adapt_always_accept", "", "takes steps whose error is too large", "a looser scheme.rtol"},
    {"-ts_adapt_dt_min", "", "takes shortest steps whatever their error", "a looser scheme.rtol"},
    {"-snes_lag_jacobian", "-1", "keeps the Jacobian of another step",
     "-snes_lag_preconditioner -2 -snes_lag_preconditioner_persists"},
    {"-snes_lag_jacobian", "-2", "keeps the Jacobian of another step",
     "-snes_lag_preconditioner -2 -snes_lag_preconditioner_persists"},
    {"-snes_lag_jacobian_persists", "", "keeps the Jacobian of another step",
     "-snes_lag_preconditioner -2 -snes_lag_preconditioner_persists"},
    {"-snes_fd", "", "takes a gradient a parameter where one product is exact", "the default"},
    {"-snes_mf", "", "takes differences where products are exact", "the default"},
    {"-snes_mf_operator", "", "takes differences where products are exact", "the default"},
    {"-ksp_type", "preonly", "leaves the linear system unsolved", "cg or gmres"},
    {"-ksp_convergence_test", "skip", "takes every answer of the linear solver", "-ksp_rtol"},
    {"-ksp_norm_type", "none", "takes every answer of the linear solver", "-ksp_rtol"},
};

}  // namespace

std::span<const Refusal> refused_schemes() { return schemes_rows; }
std::span<const Refusal> refused_adaptors() { return adaptor_rows; }

void require_sound_options() {
  for (const RefusedOption& option : options) {
    char value[256] = "";
    PetscBool given = PETSC_FALSE;
    petsc::check(PetscOptionsGetString(nullptr, nullptr, option.name, value, sizeof value, &given));
    const bool refused = given && (option.value.empty() || option.value == value);
    require(!refused, "PETSc option " + std::string(option.name) + (*value ? " " : "") + value + " " +
                          std::string(option.why) + "; take " + std::string(option.instead));
  }
}

}  // namespace thalweg
