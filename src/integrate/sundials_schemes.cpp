#include "stability.hpp"
#include "sundials_arkode.hpp"
#include "sundials_cvode.hpp"

namespace thalweg {
namespace {

using sundials::Multistep;
using sundials::Tableaus;

template <Multistep method>
std::unique_ptr<Stepper> cvode(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return sundials::cvode_stepper(method, flow, settings, y0, horizon);
}

template <ARKODE_DIRKTableID implicit, ARKODE_ERKTableID explicit_>
std::unique_ptr<Stepper> arkode(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return sundials::arkode_stepper({implicit, explicit_}, flow, settings, y0, horizon);
}

template <ARKODE_ERKTableID table>
constexpr SchemeRow explicit_row(std::string_view name, int order, std::string_view what) {
  return {.name = name,
          .family = "ARKODE",
          .what = what,
          .order = order,
          .adaptive = true,
          .make = arkode<ARKODE_DIRK_NONE, table>,
          .limit = [](const SchemeSettings& s) { return one_step_limit(arkode<ARKODE_DIRK_NONE, table>, s); }};
}

template <ARKODE_DIRKTableID table>
constexpr SchemeRow implicit_row(std::string_view name, int order, std::string_view what) {
  return {.name = name,
          .family = "ARKODE",
          .what = what,
          .order = order,
          .implicit = Part::all,
          .adaptive = true,
          .make = arkode<table, ARKODE_ERK_NONE>};
}

template <ARKODE_DIRKTableID implicit, ARKODE_ERKTableID explicit_>
constexpr SchemeRow additive_row(std::string_view name, int order, std::string_view what) {
  return {.name = name,
          .family = "ARKODE",
          .what = what,
          .order = order,
          .implicit = Part::stiff,
          .adaptive = true,
          .make = arkode<implicit, explicit_>};
}

constexpr SchemeRow rows[] = {
    {.name = "cvode-adams",
     .family = "CVODE",
     .what = "Adams-Moulton of orders 1 to 12 by functional iteration, step and order by the tolerance",
     .order = 0,
     .adaptive = true,
     .fixed = false,
     .batches = false,
     .make = cvode<Multistep::adams>},
    {.name = "cvode-bdf",
     .family = "CVODE",
     .what = "backward differentiation of orders 1 to 5, step and order by the tolerance",
     .order = 0,
     .implicit = Part::all,
     .adaptive = true,
     .fixed = false,
     .batches = false,
     .make = cvode<Multistep::bdf>},
    explicit_row<ARKODE_HEUN_EULER_2_1_2>("ark-erk2", 2, "Heun-Euler 2(1)"),
    explicit_row<ARKODE_BOGACKI_SHAMPINE_4_2_3>("ark-erk3", 3, "Bogacki-Shampine 3(2)"),
    explicit_row<ARKODE_ZONNEVELD_5_3_4>("ark-erk4", 4, "Zonneveld 4(3)"),
    explicit_row<ARKODE_CASH_KARP_6_4_5>("ark-erk5", 5, "Cash-Karp 5(4)"),
    explicit_row<ARKODE_VERNER_8_5_6>("ark-erk6", 6, "Verner 6(5)"),
    explicit_row<ARKODE_FEHLBERG_13_7_8>("ark-erk8", 8, "Fehlberg 8(7)"),
    implicit_row<ARKODE_SDIRK_2_1_2>("ark-sdirk2", 2, "SDIRK 2(1), A-stable"),
    implicit_row<ARKODE_TRBDF2_3_3_2>("ark-trbdf2", 2, "TR-BDF2 2(3), L-stable"),
    implicit_row<ARKODE_KVAERNO_4_2_3>("ark-kvaerno3", 3, "ESDIRK 3(2) of Kvaerno 2004, L-stable"),
    implicit_row<ARKODE_SDIRK_5_3_4>("ark-sdirk4", 4, "SDIRK 4(3) of Hairer-Wanner, L-stable"),
    implicit_row<ARKODE_ESDIRK436L2SA_6_3_4>("ark-esdirk4", 4, "ESDIRK4(3)6L[2]SA of Kennedy-Carpenter 2016"),
    implicit_row<ARKODE_KVAERNO_7_4_5>("ark-kvaerno5", 5, "ESDIRK 5(4) of Kvaerno 2004, L-stable"),
    additive_row<ARKODE_ARK324L2SA_DIRK_4_2_3, ARKODE_ARK324L2SA_ERK_4_2_3>("ark-imex3", 3, "ARK3(2)4L[2]SA"),
    additive_row<ARKODE_ARK437L2SA_DIRK_7_3_4, ARKODE_ARK437L2SA_ERK_7_3_4>("ark-imex4", 4, "ARK4(3)7L[2]SA"),
    additive_row<ARKODE_ARK548L2SAb_DIRK_8_4_5, ARKODE_ARK548L2SAb_ERK_8_4_5>("ark-imex5", 5, "ARK5(4)8L[2]SAb"),
};

}  // namespace

std::span<const SchemeRow> sundials_schemes() { return rows; }

}  // namespace thalweg
