// mpirun -n R shared_surface: every rank must find the bits that it finds alone, and have had its part of the nodes.
// Prints what is wrong and returns 1.

#include <algorithm>
#include <cstring>
#include <iostream>
#include <limits>

#include "../network.hpp"
#include "thalweg/core/petsc.hpp"
#include "thalweg/diagnose/surface.hpp"

namespace {

using namespace thalweg;

/// A risk that counts its values; beyond the centre's first coordinate it is not a number.
class Counted final : public Functional {
 public:
  explicit Counted(const Functional& f, double end) : f_(f), end_(end) {}
  Index size() const override { return f_.size(); }
  double value(In y, Batch batch) const override {
    ++calls;
    return y[0] > end_ ? std::numeric_limits<double>::quiet_NaN() : f_.value(y, batch);
  }
  double gradient(In y, Batch batch, Out g) const override { return f_.gradient(y, batch, g); }
  void hvp(In y, Batch batch, In w, Out hw) const override { f_.hvp(y, batch, w, hw); }

  mutable long calls = 0;

 private:
  const Functional& f_;
  double end_;
};

}  // namespace

int main() {
  const petsc::Session session;
  const test::Network net({.hidden = {8, 8}}, 2, 100);
  const Vector theta = net.model.start(5);
  const Counted risk(net.risk, theta[0] + .1);
  const Index n = theta.size();
  const Slice slice{theta, test::normals(2 * n, 3).reshaped(n, 2), {"x", "y"}};
  int wrong = 0;
  for (const int size : {3, 11}) {
    const int sizes[] = {size};
    const double radii[] = {1};
    const Grid grid = slice_grid(2, sizes, radii);
    const Surface alone = sample_surface(risk, slice, grid);
    risk.calls = 0;
    int done = 0;
    const Surface shared = sample_surface(
        risk, slice, grid, [&](int rows) { done = rows; }, MPI_COMM_WORLD);
    const bool same = std::memcmp(alone.values.data(), shared.values.data(), alone.values.size() * sizeof(double)) == 0;
    if (!same || std::ranges::none_of(alone.values, [](double v) { return v != v; })) ++wrong;
    if (!same) std::cerr << "a value differs\n";
    const long rows = (size - session.rank() + session.ranks() - 1) / session.ranks();
    if (risk.calls != rows * size) ++wrong, std::cerr << "a rank had " << risk.calls << " nodes\n";
    if (rows > 0 && (done < size - session.ranks() + 1 || done > size)) ++wrong, std::cerr << "progress lags\n";
  }
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  return wrong == 0 ? 0 : 1;
}
