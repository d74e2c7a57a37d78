#include "square_solve.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../model/kernel.hpp"

namespace thalweg {
namespace {

/// Whole registers of any kernel.
constexpr Index most_lanes = 8;
Index padded(Index n) { return (n + most_lanes - 1) / most_lanes * most_lanes; }

/// A piece of a line: lines are taken in registers without a beginning or an end.
constexpr Index piece = most_lanes;
using Piece = Eigen::Array<double, piece, 1>;
using From = Eigen::Map<const Piece>;
using To = Eigen::Map<Piece>;

/// even_i, odd_i <- x_i + y_(n-1-i), x_i - y_(n-1-i).
void fold(Index n, const double* x, const double* y, double* even, double* odd) {
  Index i = 0;
  for (; i + piece <= n; i += piece) {
    const Piece first = From(x + i), second = From(y + n - piece - i).reverse();
    To(even + i) = first + second;
    To(odd + i) = first - second;
  }
  for (; i < n; ++i) {
    even[i] = x[i] + y[n - 1 - i];
    odd[i] = x[i] - y[n - 1 - i];
  }
}

/// x_i, y_(n-1-i) <- even_i + odd_i, even_i - odd_i.
void unfold(Index n, const double* even, const double* odd, double* x, double* y) {
  Index i = 0;
  for (; i + piece <= n; i += piece) {
    const Piece first = From(even + i), second = From(odd + i);
    To(x + i) = first + second;
    To(y + n - piece - i) = (first - second).reverse();
  }
  for (; i < n; ++i) {
    x[i] = even[i] + odd[i];
    y[n - 1 - i] = even[i] - odd[i];
  }
}

/// out <- C X for C of `rows` rows of k adjacent values; X has k rows of `width` values.
void multiply(const double* c, Index c_stride, Index rows, const Vector& x, Index k, Index width, double* out,
              Index out_stride) {
  const kernel::Source<double> source{c, c_stride, 1, x.data(), width, k};
  kernel::best().products(&source, 1, rows, width, {.out = out, .stride = out_stride});
}

/// (a + c K_c)^-1 along the columns with a = 1 + b lambda for each mode: see Recursion in diffusion.cpp. The even
/// extension across both ends makes a column a ring of 2 m points, whose periodic sum is what comes before its first.
/// `count` modes at a time stay in registers.
template <int count>
void recur_modes(double b, double c, const double* eigenvalues, Index m, double* modes, Index width) {
  using Modes = Eigen::Array<double, count, 1>;
  const auto row = [&](Index j) { return Eigen::Map<Modes>(modes + j * width); };
  const Modes shift = 1 + b * Eigen::Map<const Modes>(eigenvalues), ratio = c / shift,
              pole = 2 * ratio / (1 + 2 * ratio + (1 + 4 * ratio).sqrt()), gain = (1 - pole).square() / shift;
  Modes carry = row(m - 1), behind = row(0), power = pole;
  for (Index j = 1; j < m; ++j) {
    carry = carry * pole + row(m - 1 - j);
    behind = behind * pole + row(j);
    power *= pole;
  }
  carry = (carry + power * behind) / (1 - power.square());
  for (Index j = 0; j < m; ++j) row(j) = carry = row(j) + pole * carry;
  carry /= 1 - pole;
  for (Index j = m; j-- > 0;) {
    carry = row(j) + pole * carry;
    row(j) = gain * carry;
  }
}

}  // namespace

SquareSolve::SquareSolve(Index rows, Index columns)
    : rows_(rows), columns_(columns), even_(half(0)), odd_(half(1)), eigenvalues_(even_.wide_modes + odd_.wide_modes) {
  eigenvalues_.setZero();
  for (Index j = 0; j < rows; ++j) {
    const double s = std::sin(std::numbers::pi * static_cast<double>(j) / (2 * static_cast<double>(rows)));
    eigenvalues_[(j % 2 == 0 ? 0 : even_.wide_modes) + j / 2] = 4 * s * s;
  }
}

SquareSolve::Half SquareSolve::half(Index parity) const {
  Half h;
  h.points = h.modes = (rows_ + 1 - parity) / 2;
  h.wide_points = h.wide_modes = padded(h.points);
  h.to_modes = h.to_points = Vector::Zero(h.points * h.wide_points);
  const double n = static_cast<double>(rows_);
  for (Index i = 0; i < h.points; ++i)
    for (Index p = 0; p < h.modes; ++p) {
      const auto mode = static_cast<double>(2 * p + parity);
      const double q = std::cos(std::numbers::pi * mode * (static_cast<double>(i) + .5) / n) *
                       std::sqrt((2 * p + parity == 0 ? 1 : 2) / n);
      h.to_modes[i * h.wide_modes + p] = q;
      h.to_points[p * h.wide_points + i] = q;
    }
  return h;
}

Index SquareSolve::scratch() const {
  const Index width = eigenvalues_.size();
  return 2 * columns_ * std::max(rows_, width);
}

void SquareSolve::solve(double b, double c, double* x, double* scratch) const {
  const Index n = rows_, m = columns_, width = eigenvalues_.size(), odd = even_.wide_modes, pairs = n / 2;
  double *folded = scratch, *modes = folded + m * std::max(n, width);
  for (Index j = 0; j < m; ++j) {
    const double* from = x + j * n;
    double* to = folded + j * n;
    fold(pairs, from, from + n - pairs, to, to + n - pairs);
    if (n % 2 == 1) to[pairs] = from[pairs];
  }
  multiply(folded, n, m, even_.to_modes, even_.points, even_.wide_modes, modes, width);
  if (n > 1) multiply(folded + even_.points, n, m, odd_.to_modes, odd_.points, odd_.wide_modes, modes + odd, width);
  recur(b, c, modes);
  multiply(modes, width, m, even_.to_points, even_.modes, even_.wide_points, folded, width);
  if (n > 1) multiply(modes + odd, width, m, odd_.to_points, odd_.modes, odd_.wide_points, folded + odd, width);
  for (Index j = 0; j < m; ++j) {
    const double* from = folded + j * width;
    double* to = x + j * n;
    unfold(pairs, from, from + odd, to, to + n - pairs);
    if (n % 2 == 1) to[pairs] = from[pairs];
  }
}

void SquareSolve::recur(double b, double c, double* modes) const {
  const Index width = eigenvalues_.size();
  Index first = 0;
  for (; first + 4 * most_lanes <= width; first += 4 * most_lanes)
    recur_modes<4 * most_lanes>(b, c, eigenvalues_.data() + first, columns_, modes + first, width);
  for (; first + 2 * most_lanes <= width; first += 2 * most_lanes)
    recur_modes<2 * most_lanes>(b, c, eigenvalues_.data() + first, columns_, modes + first, width);
  if (first < width) recur_modes<most_lanes>(b, c, eigenvalues_.data() + first, columns_, modes + first, width);
}

}  // namespace thalweg
