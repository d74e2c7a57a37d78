#pragma once

#include <limits>
#include <span>

#include "thalweg/core/core.hpp"

namespace thalweg {

/// error = constant h^order over the asymptotic range, with a two-sided 95 % interval of the order.
struct OrderFit {
  double order, low, high;  // nan below two points; the interval is nan below three
  double constant;
  int points = 0;
  double finest, coarsest;  // the range of h
};

/// What of a ladder of errors can be used.
struct Asymptotics {
  double floor = 0;                                          // errors at or below are rounding or the reference's own
  double ceiling = std::numeric_limits<double>::infinity();  // errors at or above are no longer small
};

/// Least squares of ln error against ln h. The range is found: of the points between floor and ceiling as many as, from
/// the smallest h on, one line misses by no more than a tenth and two standard errors; at least three. A fine end whose
/// errors fall slower than h^(1/2) is left out. Interval: Student's t with points - 2 degrees of freedom. `h`, `error`
/// and, where errors are sampled, their standard errors `spread` have the same size, in any order; what is not finite
/// is left out.
OrderFit fit_order(std::span<const double> h, std::span<const double> error, const Asymptotics& range = {},
                   std::span<const double> spread = {});

}  // namespace thalweg
