#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "thalweg/data/dataset.hpp"
#include "thalweg/energy/functional.hpp"
#include "thalweg/model/mlp.hpp"

namespace thalweg {

/// D(theta) = mean over points x of |grad_x f(x; theta)|^2, summed over the logits: the Dirichlet energy of the learned
/// function. The derivatives along the d inputs go through the network beside its values, so that D costs 1 + d losses
/// and its gradient and product 1 + d of theirs. Model and points must outlive it.
class Dirichlet final : public Functional {
 public:
  /// `points`: N x inputs, N > 0. `sampled`: they are the training samples, and a batch picks from them; otherwise
  /// every call takes them all.
  Dirichlet(const Mlp& model, const Matrix& points, bool sampled);

  Index size() const override { return model_.size(); }
  Index samples() const override { return sampled_ ? points_.rows() : 0; }
  double value(In theta, Batch batch) const override;
  double gradient(In theta, Batch batch, Out g) const override;
  void hvp(In theta, Batch batch, In w, Out hw) const override;

 private:
  template <class Visit>
  double mean(In theta, Batch batch, int derivatives, Visit visit) const;
  double count(Batch batch) const;

  const Mlp& model_;
  const Matrix& points_;
  bool sampled_;
};

/// Where the Dirichlet energy is measured.
struct Collocation {
  std::string_view name, what;
  bool sampled;  // the training points; a batch picks from them
};
std::span<const Collocation> collocations();

/// `count` independent uniform points in the data's domain, a pure function of the seed.
Matrix uniform_points(const Dataset& data, Index count, std::uint64_t seed);

}  // namespace thalweg
