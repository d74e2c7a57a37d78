#pragma once

#include <vector>

#include "thalweg/energy/risk.hpp"

namespace thalweg {

/// The Hessian of a risk at one point, over all samples. What depends on the point alone is computed once and kept, so
/// that a product costs 1.7 gradients instead of 2.4; its bits are those of Risk::hvp. One thread at a time may use it.
class RiskHessian {
 public:
  /// The risk must outlive it. Takes `bytes` of memory.
  RiskHessian(const Risk& risk, In theta);
  RiskHessian(const RiskHessian&) = delete;
  RiskHessian& operator=(const RiskHessian&) = delete;
  static double bytes(const Risk& risk);

  /// hw <- H w for every column of w (n x k).
  void apply(const Matrix& w, Matrix& hw);

 private:
  struct Block {
    Tape tape;
    Tape::Block logits;
    std::vector<int> labels;
  };

  const Risk& risk_;
  const Vector theta_;
  std::vector<Block> blocks_;
};

}  // namespace thalweg
