// mpirun -n R shared_products: rank 0 must find the bits that it finds alone, and every rank must have had its part.
// Prints what is wrong and returns 1.

#include "thalweg/study/shared_products.hpp"

#include <iostream>

#include "../network.hpp"
#include "thalweg/core/petsc.hpp"
#include "thalweg/diagnose/trace.hpp"

namespace {

using namespace thalweg;

/// A map that counts its columns.
SymmetricMap counted(const SymmetricMap& map, long& columns) {
  return {map.size, [&map, &columns](const Matrix& x, Matrix& ax) {
            columns += x.cols();
            map.apply(x, ax);
          }};
}

bool same(const TraceEstimate& a, const TraceEstimate& b) { return a.value == b.value && a.error == b.error; }

int complain(const char* what) {
  std::cerr << what << '\n';
  return 1;
}

/// Rank 0's part of the test.
int ask(SharedProducts& shared, const SymmetricMap& hessian, const SymmetricMap& curvature) {
  const Index n = hessian.size;
  int wrong = 0;
  for (const Index columns : {1, 3, 4, 5, 9, 30}) {
    const Matrix x = test::normals(n * columns, 3).reshaped(n, columns);
    Matrix alone, together;
    curvature.apply(x, alone);
    shared.map(1).apply(x, together);
    if (alone != together) wrong += complain("a product differs");
  }
  if (!same(hutchinson(shared.map(0), 30, 5), hutchinson(hessian, 30, 5))) wrong += complain("Hutchinson differs");
  if (!same(hutch_plus_plus(shared.map(0), 48, 5), hutch_plus_plus(hessian, 48, 5)))
    wrong += complain("Hutch++ differs");
  return wrong;
}

}  // namespace

int main() {
  const petsc::Session session;
  const test::Network net({.hidden = {8, 8}}, 2, 100);
  const Vector theta = net.model.start(5);
  const SymmetricMap h = hessian(net.risk, theta), g = gauss_newton(net.risk, theta);
  long columns = 0;
  int wrong = 0;
  {
    SharedProducts shared({counted(h, columns), counted(g, columns)});
    if (session.rank() == 0)
      wrong = ask(shared, h, g);
    else
      shared.serve();
  }
  // 30 and 48 products of the Hessian in blocks of four, besides those of the curvature: up to three ranks all work.
  if (columns < 20) wrong += complain("a rank was idle");
  long all = 0;
  MPI_Reduce(&columns, &all, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
  if (session.rank() == 0 && all != 30 + 48 + 1 + 3 + 4 + 5 + 9 + 30)
    wrong += complain("a column was multiplied twice");
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  return wrong == 0 ? 0 : 1;
}
