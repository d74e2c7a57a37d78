#pragma once

#include <cstddef>

/// The inner loops of thalweg, compiled once for each instruction set and chosen when the program starts.
namespace thalweg::kernel {

using Index = std::ptrdiff_t;

/// One term C X of a sum of products: C is rows x k with any strides, X holds k rows of samples. Where `panel` is not
/// 0, C lies in panels of Kernel::panel_rows rows, `panel` values each, the rows of a panel with a stride of 1.
template <class T>
struct Source {
  const T* c;
  Index row_stride, k_stride;
  const T* x;
  Index x_stride;
  Index k;
  Index panel = 0;
};

/// What is done with a sum before it is stored: s = scale sum + bias, one bias a row, none where it is null.
/// f = operand, second and third are laid out as out and may be out itself.
enum class Finish {
  bias,        // out <- s
  add,         // out <- out + s
  tanh,        // out <- tanh s
  slope,       // out <- s f
  tanh_slope,  // out <- s (1 - f^2)
  tanh_bend,   // out <- s (1 - f^2), second <- 2 f s
  tanh_pull    // out <- s (1 - f^2) - second third
};

/// Where a sum goes, rows x samples.
template <class T>
struct Target {
  T* out;
  Index stride;
  T scale = 1;
  Finish finish = Finish::bias;
  const T* bias = nullptr;
  const T* operand = nullptr;
  T* second = nullptr;
  const T* third = nullptr;
  T* sums = nullptr;  // room for rows x 3 registers of unfinished sums; without it long sums run slower
};

/// One term of a sum over samples of a_i b_j.
struct Pair {
  const double *a, *b;
  Index a_stride, b_stride;
};

/// Where such a sum goes: g(i, j) += scale sum, at g[i row_stride + j column_stride]; of a fresh g what stands there
/// does not count.
struct Accumulator {
  double* g;
  Index row_stride, column_stride;
  double scale = 1;
  bool fresh = false;
};

enum class Function : int { tanh, relu, gelu, softplus, sigmoid, sin, identity };

/// What a loss takes, of one instruction set in one precision. Sample counts are multiples of `lanes`; rows need no
/// alignment; sums run in an order that depends on the sizes alone.
template <class T>
struct Forward {
  int lanes, panel_rows;
  /// W, rows x columns column by column, in panels of panel_rows rows; the last one is filled up with zeros.
  void (*panels)(Index rows, Index columns, const T* w, T* to);
  void (*products)(const Source<T>* sources, int count, Index rows, Index samples, const Target<T>& target);
  /// f, f1, f2 <- act(z), act'(z), act''(z) for rows of samples; f may be z, f1 and f2 may be null.
  void (*activate)(Function function, Index rows, Index samples, Index stride, const T* z, T* f, T* f1, T* f2);
  /// The sum of logistic losses of `samples` logits under labels 0 or 1; d (may be null) receives the derivatives.
  /// Only the first `used` samples count: beyond them d is 0.
  double (*logistic)(Index used, Index samples, const T* z, const int* y, T* d);
  /// The same for cross-entropy over `classes` rows of logits.
  double (*softmax)(Index used, Index samples, Index classes, Index stride, const T* z, const int* y, T* d,
                    Index d_stride);
};

/// All functions of one instruction set; derivatives are in doubles only.
struct Kernel : Forward<double> {
  Forward<float> single;
  void (*outer)(const Pair* pairs, int count, Index rows, Index columns, Index samples, const Accumulator& to);
  /// What the R-operator does with an activation, elementwise over rows of samples: rf <- rz act'(z).
  void (*push_forward)(Index rows, Index samples, Index stride, const double* rz, const double* slope, double* rf);
  /// With d the adjoint of f: bend <- d bend, which begins as act''(z), and d <- d act'(z).
  void (*bend)(Index rows, Index samples, Index stride, const double* slope, double* bend, double* d);
  /// rd <- rd act'(z) + bend rz.
  void (*pull_back)(Index rows, Index samples, Index stride, const double* slope, const double* bend, const double* rz,
                    double* rd);
  /// rd <- p (1 - p) rz, p the logistic probability of each logit, as its derivative.
  void (*logistic_tangent)(Index samples, const double* z, const double* rz, double* rd);
  /// rd_c <- p_c (rz_c - sum_b p_b rz_b), p the softmax of the logits.
  void (*softmax_tangent)(Index samples, Index classes, Index stride, const double* z, const double* rz, double* rd);
  /// y <- x, rounded.
  void (*narrow)(Index n, const double* x, float* y);
  /// Elementwise, n a multiple of `lanes`.
  void (*exp)(Index n, const double* x, double* y);
  void (*log1p)(Index n, const double* x, double* y);
};

/// The fastest kernel that this processor runs.
const Kernel& best();

/// What of it serves a loss in that precision.
template <class T>
const Forward<T>& best_for();
template <>
inline const Forward<double>& best_for<double>() {
  return best();
}
template <>
inline const Forward<float>& best_for<float>() {
  return best().single;
}

template <int lanes>
const Kernel& compiled();

}  // namespace thalweg::kernel
