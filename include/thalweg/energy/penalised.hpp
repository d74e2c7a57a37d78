#pragma once

#include "thalweg/energy/functional.hpp"

namespace thalweg {

/// L + c R. A batch picks the samples of both. L and R must outlive it.
class Penalised final : public Functional {
 public:
  /// c: `weight`. Throws std::invalid_argument where L and R differ in size.
  Penalised(const Functional& objective, double weight, const Functional& penalty);

  Index size() const override { return objective_.size(); }
  Index samples() const override { return objective_.samples(); }
  double value(In y, Batch batch) const override;
  double gradient(In y, Batch batch, Out g) const override;
  void hvp(In y, Batch batch, In w, Out hw) const override;

 private:
  const Functional& objective_;
  double weight_;
  const Functional& penalty_;
};

}  // namespace thalweg
