#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "thalweg/core/core.hpp"
#include "thalweg/model/mlp.hpp"

namespace thalweg {

/// The diffusion operator K on the parameters: symmetric, positive semidefinite, constants in its null space
/// on every connected piece of the lattice.
class Lattice {
 public:
  virtual ~Lattice() = default;

  virtual Index size() const = 0;
  /// ky <- K y; O(P).
  virtual void apply(In y, Out ky) const = 0;
  /// x <- (I + c K)^-1 x, direct, c >= 0; O(P), on two-axis arrays of n x m units O(n m (n + m)).
  virtual void solve(double c, Out x) const = 0;
  /// x <- f(K) x, f a function of the eigenvalues; lines O(P log P), two-axis arrays as for solve.
  virtual void transform(const std::function<double(double)>& f, Out x) const = 0;
  /// All P eigenvalues of K in closed form, in no particular order.
  virtual Vector eigenvalues() const = 0;
};

struct LatticeKind {
  std::string_view name, what;
  /// `layers` say which array axes count hidden units; `seed` draws the permutation where there is one.
  std::unique_ptr<Lattice> (*make)(std::span<const Layer> layers, Index size, std::uint64_t seed);
};
std::span<const LatticeKind> lattices();

}  // namespace thalweg
