#pragma once

#include <optional>

#include <mpi.h>

#include "thalweg/energy/risk.hpp"

namespace thalweg {

/// The empirical risk with its samples dealt to the ranks of a communicator: every rank knows all parameters, sees its
/// share of each batch, and receives the sum. The ranks' results are the same to the last bit, so that they stay in
/// step; they differ from those of another number of ranks by rounding. Every call is collective, and model, samples
/// and communicator must outlive it.
class ShardedRisk final : public Functional {
 public:
  /// `samples`: all of them, on every rank.
  ShardedRisk(const Mlp& model, const Samples& samples, const Loss& loss, double weight_decay, MPI_Comm ranks);

  Index size() const override { return all_.size(); }
  Index samples() const override { return all_.samples(); }
  double value(In theta, Batch batch) const override;
  double gradient(In theta, Batch batch, Out g) const override;
  void hvp(In theta, Batch batch, In w, Out hw) const override;
  void hvps(In theta, Batch batch, const Matrix& w, Matrix& hw) const override;

 private:
  /// What this rank contributes: a mean over `batch` of `risk`, which counts `weight`; nothing where risk is null.
  struct Share {
    const Risk* risk;
    Batch batch;
    double weight;
  };
  Share share(Batch batch) const;
  void add_up(double* values, Index count) const;
  double decay(In theta) const;

  MPI_Comm ranks_;
  int rank_ = 0, count_ = 1;
  double weight_decay_;
  Samples own_samples_;
  Risk all_;                 // for listed samples
  std::optional<Risk> own_;  // for all of them; nothing where there are more ranks than samples
};

}  // namespace thalweg
