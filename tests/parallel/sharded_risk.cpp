// mpirun -n R sharded_risk: every rank must find what one rank finds, and the same bits as the others. Prints what is
// wrong and returns 1.

#include "thalweg/energy/sharded_risk.hpp"

#include <cstring>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "../network.hpp"
#include "thalweg/core/petsc.hpp"

namespace {

using namespace thalweg;

/// What a functional says of a batch, end to end.
Vector everything(const Functional& f, const Vector& theta, Batch batch, const Matrix& w) {
  const Index n = f.size();
  Vector all(2 + 2 * n + w.size());
  Matrix products;
  all[0] = f.value(theta, batch);
  all[1] = f.gradient(theta, batch, all.segment(2, n));
  f.hvp(theta, batch, w.col(0), all.segment(2 + n, n));
  f.hvps(theta, batch, w, products);
  all.tail(w.size()) = products.reshaped();
  return all;
}

/// Whether all ranks hold the bits of rank 0.
bool same_everywhere(const Vector& mine) {
  Vector first = mine;
  MPI_Bcast(first.data(), static_cast<int>(first.size()), MPI_DOUBLE, 0, MPI_COMM_WORLD);
  int same = std::memcmp(first.data(), mine.data(), sizeof(double) * static_cast<std::size_t>(mine.size())) == 0;
  MPI_Allreduce(MPI_IN_PLACE, &same, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  return same != 0;
}

/// Both sums have the same terms in another order: rounding of some hundred terms.
int check(Index samples, std::size_t batch, double weight_decay) {
  const test::Network net({.hidden = {5, 4}, .weight_decay = weight_decay}, 2, samples);
  const ShardedRisk sharded(net.model, net.samples, net.loss, weight_decay, MPI_COMM_WORLD);
  std::vector<std::int32_t> chosen(batch);
  for (std::size_t i = 0; i < batch; ++i)
    chosen[i] = static_cast<std::int32_t>(7 * i % static_cast<std::size_t>(samples));
  const Vector theta = net.model.start(5);
  const Matrix w = test::normals(3 * theta.size(), 6).reshaped(theta.size(), 3);
  const Vector found = everything(sharded, theta, chosen, w), exact = everything(net.risk, theta, chosen, w);
  const bool same = same_everywhere(found);
  const double gap = test::distance(found, exact);
  if (same && gap < 1e-14) return 0;
  std::cerr << samples << " samples, batch " << batch << ": gap " << gap << (same ? "" : ", ranks differ") << '\n';
  return 1;
}

}  // namespace

int main() {
  const petsc::Session session;
  int wrong = 0;
  for (const Index samples : {1, 3, 200})
    for (const std::size_t batch : {0, 1, 5, 32})
      for (const double weight_decay : {0., .1}) wrong += check(samples, batch, weight_decay);
  return wrong == 0 ? 0 : 1;
}
