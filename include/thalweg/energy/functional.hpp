#pragma once

#include <cstdint>
#include <span>

#include "thalweg/core/core.hpp"

namespace thalweg {

/// The samples that a call averages over: those listed (repeats count twice), or all of them where none is listed.
using Batch = std::span<const std::int32_t>;

/// A function E : R^n -> R with exact derivatives. Functionals without samples ignore the batch.
class Functional {
 public:
  virtual ~Functional() = default;

  virtual Index size() const = 0;
  /// The number of samples behind the mean; 0 where there are none.
  virtual Index samples() const { return 0; }
  /// E(y); y: n.
  virtual double value(In y, Batch batch) const = 0;
  /// g <- grad E(y); returns E(y).
  virtual double gradient(In y, Batch batch, Out g) const = 0;
  /// hw <- (Hessian of E at y) w.
  virtual void hvp(In y, Batch batch, In w, Out hw) const = 0;
  /// hw <- (Hessian of E at y) w for every column of w (n x k); shares what depends on y alone where it can.
  virtual void hvps(In y, Batch batch, const Matrix& w, Matrix& hw) const;
};

/// How far exact derivatives are from fourth-order central differences along w: |difference| / (1 + size).
struct DerivativeGap {
  double gradient;  // grad E(y).w against differences of E
  double product;   // H(y) w against differences of grad E
};

/// Costs four values, four gradients and a product. Gaps of 1e-8 are rounding; 1e-3 is a wrong formula.
DerivativeGap derivative_gap(const Functional& functional, In y, In w);

}  // namespace thalweg
