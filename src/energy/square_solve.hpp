#pragma once

#include "thalweg/core/core.hpp"

namespace thalweg {

/// (a + b K_r + c K_c)^-1 on fields of rows x columns, K_r and K_c the paths' Laplacians with unit spacing and Neumann
/// ends. Cosines diagonalise K_r; in between every mode is a tridiagonal system along the columns, solved by two
/// first-order recursions, all modes side by side.
class SquareSolve {
 public:
  SquareSolve(Index rows, Index columns);

  /// Doubles of scratch memory that a solve needs.
  Index scratch() const;
  /// x <- (1 + b K_r + c K_c)^-1 x for b, c >= 0; x is column-major. O(rows^2 columns), half of that by symmetry:
  /// even cosines see only the even part of a column, odd ones the odd part.
  void solve(double b, double c, double* x, double* scratch) const;

 private:
  /// Modes 2 p + parity of K_r as functions of the first half of the rows.
  struct Half {
    Index points, modes, wide_points, wide_modes;
    Vector to_modes, to_points;  // [point][mode] and [mode][point], rows padded by zeros
  };
  Half half(Index parity) const;
  void recur(double b, double c, double* modes) const;

  Index rows_, columns_;
  Half even_, odd_;
  Eigen::ArrayXd eigenvalues_;  // of K_r: even modes, odd modes, each padded
};

}  // namespace thalweg
