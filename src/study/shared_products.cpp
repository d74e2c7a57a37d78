#include "thalweg/study/shared_products.hpp"

#include <algorithm>
#include <cstdint>

namespace thalweg {
namespace {

/// Columns that share a primal pass: more would save a tenth of a product, fewer would lose a sixth of one.
constexpr Index block = 4;

/// The first column of `rank`, whole blocks to each.
Index first_of(Index columns, int rank, int ranks) {
  const Index blocks = (columns + block - 1) / block;
  return std::min(columns, block * (blocks * rank / ranks));
}

void multiply_in_blocks(const SymmetricMap& map, const Matrix& x, Matrix& ax) {
  ax.resize(x.rows(), x.cols());
  Matrix image;
  for (Index first = 0; first < x.cols(); first += block) {
    const Index columns = std::min(block, x.cols() - first);
    map.apply(x.middleCols(first, columns), image);
    ax.middleCols(first, columns) = image;
  }
}

}  // namespace

/// Which map is asked for how many columns; none: that was all.
struct SharedProducts::Order {
  std::int64_t map = 0, columns = 0;
};

SharedProducts::SharedProducts(std::vector<SymmetricMap> maps, MPI_Comm ranks) : maps_(std::move(maps)), ranks_(ranks) {
  MPI_Comm_rank(ranks_, &rank_);
  MPI_Comm_size(ranks_, &count_);
}

SharedProducts::~SharedProducts() {
  Order done;
  if (rank_ == 0) MPI_Bcast(&done, sizeof done, MPI_BYTE, 0, ranks_);
}

SymmetricMap SharedProducts::map(std::size_t which) {
  return {maps_[which].size, [this, which](const Matrix& x, Matrix& ax) {
            // One block is one rank's; the others need not hear of it.
            if (count_ == 1 || x.cols() <= block) return multiply_in_blocks(maps_[which], x, ax);
            Order order{static_cast<std::int64_t>(which), x.cols()};
            MPI_Bcast(&order, sizeof order, MPI_BYTE, 0, ranks_);
            multiply(order, x, ax);
          }};
}

void SharedProducts::serve() {
  const Matrix none;
  Matrix unused;
  for (;;) {
    Order order;
    MPI_Bcast(&order, sizeof order, MPI_BYTE, 0, ranks_);
    if (order.columns == 0) return;
    multiply(order, none, unused);
  }
}

/// Collective; x and ax are rank 0's.
void SharedProducts::multiply(const Order& order, const Matrix& x, Matrix& ax) {
  const SymmetricMap& map = maps_[static_cast<std::size_t>(order.map)];
  std::vector<int> columns, first;
  for (int r = 0; r < count_; ++r) {
    first.push_back(static_cast<int>(first_of(order.columns, r, count_)));
    columns.push_back(static_cast<int>(first_of(order.columns, r + 1, count_)) - first.back());
  }
  // Counted in columns: a count of numbers would not fit into an int.
  MPI_Datatype column;
  MPI_Type_contiguous(static_cast<int>(map.size), MPI_DOUBLE, &column);
  MPI_Type_commit(&column);
  const int mine = columns[static_cast<std::size_t>(rank_)];
  Matrix part(map.size, mine), image;
  if (rank_ == 0) ax.resize(map.size, order.columns);
  MPI_Scatterv(x.data(), columns.data(), first.data(), column, part.data(), mine, column, 0, ranks_);
  try {
    multiply_in_blocks(map, part, image);
  } catch (...) {
    MPI_Abort(ranks_, 4);
  }
  MPI_Gatherv(image.data(), mine, column, ax.data(), columns.data(), first.data(), column, 0, ranks_);
  MPI_Type_free(&column);
}

}  // namespace thalweg
