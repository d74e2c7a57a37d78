#pragma once

#include <cstddef>
#include <vector>

#include <mpi.h>

#include "thalweg/diagnose/symmetric_map.hpp"

namespace thalweg {

/// Products of symmetric maps, their columns handed to MPI ranks: rank 0 asks, the others serve. The columns are cut
/// into blocks that do not depend on the number of ranks, and with them the bits.
class SharedProducts {
 public:
  /// Collective: the same maps on every rank. A product that throws ends all ranks, for the others wait for it.
  explicit SharedProducts(std::vector<SymmetricMap> maps, MPI_Comm ranks = MPI_COMM_WORLD);
  /// On rank 0: dismisses the others.
  ~SharedProducts();
  SharedProducts(const SharedProducts&) = delete;
  SharedProducts& operator=(const SharedProducts&) = delete;

  /// On rank 0: a map whose products all ranks share in; this must outlive it.
  SymmetricMap map(std::size_t which);
  /// On the others: multiplies until rank 0 is done.
  void serve();

 private:
  struct Order;

  void multiply(const Order& order, const Matrix& x, Matrix& ax);

  std::vector<SymmetricMap> maps_;
  MPI_Comm ranks_;
  int rank_ = 0, count_ = 1;
};

}  // namespace thalweg
