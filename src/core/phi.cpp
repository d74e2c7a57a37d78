#include "thalweg/core/phi.hpp"

#include <cmath>

namespace thalweg {
namespace {

/// 1/k!.
double first_term(int k) { return 1 / std::tgamma(k + 1); }

/// The series, for |z| <= 2: terms below 1e-17 of the sum from 2^24/24! on.
double series(int k, double z) {
  double sum = 0;
  for (int j = 24; j >= 0; --j) sum = sum * z / (j + k + 1) + 1;
  return sum * first_term(k);
}

}  // namespace

/// Each division of the recurrence magnifies rounding by 1/(z phi), so that it serves away from zero only; Kassam and
/// Trefethen 2005 integrate around it instead.
double phi(int k, double z) {
  if (k == 0) return std::exp(z);
  if (k == 1) return z == 0 ? 1 : std::expm1(z) / z;
  if (std::abs(z) <= 2) return series(k, z);
  return (phi(k - 1, z) - first_term(k - 1)) / z;
}

}  // namespace thalweg
