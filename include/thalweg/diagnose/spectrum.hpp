#pragma once

#include <cstdint>

#include "thalweg/diagnose/symmetric_map.hpp"

namespace thalweg {

enum class SpectrumEnd { top, bottom };

struct EigenSettings {
  int count = 5;  // wanted pairs, at least 1, at most the size
  SpectrumEnd end = SpectrumEnd::top;
  double tolerance = 1e-8;  // of the residual, in units of the largest |lambda| met at this end or of `scale`
  double scale = 0;         // a lower bound of the largest |lambda| that is known already
  std::uint64_t seed = 0;   // of the start
};

/// Eigenpairs A v = lambda M v, v'Mv = 1, outermost first.
struct Eigenpairs {
  Vector values;
  Matrix vectors;    // n x k
  Vector residuals;  // |A v - lambda M v|, from a product of their own
  std::int64_t products = 0;
  bool complete = true;  // all wanted pairs met the tolerance; otherwise those that did are here
};

/// The outermost pairs by Krylov-Schur iteration (Stewart 2001; SLEPc), multiplicities included: a last, coarse
/// iteration orthogonal to what was found asks whether an equal or a larger one was missed, as a single start vector
/// does with repeated eigenvalues. Small matrices are solved densely. The iteration starts from the columns of `start`
/// and a random thousandth, so that the pairs of a nearby matrix serve; without columns from random. Throws
/// std::invalid_argument on a count out of range.
Eigenpairs eigenpairs(const SymmetricMap& a, const EigenSettings& settings, const MetricMap* metric = nullptr,
                      const Matrix& start = {});

}  // namespace thalweg
