#include "thalweg/energy/sharded_risk.hpp"

#include <vector>

namespace thalweg {
namespace {

/// The first of n items that belong to `rank` of `ranks`.
Index first_of(Index n, int rank, int ranks) { return n * rank / ranks; }

Samples slice(const Samples& all, Index first, Index end) {
  Samples part;
  part.x = all.x.middleRows(first, end - first);
  part.label.assign(all.label.begin() + first, all.label.begin() + end);
  part.clean.assign(all.clean.begin() + first, all.clean.begin() + end);
  part.fragment.assign(all.fragment.begin() + first, all.fragment.begin() + end);
  return part;
}

int rank_in(MPI_Comm ranks) {
  int rank = 0;
  MPI_Comm_rank(ranks, &rank);
  return rank;
}

int size_of(MPI_Comm ranks) {
  int size = 1;
  MPI_Comm_size(ranks, &size);
  return size;
}

}  // namespace

ShardedRisk::ShardedRisk(const Mlp& model, const Samples& samples, const Loss& loss, double weight_decay,
                         MPI_Comm ranks)
    : ranks_(ranks),
      rank_(rank_in(ranks)),
      count_(size_of(ranks)),
      weight_decay_(weight_decay),
      own_samples_(
          slice(samples, first_of(samples.size(), rank_, count_), first_of(samples.size(), rank_ + 1, count_))),
      all_(model, samples, loss) {
  if (own_samples_.size() > 0) own_.emplace(model, own_samples_, loss);
}

ShardedRisk::Share ShardedRisk::share(Batch batch) const {
  if (batch.empty())
    return {own_ ? &*own_ : nullptr, {}, static_cast<double>(own_samples_.size()) / static_cast<double>(samples())};
  const auto n = static_cast<Index>(batch.size());
  const Index first = first_of(n, rank_, count_), end = first_of(n, rank_ + 1, count_);
  const Batch own = batch.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first));
  return {own.empty() ? nullptr : &all_, own, static_cast<double>(own.size()) / static_cast<double>(n)};
}

/// Sums over the ranks. One rank adds and hands out, for only then does the standard promise all ranks the same bits.
void ShardedRisk::add_up(double* values, Index count) const {
  const auto n = static_cast<int>(count);
  MPI_Reduce(rank_ == 0 ? MPI_IN_PLACE : values, values, n, MPI_DOUBLE, MPI_SUM, 0, ranks_);
  MPI_Bcast(values, n, MPI_DOUBLE, 0, ranks_);
}

/// (lambda/2)|theta|^2, summed in an order that no address changes.
double ShardedRisk::decay(In theta) const {
  double sum = 0;
  for (const double t : theta) sum += t * t;
  return weight_decay_ / 2 * sum;
}

double ShardedRisk::value(In theta, Batch batch) const {
  const Share s = share(batch);
  double value = s.risk ? s.weight * s.risk->value(theta, s.batch) : 0;
  add_up(&value, 1);
  return value + decay(theta);
}

double ShardedRisk::gradient(In theta, Batch batch, Out g) const {
  const Share s = share(batch);
  g.setZero();
  double value = s.risk ? s.weight * s.risk->gradient(theta, s.batch, g) : 0;
  // The value travels with the gradient: each message costs as much as many numbers.
  thread_local Vector sums;
  sums.resize(g.size() + 1);
  sums.head(g.size()) = s.weight * g;
  sums[g.size()] = value;
  add_up(sums.data(), sums.size());
  value = sums[g.size()];
  g = sums.head(g.size()) + weight_decay_ * theta;
  return value + decay(theta);
}

void ShardedRisk::hvp(In theta, Batch batch, In w, Out hw) const {
  const Share s = share(batch);
  hw.setZero();
  if (s.risk) s.risk->hvp(theta, s.batch, w, hw);
  hw *= s.weight;
  add_up(hw.data(), hw.size());
  hw += weight_decay_ * w;
}

void ShardedRisk::hvps(In theta, Batch batch, const Matrix& w, Matrix& hw) const {
  const Share s = share(batch);
  hw.setZero(w.rows(), w.cols());
  if (s.risk) s.risk->hvps(theta, s.batch, w, hw);
  hw *= s.weight;
  for (Index k = 0; k < hw.cols(); ++k) add_up(hw.col(k).data(), hw.rows());
  hw += weight_decay_ * w;
}

}  // namespace thalweg
