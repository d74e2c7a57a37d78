#include <cmath>
#include <limits>

#include "stability.hpp"
#include "thalweg/integrate/petsc_ts.hpp"

namespace thalweg {
namespace {

using petsc::check;

/// A word in a template argument.
template <std::size_t size>
struct Word {
  constexpr Word(const char (&word)[size]) { std::copy_n(word, size, text); }
  char text[size];
};

/// A factory for a row of the table from a PETSc type and its subtype.
template <const PetscScheme& scheme>
std::unique_ptr<Stepper> make(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return petsc_stepper(scheme, flow, settings, y0, horizon);
}

constexpr bool adaptive = true, fixed = false;

constexpr PetscScheme forward_euler{.type = TSEULER};

template <Word word>
constexpr PetscScheme runge_kutta{.type = TSRK,
                                  .choose = [](TS ts, const SchemeSettings&) { check(TSRKSetType(ts, word.text)); }};

template <Word word>
double tableau_limit(const SchemeSettings&) {
  static const double limit = real_stability_limit([c = stability_polynomial(word.text)](double x) {
    double r = 0;
    for (auto k = c.rbegin(); k != c.rend(); ++k) r = *k - x * r;
    return r;
  });
  return limit;
}

template <Word word>
constexpr SchemeRow rk(std::string_view name, int order, bool adapts, std::string_view what) {
  return {.name = name,
          .family = "Runge-Kutta",
          .what = what,
          .order = order,
          .adaptive = adapts,
          .make = make<runge_kutta<word>>,
          .limit = tableau_limit<word>};
}

template <Word word>
constexpr PetscScheme strong_stability{.type = TSSSP, .choose = [](TS ts, const SchemeSettings& settings) {
                                         check(TSSSPSetType(ts, word.text));
                                         if (settings.stages) check(TSSSPSetNumStages(ts, *settings.stages));
                                       }};

template <Word word>
constexpr SchemeRow ssp(std::string_view name, int order, void (*check_stages)(const SchemeSettings&),
                        std::string_view what) {
  return {.name = name,
          .family = "SSP",
          .what = what,
          .order = order,
          .make = make<strong_stability<word>>,
          .check = check_stages,
          .limit = [](const SchemeSettings& s) { return one_step_limit(make<strong_stability<word>>, s); }};
}

void require_stages(const SchemeSettings& settings, bool holds, const std::string& which) {
  require(!settings.stages || holds,
          "scheme.stages: " + std::to_string(settings.stages.value_or(0)) + " is not " + which);
}

constexpr PetscScheme theta_method{
    .type = TSTHETA,
    .implicit = Part::all,
    .choose = [](TS ts, const SchemeSettings& settings) { check(TSThetaSetTheta(ts, settings.theta)); },
    .blind_start = true};
constexpr PetscScheme backward_euler{.type = TSBEULER, .implicit = Part::all, .blind_start = true};
constexpr PetscScheme crank_nicolson{.type = TSCN, .implicit = Part::all, .blind_start = true};

/// At theta = 0 nothing is left to solve, and TSTHETA would divide by it.
std::unique_ptr<Stepper> make_theta(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return petsc_stepper(settings.theta == 0 ? forward_euler : theta_method, flow, settings, y0, horizon);
}

/// |1 - (1 - theta) z| < |1 + theta z|.
double theta_limit(const SchemeSettings& settings) {
  return settings.theta < .5 ? 2 / (1 - 2 * settings.theta) : std::numeric_limits<double>::infinity();
}

template <Word word, Part part>
constexpr PetscScheme additive{.type = TSARKIMEX, .implicit = part, .choose = [](TS ts, const SchemeSettings&) {
                                 check(TSARKIMEXSetType(ts, word.text));
                                 check(TSARKIMEXSetFullyImplicit(ts, part == Part::all ? PETSC_TRUE : PETSC_FALSE));
                               }};

template <Word word, Part part>
constexpr SchemeRow arkimex(std::string_view name, int order, bool adapts, std::string_view what) {
  return {.name = name,
          .family = "ARKIMEX",
          .what = what,
          .order = order,
          .implicit = part,
          .adaptive = adapts,
          .make = make<additive<word, part>>};
}

/// The formula of order k needs k - 1 states of that order behind it: ARKIMEX 5, stable for any step, makes them.
template <int order>
constexpr PetscScheme backward_differences{
    .type = TSBDF,
    .implicit = Part::all,
    .choose = [](TS ts, const SchemeSettings&) { check(TSBDFSetOrder(ts, order)); },
    .starter = order > 2 ? &additive<"5", Part::all> : nullptr,
    .starts = order - 1};

template <int order>
constexpr SchemeRow bdf(std::string_view name, std::string_view what) {
  return {.name = name,
          .family = "BDF",
          .what = what,
          .order = order,
          .implicit = Part::all,
          .adaptive = true,
          .batches = false,
          .make = make<backward_differences<order>>};
}

template <Word word>
constexpr PetscScheme rosenbrock{.type = TSROSW,
                                 .implicit = Part::all,
                                 .choose = [](TS ts, const SchemeSettings&) { check(TSRosWSetType(ts, word.text)); },
                                 .linear = true};

template <Word word>
constexpr SchemeRow rosw(std::string_view name, int order, bool adapts, std::string_view what) {
  return {.name = name,
          .family = "Rosenbrock-W",
          .what = what,
          .order = order,
          .implicit = Part::all,
          .adaptive = adapts,
          .make = make<rosenbrock<word>>};
}

constexpr PetscScheme alpha{.type = TSALPHA,
                            .implicit = Part::all,
                            .choose = [](TS ts, const SchemeSettings&) { check(TSAlphaSetRadius(ts, 1)); },
                            .rigid_start = true};

template <Word word>
constexpr PetscScheme with_error{.type = TSGLEE,
                                 .choose = [](TS ts, const SchemeSettings&) { check(TSGLEESetType(ts, word.text)); },
                                 .global_error = true};

template <Word word>
constexpr SchemeRow glee(std::string_view name, int order, std::string_view what) {
  return {.name = name,
          .family = "GLEE",
          .what = what,
          .order = order,
          .make = make<with_error<word>>,
          .limit = [](const SchemeSettings& s) { return with_error_limit(make<with_error<word>>, s); }};
}

constexpr SchemeRow rows[] = {
    {.name = "forward-euler",
     .family = "Runge-Kutta",
     .what = "explicit Euler",
     .order = 1,
     .make = make<forward_euler>,
     .limit = tableau_limit<"1fe">},
    rk<"2a">("rk2a", 2, adaptive, "Heun's second-order method (improved Euler)"),
    rk<"2b">("rk2b", 2, fixed, "Ralston's second-order method"),
    rk<"3">("rk3", 3, fixed, "third order in three stages"),
    rk<"3bs">("rk3bs", 3, adaptive, "Bogacki-Shampine 3(2)"),
    rk<"4">("rk4", 4, fixed, "classical Runge-Kutta"),
    rk<"5f">("rk5f", 5, adaptive, "Fehlberg 5(4)"),
    rk<"5dp">("rk5dp", 5, adaptive, "Dormand-Prince 5(4)"),
    rk<"5bs">("rk5bs", 5, adaptive, "Bogacki-Shampine 5(4)"),
    rk<"6vr">("rk6vr", 6, adaptive, "Verner 6(5)"),
    rk<"7vr">("rk7vr", 7, adaptive, "Verner 7(6)"),
    rk<"8vr">("rk8vr", 8, adaptive, "Verner 8(7)"),
    ssp<"rks2">(
        "ssp-rks2", 2, [](const SchemeSettings& s) { require_stages(s, s.stages >= 2, "at least 2"); },
        "optimal second order in any number of stages (Ketcheson 2008), 5 where not given"),
    ssp<"rks3">(
        "ssp-rks3", 3,
        [](const SchemeSettings& s) {
          const double root = std::round(std::sqrt(s.stages.value_or(9)));
          require_stages(s, root >= 2 && root * root == s.stages, "a square from 4 on");
        },
        "optimal third order in a square number of stages, 9 where not given"),
    ssp<"rk104">(
        "ssp-rk104", 4, [](const SchemeSettings& s) { require_stages(s, s.stages == 10, "10"); },
        "optimal fourth order in ten stages"),
    {.name = "theta",
     .family = "theta",
     .what = "y + h v((1 - theta) y + theta y+): forward Euler at scheme.theta = 0, midpoint rule at 1/2, where "
             "alone it is of order 2, backward Euler at 1",
     .order = 2,
     .implicit = Part::all,
     .adaptive = true,
     .make = make_theta,
     .limit = theta_limit},
    {.name = "backward-euler",
     .family = "theta",
     .what = "implicit Euler",
     .order = 1,
     .implicit = Part::all,
     .adaptive = true,
     .make = make<backward_euler>},
    {.name = "crank-nicolson",
     .family = "theta",
     .what = "trapezoidal rule",
     .order = 2,
     .implicit = Part::all,
     .adaptive = true,
     .make = make<crank_nicolson>},
    bdf<1>("bdf1", "backward Euler with the error estimate of the family"),
    bdf<2>("bdf2", "two-step backward differentiation"),
    bdf<3>("bdf3", "three-step backward differentiation"),
    bdf<4>("bdf4", "four-step backward differentiation"),
    bdf<5>("bdf5", "five-step backward differentiation"),
    bdf<6>("bdf6", "six-step backward differentiation"),
    arkimex<"1bee", Part::stiff>("arkimex1bee", 1, adaptive,
                                 "backward and forward Euler; extrapolation estimates its error"),
    arkimex<"a2", Part::stiff>("arkimex-a2", 2, adaptive, "A-stable implicit part"),
    arkimex<"l2", Part::stiff>("arkimex-l2", 2, adaptive, "L-stable implicit part (Pareschi-Russo 2005)"),
    arkimex<"ars122", Part::stiff>("arkimex-ars122", 2, adaptive, "Ascher-Ruuth-Spiteri (1,2,2)"),
    arkimex<"2c", Part::stiff>("arkimex2c", 2, adaptive, "L-stable, explicit part of largest real stability"),
    arkimex<"2d", Part::stiff>("arkimex2d", 2, adaptive, "L-stable, two implicit stages"),
    arkimex<"2e", Part::stiff>("arkimex2e", 2, adaptive, "L-stable, optimal explicit part"),
    arkimex<"prssp2", Part::stiff>("arkimex-prssp2", 2, fixed, "SSP2(3,3,2) of Pareschi-Russo 2005"),
    arkimex<"3", Part::stiff>("arkimex3", 3, adaptive, "Kennedy-Carpenter ARK3(2)4L[2]SA"),
    arkimex<"ars443", Part::stiff>("arkimex-ars443", 3, fixed, "Ascher-Ruuth-Spiteri (4,4,3)"),
    arkimex<"4", Part::stiff>("arkimex4", 4, adaptive, "Kennedy-Carpenter ARK4(3)6L[2]SA"),
    arkimex<"5", Part::stiff>("arkimex5", 5, adaptive, "Kennedy-Carpenter ARK5(4)8L[2]SA"),
    arkimex<"1bee", Part::all>("arkimex1bee-implicit", 1, adaptive, "the same, all implicit"),
    arkimex<"a2", Part::all>("arkimex-a2-implicit", 2, adaptive, "the same, all implicit: trapezoidal rule"),
    arkimex<"l2", Part::all>("arkimex-l2-implicit", 2, adaptive, "the same, all implicit"),
    arkimex<"ars122", Part::all>("arkimex-ars122-implicit", 2, adaptive, "the same, all implicit: midpoint rule"),
    arkimex<"2c", Part::all>("arkimex2c-implicit", 2, adaptive, "the same, all implicit"),
    arkimex<"2d", Part::all>("arkimex2d-implicit", 2, adaptive, "the same, all implicit"),
    arkimex<"2e", Part::all>("arkimex2e-implicit", 2, adaptive, "the same, all implicit"),
    arkimex<"prssp2", Part::all>("arkimex-prssp2-implicit", 2, fixed, "the same, all implicit"),
    arkimex<"3", Part::all>("arkimex3-implicit", 3, adaptive, "the same, all implicit (ESDIRK)"),
    arkimex<"bpr3", Part::all>("arkimex-bpr3-implicit", 3, fixed, "Boscarino-Pareschi-Russo, all implicit"),
    arkimex<"ars443", Part::all>("arkimex-ars443-implicit", 3, fixed, "the same, all implicit"),
    arkimex<"4", Part::all>("arkimex4-implicit", 4, adaptive, "the same, all implicit (ESDIRK)"),
    arkimex<"5", Part::all>("arkimex5-implicit", 5, adaptive, "the same, all implicit (ESDIRK)"),
    rosw<"theta1">("rosw-theta1", 1, fixed, "linearly implicit Euler"),
    rosw<"theta2">("rosw-theta2", 2, fixed, "linearly implicit midpoint rule"),
    rosw<"2m">("rosw2m", 2, adaptive, "two stages, L-stable, gamma = 1 - 1/sqrt(2)"),
    rosw<"2p">("rosw2p", 2, adaptive, "two stages, L-stable, gamma = 1 + 1/sqrt(2)"),
    rosw<"ra3pw">("rosw-ra3pw", 3, fixed, "Rang-Angermann 2005, three stages"),
    rosw<"ra34pw2">("rosw-ra34pw2", 3, adaptive, "Rang-Angermann 2005, four stages, L-stable"),
    rosw<"rodas3">("rosw-rodas3", 3, adaptive, "Sandu et al. 1997, stiffly accurate"),
    rosw<"sandu3">("rosw-sandu3", 3, adaptive, "Sandu et al. 1997, three stages"),
    rosw<"assp3p3s1c">("rosw-assp3p3s1c", 3, adaptive, "A-stable, strong-stability-preserving explicit part"),
    rosw<"grk4t">("rosw-grk4t", 4, adaptive, "Kaps-Rentrop 1979"),
    rosw<"shamp4">("rosw-shamp4", 4, adaptive, "Shampine 1982"),
    rosw<"veldd4">("rosw-veldd4", 4, adaptive, "van Veldhuizen 1984"),
    rosw<"4l">("rosw4l", 4, adaptive, "four stages, L-stable"),
    {.name = "alpha",
     .family = "generalised-alpha",
     .what = "Jansen-Whiting-Hulbert 2000 without numerical damping",
     .order = 2,
     .implicit = Part::all,
     .adaptive = true,
     .batches = false,
     .make = make<alpha>},
    glee<"23">("glee23", 2, "three stages, with an estimate of its global error (Constantinescu 2016)"),
    glee<"24">("glee24", 2, "four stages, the same"),
    glee<"35">("glee35", 3, "five stages, the same"),
    glee<"exrk2a">("glee-exrk2a", 2, "six stages, the same"),
    glee<"rk32g1">("glee-rk32g1", 3, "eight stages, the same"),
    glee<"rk285ex">("glee-rk285ex", 2, "nine stages, the same"),
};

constexpr Adaptor adaptor_rows[] = {
    {"basic", "step x (tolerance / error)^(1/order)"},
    {"dsp", "digital filter of the last errors (Soderlind 2003)"},
};

}  // namespace

std::span<const SchemeRow> petsc_schemes() { return rows; }
std::span<const Adaptor> adaptors() { return adaptor_rows; }

}  // namespace thalweg
