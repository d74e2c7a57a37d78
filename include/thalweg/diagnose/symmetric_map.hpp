#pragma once

#include <functional>

#include "thalweg/energy/diffusion.hpp"
#include "thalweg/energy/risk.hpp"

namespace thalweg {

/// A symmetric matrix A that is known by its products: ax <- A x for every column of x (n x k). Columns of one call
/// share what they can.
struct SymmetricMap {
  Index size = 0;
  std::function<void(const Matrix& x, Matrix& ax)> apply;
};

/// The Hessian of `functional` at y, over all samples; the functional must outlive the map.
SymmetricMap hessian(const Functional& functional, In y);
/// The same of a risk, which keeps what depends on y alone, unless that would fill half a gigabyte.
SymmetricMap hessian(const Risk& risk, In y);
/// The Gauss-Newton matrix of `risk` at y: the Hessian without the curvature of the network; the risk must outlive it.
SymmetricMap gauss_newton(const Risk& risk, In y);

/// A symmetric positive definite matrix M with a direct solve: y <- M x, and y <- M^-1 y in place.
struct MetricMap {
  std::function<void(In x, Out y)> apply;
  std::function<void(Out y)> solve;
};

/// (I + sigma K)^power; the lattice must outlive it.
MetricMap sobolev_metric(const Lattice& lattice, double sigma, int power);

}  // namespace thalweg
