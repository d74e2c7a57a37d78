#pragma once

#include <cstdint>

#include "thalweg/diagnose/symmetric_map.hpp"

namespace thalweg {

/// An estimate and its standard error. The error is widened by Student's t for the number of probes behind it, so that
/// value +- 2 error covers 95.4 % however few there are.
struct TraceEstimate {
  double value, error;
  std::int64_t products;
};

/// tr A as the mean of z'Az over `probes` vectors z of random signs (Hutchinson 1990); error O(|A|_F / sqrt(probes)).
/// Throws std::invalid_argument below two probes.
TraceEstimate hutchinson(const SymmetricMap& a, int probes, std::uint64_t seed);

/// Hutch++ (Meyer, Musco, Musco, Woodruff 2021) with `probes` products: a third of them finds the range Q of a sketch,
/// a third its exact trace tr Q'AQ, and the rest estimates what is orthogonal to it. Error O(tr |A| / probes).
/// Throws std::invalid_argument below six probes.
TraceEstimate hutch_plus_plus(const SymmetricMap& a, int probes, std::uint64_t seed);

}  // namespace thalweg
