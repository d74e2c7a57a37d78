// The inner loops: loss, gradient and Hessian-vector product spend all their time here.
//
// Layout: activations and deltas of a block of samples lie as [feature][sample], so that one vector register holds the
// same feature of `lanes` samples and no loop ever works across a register but for the final sums. Weights lie column
// by column, so that the coefficients of neighbouring outputs are adjacent.
// Products Z = C X keep a tile of R outputs x V registers of samples in accumulators while k runs; each step loads V
// registers of X and broadcasts R coefficients. Sources follow one another into the same accumulators, which gives the
// two-term sums of the R-operator for nothing. Gradients G += A B' keep lanes x 3 accumulators while the samples run
// and turn each group of `lanes` accumulators into one register of sums by a transposing tree.
// The file is compiled once for each instruction set with THALWEG_LANES doubles a register; kernel::best() chooses.
// What a loss needs is written for T = double and float alike.

#include "kernel.hpp"

#include "elementary.hpp"
#include "pack.hpp"

namespace thalweg::kernel {
namespace {

/// Rows of the tallest tile: 24 accumulators where there are 32 registers, 12 where there are 16.
constexpr int tall = THALWEG_LANES == 8 ? 8 : 4;

/// What a finish does with the sums of one register of samples.
template <Finish finish, class T>
[[gnu::always_inline]] inline void deliver(const Target<T>& t, Index at, std::type_identity_t<Pack<T>> sum) {
  if constexpr (finish == Finish::bias) store(t.out + at, sum);
  if constexpr (finish == Finish::add) store(t.out + at, load(t.out + at) + sum);
  if constexpr (finish == Finish::tanh) store(t.out + at, Tanh::at(sum).value);
  if constexpr (finish == Finish::slope) store(t.out + at, sum * load(t.operand + at));
  if constexpr (finish == Finish::tanh_slope || finish == Finish::tanh_bend || finish == Finish::tanh_pull) {
    const auto f = load(t.operand + at);
    auto z = (1 - f * f) * sum;
    if constexpr (finish == Finish::tanh_bend) store(t.second + at, (f + f) * sum);
    if constexpr (finish == Finish::tanh_pull) z -= load(t.second + at) * load(t.third + at);
    store(t.out + at, z);
  }
}

/// One bias a row, or zeros.
template <class T>
struct Biases {
  static constexpr T none = 0;
  const T* first;
  Index step;

  explicit Biases(const Target<T>& t) : first(t.bias ? t.bias : &none), step(t.bias ? 1 : 0) {}

  template <Finish finish>
  [[gnu::always_inline]] Pack<T> of(Index row) const {
    constexpr bool ever = finish == Finish::bias || finish == Finish::tanh || finish == Finish::tanh_slope;
    return (ever ? first[row * step] : 0) - Pack<T>{};
  }
};

/// R x V accumulators over all sources, begun with what `from` holds if it is not null; U > 1 interleaves that many
/// steps of k where R V alone would wait for latency.
template <Finish finish, int R, int V, int U, class T>
void tile(const Source<T>* sources, int count, Index row, Index sample, const Target<T>& target, const T* from) {
  constexpr int lanes = lanes_of<T>;
  Pack<T> acc[U][R][V] = {};
  if (from)
    repeat<R>([&](auto r) __attribute__((always_inline)) {
      repeat<V>([&](auto v)
                    __attribute__((always_inline)) { acc[0][r][v] = load(from + ((row + r) * V + v) * lanes); });
    });
  const auto step = [&](auto u, const T* c, Index rs, const T* x) __attribute__((always_inline)) {
    Pack<T> a[V];
    repeat<V>([&](auto v) __attribute__((always_inline)) {
      a[v] = load(x + v * lanes);
      if constexpr (R > 1) hold(a[v]);
    });
    repeat<R>([&](auto r) __attribute__((always_inline)) {
      const Pack<T> b = c[r * rs] - Pack<T>{};
      repeat<V>([&](auto v) __attribute__((always_inline)) { acc[u][r][v] += b * a[v]; });
    });
  };
  for (int q = 0; q < count; ++q) {
    const Source<T>& s = sources[q];
    const T *c = s.c + (s.panel ? row / tall * s.panel + row % tall : row * s.row_stride), *x = s.x + sample;
    Index k = 0;
    for (; k + U <= s.k; k += U)
      repeat<U>([&](auto u) __attribute__((always_inline)) {
        step(u, c, s.row_stride, x);
        c += s.k_stride;
        x += s.x_stride;
      });
    for (; U > 1 && k < s.k; ++k, c += s.k_stride, x += s.x_stride)
      step(std::integral_constant<int, 0>{}, c, s.row_stride, x);
  }
  repeat<U - 1>([&](auto u) __attribute__((always_inline)) {
    repeat<R>([&](auto r) __attribute__((always_inline)) {
      repeat<V>([&](auto v) __attribute__((always_inline)) { acc[0][r][v] += acc[u + 1][r][v]; });
    });
  });
  // A copy: the compiler cannot know that no store changes the original.
  const Target<T> t = target;
  if (t.scale != 1)
    repeat<R>([&](auto r) __attribute__((always_inline)) {
      repeat<V>([&](auto v) __attribute__((always_inline)) { acc[0][r][v] *= t.scale; });
    });
  const Biases<T> bias(t);
  const Index at = row * t.stride + sample;
  repeat<R>([&](auto r) __attribute__((always_inline)) {
    const Pack<T> b = bias.template of<finish>(row + r);
    repeat<V>([&](auto v) __attribute__((always_inline)) {
      deliver<finish>(t, at + r * t.stride + v * lanes, acc[0][r][v] + b);
    });
  });
}

/// All rows of V registers of samples.
template <Finish finish, int V, class T>
void strip(const Source<T>* sources, int count, Index rows, Index sample, const Target<T>& t, const T* from) {
  Index row = 0;
  for (; row + tall <= rows; row += tall) tile<finish, tall, V, V == 1 ? 2 : 1>(sources, count, row, sample, t, from);
  if (tall > 4 && row + 4 <= rows) {
    tile<finish, 4, V, 2>(sources, count, row, sample, t, from);
    row += 4;
  }
  if (row + 2 <= rows) {
    tile<finish, 2, V, 2>(sources, count, row, sample, t, from);
    row += 2;
  }
  if (row < rows) tile<finish, 1, V, 4>(sources, count, row, sample, t, from);
}

/// The same in pieces of k, so that X's and C's parts stay in the first-level cache; sums in between are kept apart.
template <Finish finish, int V, class T>
void long_strip(const Source<T>* sources, int count, Index rows, Index sample, const Target<T>& t) {
  constexpr Index most = 128;
  const Target<T> sums{.out = t.sums, .stride = V * lanes_of<T>};
  const T* from = nullptr;
  for (int q = 0; q < count; ++q) {
    const Source<T>& s = sources[q];
    const Index pieces = (s.k + most - 1) / most, length = (s.k + pieces - 1) / pieces;
    for (Index k = 0; k < s.k; k += length) {
      const Index left = s.k - k;
      Source<T> piece{s.c + k * s.k_stride,          s.row_stride, s.k_stride, s.x + k * s.x_stride, s.x_stride,
                      left < length ? left : length, s.panel};
      if (q + 1 == count && left <= length) return strip<finish, V>(&piece, 1, rows, sample, t, from);
      piece.x += sample;
      strip<Finish::bias, V>(&piece, 1, rows, 0, sums, from);
      from = t.sums;
    }
  }
}

template <Finish finish, class T>
void strips(const Source<T>* sources, int count, Index rows, Index samples, const Target<T>& t) {
  constexpr int lanes = lanes_of<T>;
  Index packs = samples / lanes, sample = 0, terms = 0;
  for (int q = 0; q < count; ++q) terms += sources[q].k;
  // A strip of 160 terms and the coefficients of a tile fill the first-level cache.
  const bool long_sums = t.sums && terms > 160;
  const auto pass = [&](auto width) {
    if (long_sums)
      long_strip<finish, width>(sources, count, rows, sample, t);
    else
      strip<finish, width, T>(sources, count, rows, sample, t, nullptr);
    packs -= width;
    sample += width * lanes;
  };
  // A single row needs more registers of samples to keep the units busy.
  constexpr int many = 6;
  if (rows == 1 && !long_sums)
    for (; packs >= many; packs -= many, sample += many * lanes)
      tile<finish, 1, many, 2, T>(sources, count, 0, sample, t, nullptr);
  while (packs > 4 || packs == 3) pass(std::integral_constant<int, 3>{});
  while (packs >= 2) pass(std::integral_constant<int, 2>{});
  if (packs == 1) pass(std::integral_constant<int, 1>{});
}

/// Sums of K terms, row by row: with so few, tiles would spend their time on beginning and ending.
template <Finish finish, int K, class T>
void thin(const Source<T>* sources, int count, Index rows, Index samples, const Target<T>& target) {
  const Target<T> t = target;
  const Biases<T> biases(t);
  const T *c[K], *x[K];
  Index row_stride[K];
  int terms = 0;
  for (int q = 0; q < count; ++q)
    for (Index k = 0; k < sources[q].k; ++k, ++terms) {
      c[terms] = sources[q].c + k * sources[q].k_stride;
      row_stride[terms] = sources[q].row_stride;
      x[terms] = sources[q].x + k * sources[q].x_stride;
    }
  for (Index row = 0; row < rows; ++row) {
    Pack<T> coefficient[K];
    repeat<K>([&](auto k)
                  __attribute__((always_inline)) { coefficient[k] = t.scale * c[k][row * row_stride[k]] - Pack<T>{}; });
    const Pack<T> bias = biases.template of<finish>(row);
    for (Index s = 0; s < samples; s += lanes_of<T>) {
      Pack<T> sum = bias;
      repeat<K>([&](auto k) __attribute__((always_inline)) { sum += coefficient[k] * load(x[k] + s); });
      deliver<finish>(t, row * t.stride + s, sum);
    }
  }
}

template <Finish finish, class T>
void finished(const Source<T>* sources, int count, Index rows, Index samples, const Target<T>& t) {
  Index terms = 0;
  for (int q = 0; q < count; ++q) terms += sources[q].k;
  switch (terms) {
    case 1:
      return thin<finish, 1>(sources, count, rows, samples, t);
    case 2:
      return thin<finish, 2>(sources, count, rows, samples, t);
    case 4:
      return thin<finish, 4>(sources, count, rows, samples, t);
  }
  strips<finish>(sources, count, rows, samples, t);
}

template <class T>
void products(const Source<T>* sources, int count, Index rows, Index samples, const Target<T>& t) {
  switch (t.finish) {
    case Finish::bias:
      return finished<Finish::bias>(sources, count, rows, samples, t);
    case Finish::add:
      return finished<Finish::add>(sources, count, rows, samples, t);
    case Finish::tanh:
      return finished<Finish::tanh>(sources, count, rows, samples, t);
    case Finish::slope:
      return finished<Finish::slope>(sources, count, rows, samples, t);
    case Finish::tanh_slope:
      return finished<Finish::tanh_slope>(sources, count, rows, samples, t);
    case Finish::tanh_bend:
      return finished<Finish::tanh_bend>(sources, count, rows, samples, t);
    case Finish::tanh_pull:
      return finished<Finish::tanh_pull>(sources, count, rows, samples, t);
  }
}

template <class T>
void panels(Index rows, Index columns, const T* w, T* to) {
  for (Index first = 0; first < rows; first += tall)
    for (Index k = 0; k < columns; ++k, to += tall) {
      const T* from = w + k * rows + first;
      if (first + tall <= rows)
        __builtin_memcpy(to, from, tall * sizeof(T));
      else
        for (Index r = 0; r < tall; ++r) to[r] = first + r < rows ? from[r] : 0;
    }
}

using Doubles = Pack<double>;
constexpr int lanes = lanes_of<double>;

/// In each group of 2 h lanes: the first h hold x's halves added, the others y's. One blend and one shuffle.
template <int h>
[[gnu::always_inline]] inline Doubles fold(Doubles x, Doubles y) {
  Mask<Doubles> kept{}, crossed{};
  for (int i = 0; i < lanes; ++i) {
    const bool first = i % (2 * h) < h;
    kept[i] = first ? i : lanes + i;
    crossed[i] = first ? i + h : lanes + i - h;
  }
  return __builtin_shuffle(x, y, kept) + __builtin_shuffle(x, y, crossed);
}

/// One register with the sum of each of v[0], ..., v[lanes - 1].
template <int h = 1, int first = 0>
[[gnu::always_inline]] inline Doubles lane_sums(const Doubles* v) {
  if constexpr (h == lanes)
    return v[first];
  else
    return fold<h>(lane_sums<2 * h, first>(v), lane_sums<2 * h, first + h>(v));
}

/// G lanes x C entries of g from row i and column j on; only the first `used` rows are there, all where `full`.
template <int G, int C, bool full>
void outer_tile(const Pair* pairs, int count, Index i, Index j, Index used, Index samples, const Accumulator& to) {
  constexpr int rows = G * lanes;
  double* const g = to.g + i * to.row_stride + j * to.column_stride;
  // The entries are needed when the sums are there: g may come from afar.
  repeat<C>([&](auto c) __attribute__((always_inline)) { __builtin_prefetch(g + c * to.column_stride); });
  Doubles acc[C][rows] = {};
  for (int q = 0; q < count; ++q) {
    const Pair& p = pairs[q];
    const double* a = p.a + i * p.a_stride;
    const double* b = p.b + j * p.b_stride;
    // Rows that are not there repeat the last one; their sums are dropped.
    Index offset[rows];
    for (int r = 0; r < rows; ++r) offset[r] = (full || r < used ? r : used - 1) * p.a_stride;
    for (Index s = 0; s < samples; s += lanes) {
      Doubles columns[C];
      repeat<C>([&](auto c) __attribute__((always_inline)) {
        columns[c] = load(b + c * p.b_stride + s);
        hold(columns[c]);
      });
      repeat<rows>([&](auto r) __attribute__((always_inline)) {
        Doubles row = load(a + offset[r] + s);
        hold(row);
        repeat<C>([&](auto c) __attribute__((always_inline)) { acc[c][r] += row * columns[c]; });
      });
    }
  }
  repeat<C>([&](auto c) __attribute__((always_inline)) {
    repeat<G>([&](auto group) __attribute__((always_inline)) {
      const Doubles total = to.scale * lane_sums(acc[c] + group * lanes);
      double* at = g + group * lanes * to.row_stride + c * to.column_stride;
      if (full && to.row_stride == 1)
        store(at, to.fresh ? total : load(at) + total);
      else
        for (int r = 0; r < lanes; ++r, at += to.row_stride)
          if (full || group * lanes + r < used) *at = to.fresh ? total[r] : *at + total[r];
    });
  });
}

/// The entries of `used` rows from row i on.
template <bool full>
void outer_rows(const Pair* pairs, int count, Index i, Index used, Index columns, Index samples,
                const Accumulator& to) {
  Index j = 0;
  for (; j + 3 <= columns; j += 3) outer_tile<1, 3, full>(pairs, count, i, j, used, samples, to);
  if (j + 2 == columns) outer_tile<1, 2, full>(pairs, count, i, j, used, samples, to);
  if (j + 1 == columns) outer_tile<1, 1, full>(pairs, count, i, j, used, samples, to);
}

/// The transpose of a square of lanes x lanes values: at distance h, halves of pairs of rows change places.
template <int h = lanes / 2>
[[gnu::always_inline]] inline void transpose(Doubles* v) {
  if constexpr (h > 0) {
    Mask<Doubles> lower{}, upper{};
    for (int i = 0; i < lanes; ++i) {
      lower[i] = i & h ? lanes + i - h : i;
      upper[i] = i & h ? lanes + i : i + h;
    }
    repeat<lanes>([&](auto i) __attribute__((always_inline)) {
      if constexpr ((i & h) == 0) {
        const Doubles x = v[i], y = v[i + h];
        v[i] = __builtin_shuffle(x, y, lower);
        v[i + h] = __builtin_shuffle(x, y, upper);
      }
    });
    transpose<h / 2>(v);
  }
}

constexpr Index most_turned = 64;

/// V registers of rows of g from row i on, as a sum of products whose samples are these rows: one side is turned.
template <int V>
void turned_outer(const Pair* pairs, int count, Index i, Index columns, Index samples, const Accumulator& to) {
  constexpr Index width = V * lanes;
  alignas(64) double turned[2][most_turned * width];
  Source<double> sources[2];
  for (int q = 0; q < count; ++q) {
    const Pair& p = pairs[q];
    for (int v = 0; v < V; ++v)
      for (Index s = 0; s < samples; s += lanes) {
        Doubles square[lanes];
        const double* from = p.a + (i + v * lanes) * p.a_stride + s;
        repeat<lanes>([&](auto r) __attribute__((always_inline)) { square[r] = load(from + r * p.a_stride); });
        transpose(square);
        double* at = turned[q] + s * width + v * lanes;
        repeat<lanes>([&](auto r) __attribute__((always_inline)) { store(at + r * width, square[r]); });
      }
    sources[q] = {p.b, p.b_stride, 1, turned[q], width, samples};
  }
  const Target<double> target{.out = to.g + i, .stride = to.column_stride, .scale = to.scale};
  if (to.fresh)
    strip<Finish::bias, V, double>(sources, count, columns, 0, target, nullptr);
  else
    strip<Finish::add, V, double>(sources, count, columns, 0, target, nullptr);
}

/// All of g, row by row contiguous in registers, so many samples at a time.
void turned(const Pair* pairs, int count, Index rows, Index columns, Index samples, Accumulator to) {
  for (Index first = 0; first < samples; first += most_turned, to.fresh = false) {
    const Index piece = samples - first < most_turned ? samples - first : most_turned;
    Pair part[2];
    for (int q = 0; q < count; ++q)
      part[q] = {pairs[q].a + first, pairs[q].b + first, pairs[q].a_stride, pairs[q].b_stride};
    Index packs = rows / lanes, i = 0;
    const auto pass = [&](auto width) {
      turned_outer<width>(part, count, i, columns, piece, to);
      packs -= width;
      i += width * lanes;
    };
    while (packs > 4 || packs == 3) pass(std::integral_constant<int, 3>{});
    while (packs >= 2) pass(std::integral_constant<int, 2>{});
    if (packs == 1) pass(std::integral_constant<int, 1>{});
  }
}

void outer(const Pair* pairs, int count, Index rows, Index columns, Index samples, const Accumulator& to) {
  // Sums over lanes take longer than turning one side where there are few samples or many columns to turn it for.
  if (to.row_stride == 1 && rows % lanes == 0 && columns >= (samples <= most_turned ? 8 : 64))
    return turned(pairs, count, rows, columns, samples, to);
  // The rows of a group stay in the first-level cache while the columns pass.
  Index i = 0;
  // A single column needs more rows to keep the units busy.
  constexpr int groups = 12 / lanes;
  if (columns == 1)
    for (; i + groups * lanes <= rows; i += groups * lanes)
      outer_tile<groups, 1, true>(pairs, count, i, 0, groups * lanes, samples, to);
  for (; i + lanes <= rows; i += lanes) outer_rows<true>(pairs, count, i, lanes, columns, samples, to);
  if (i < rows) outer_rows<false>(pairs, count, i, rows - i, columns, samples, to);
}

template <class T, class Visit>
[[gnu::always_inline]] inline void each(Index rows, Index samples, Index stride, Visit visit) {
  for (Index i = 0; i < rows; ++i)
    for (Index s = i * stride; s < i * stride + samples; s += lanes_of<T>) visit(s);
}

/// An activation in two stages passes twice over a piece of a row. A processor looks ahead so far: long chains of
/// operations that wait for each other overlap with those of more samples when they are cut.
template <class Activation, class T>
void apply(Index rows, Index samples, Index stride, const T* z, T* f, T* f1, T* f2) {
  const auto put = [=](Index s, const Jet<Pack<T>>& j) __attribute__((always_inline)) {
    store(f + s, j.value);
    if (f1) store(f1 + s, j.slope);
    if (f2) store(f2 + s, j.curvature);
  };
  if constexpr (requires { Activation::start(Pack<T>{}); }) {
    constexpr Index piece = 256;
    T started[piece];
    for (Index i = 0; i < rows; ++i)
      for (Index from = i * stride, end = from + samples; from < end; from += piece) {
        const Index count = std::min(piece, end - from);
        each<T>(1, count, 0, [&](Index s) { store(started + s, Activation::start(load(z + from + s))); });
        each<T>(1, count, 0, [&](Index s) { put(from + s, Activation::at(load(z + from + s), load(started + s))); });
      }
  } else {
    each<T>(rows, samples, stride, [=](Index s) { put(s, Activation::at(load(z + s))); });
  }
}

/// Whether |z| <= bound everywhere. Bit patterns of positive numbers have the order of the numbers.
template <class T>
bool within(double bound, Index rows, Index samples, Index stride, const T* z) {
  using P = Pack<T>;
  Mask<P> room{};
  each<T>(rows, samples, stride, [&](Index s) { room |= (Mask<P>)all<P>(bound) - (Mask<P>)magnitude(load(z + s)); });
  for (int i = 0; i < lanes_of<T>; ++i)
    if (room[i] < 0) return false;
  return true;
}

template <class T>
void apply_sin(Index rows, Index samples, Index stride, const T* z, T* f, T* f1, T* f2) {
  const bool near = within(Sin::reach<Pack<T>>, rows, samples, stride, z);
  return near ? apply<Sin>(rows, samples, stride, z, f, f1, f2) : apply<FarSin>(rows, samples, stride, z, f, f1, f2);
}

template <class T>
void activate(Function function, Index rows, Index samples, Index stride, const T* z, T* f, T* f1, T* f2) {
  switch (function) {
    case Function::tanh:
      return apply<Tanh>(rows, samples, stride, z, f, f1, f2);
    case Function::relu:
      return apply<Relu>(rows, samples, stride, z, f, f1, f2);
    case Function::gelu:
      return apply<Gelu>(rows, samples, stride, z, f, f1, f2);
    case Function::softplus:
      return apply<Softplus>(rows, samples, stride, z, f, f1, f2);
    case Function::sigmoid:
      return apply<Sigmoid>(rows, samples, stride, z, f, f1, f2);
    case Function::sin:
      return apply_sin(rows, samples, stride, z, f, f1, f2);
    case Function::identity:
      return apply<Identity>(rows, samples, stride, z, f, f1, f2);
  }
}

void push_forward(Index rows, Index samples, Index stride, const double* rz, const double* slope, double* rf) {
  each<double>(rows, samples, stride, [=](Index s) { store(rf + s, load(rz + s) * load(slope + s)); });
}

void bend(Index rows, Index samples, Index stride, const double* slope, double* bend, double* d) {
  each<double>(rows, samples, stride, [=](Index s) {
    const Doubles adjoint = load(d + s);
    store(bend + s, adjoint * load(bend + s));
    store(d + s, adjoint * load(slope + s));
  });
}

void pull_back(Index rows, Index samples, Index stride, const double* slope, const double* bend, const double* rz,
               double* rd) {
  each<double>(rows, samples, stride,
               [=](Index s) { store(rd + s, load(rd + s) * load(slope + s) + load(bend + s) * load(rz + s)); });
}

template <class T>
[[gnu::always_inline]] inline Pack<T> labels(const int* y) {
  return __builtin_convertvector(read<typename Vector<int, lanes_of<T>>::type>(y), Pack<T>);
}

/// Lanes whose sample exists.
template <class T>
[[gnu::always_inline]] inline auto existing(Index sample, Index used) {
  Mask<Pack<T>> index;
  for (int i = 0; i < lanes_of<T>; ++i) index[i] = i;
  return index < static_cast<Scalar<Mask<Pack<T>>>>(used - sample);
}

/// x + y + x y, one less than the product of 1 + x and 1 + y.
template <class P>
[[gnu::always_inline]] inline P joined(P x, P y) {
  return x * y + (x + y);
}

/// The same over all lanes, in each of them, those at distance h and less first.
template <int h = lanes / 2>
[[gnu::always_inline]] inline Doubles joined_lanes(Doubles x) {
  if constexpr (h == 0) return x;
  Mask<Doubles> other{};
  for (int i = 0; i < lanes; ++i) other[i] = i ^ h;
  return joined_lanes<h / 2>(joined(x, __builtin_shuffle(x, other)));
}

/// The sum of ln(1 + a/b) over samples, a >= 0 and b in [0.4, 1], as the logarithm of the product of the (a + b)/b. Kept
/// are the product of the b and what that of the a + b has more, to which small a add as they do in a sum.
template <class P>
class Logarithms {
 public:
  /// No a/b exceeds 2^bits - 1, bits > 0.
  explicit Logarithms(int bits) : bits_(bits) {}

  [[gnu::always_inline]] void add(P a, P b) {
    excess_ = excess_ * (a + b) + product_ * a;
    product_ *= b;
    room_ -= bits_;
    if (room_ < bits_) fold();
  }

  double sum() {
    fold();
    return sum_;
  }

 private:
  void fold() {
    const P excess = excess_ / product_;
    Doubles each;
    if constexpr (single<P>)
      each = joined(half<0>(excess), half<1>(excess));
    else
      each = excess;
    sum_ += std::log1p(joined_lanes(each)[0]);
    excess_ = P{};
    product_ = all<P>(1);
    room_ = capacity;
  }

  static constexpr int capacity = 60;  // bits; sixteen times as many fit into the exponent of a double
  P excess_{}, product_ = all<P>(1);
  int bits_, room_ = capacity;
  double sum_ = 0;
};

/// Samples of two classes: the loss ln(1 + e^-m) = max(-m, 0) + ln(1 + e^-|m|) of the margin m and its slope
/// -1/(1 + e^m): with e^-|m| = a/b it is a/(a + b) or the complement.
template <class P>
class Margins {
 public:
  /// The slope; none is formed where nobody asks for it.
  [[gnu::always_inline]] P add(P m, bool slope) {
    const Exponential<P, -1.> e(lesser(all<P>(-vanishing<P>), magnitude(m)));
    linear_ += widened(greater(all<P>(0), -m));
    logarithms_.add(e.a, e.b);
    if (!slope) return m;
    const P minor = e.a / (e.a + e.b);
    return m >= 0 ? -minor : minor - 1;
  }

  double sum() { return kernel::sum(linear_) + logarithms_.sum(); }

 private:
  Logarithms<P> logarithms_{1};
  Pack<double> linear_{};
};

/// The margins of samples that do not exist are beyond doubt, so that these add nothing.
template <class P>
constexpr double beyond_doubt = -2 * vanishing<P>;

template <class T>
double logistic(Index used, Index samples, const T* z, const int* y, T* d) {
  using P = Pack<T>;
  Margins<P> margins;
  for (Index s = 0; s < samples; s += lanes_of<T>) {
    const P sign = 2 * labels<T>(y + s) - 1, m = sign * load(z + s);
    const P slope = margins.add(existing<T>(s, used) ? m : all<P>(beyond_doubt<P>), d);
    if (d) store(d + s, sign * slope);
  }
  return margins.sum();
}

/// Two classes: the logistic loss of the difference of the logits.
template <class T>
double softmax_of_two(Index used, Index samples, Index stride, const T* z, const int* y, T* d, Index d_stride) {
  using P = Pack<T>;
  Margins<P> margins;
  for (Index s = 0; s < samples; s += lanes_of<T>) {
    const P sign = 2 * labels<T>(y + s) - 1, m = sign * (load(z + stride + s) - load(z + s));
    const P slope = sign * margins.add(existing<T>(s, used) ? m : all<P>(beyond_doubt<P>), d);
    if (!d) continue;
    store(d + s, -slope);
    store(d + d_stride + s, slope);
  }
  return margins.sum();
}

/// The largest of the logits of each sample.
template <class T>
[[gnu::always_inline]] inline Pack<T> largest(Index classes, Index stride, const T* z) {
  Pack<T> top = load(z);
  for (Index c = 1; c < classes; ++c) {
    const Pack<T> f = load(z + c * stride);
    top = f > top ? f : top;
  }
  return top;
}

template <class T>
double softmax(Index used, Index samples, Index classes, Index stride, const T* z, const int* y, T* d, Index d_stride) {
  using P = Pack<T>;
  if (classes == 2) return softmax_of_two(used, samples, stride, z, y, d, d_stride);
  Logarithms<P> logarithms(64 - __builtin_clzl(static_cast<unsigned long>(classes)));
  Pack<double> linear{};
  for (Index s = 0; s < samples; s += lanes_of<T>) {
    const P top = largest(classes, stride, z + s);
    // The first largest term is left out of the sum, so that the logarithm sees 1 + the rest.
    const P truth = labels<T>(y + s);
    P rest{}, chosen{};
    Mask<P> taken{};
    for (Index c = 0; c < classes; ++c) {
      const P f = load(z + c * stride + s), e = exponential(f - top);
      const Mask<P> first = (f == top) & ~taken;
      taken |= first;
      rest += first ? all<P>(0) : e;
      chosen = truth == static_cast<T>(c) ? f : chosen;
      if (d) store(d + c * d_stride + s, e);
    }
    const auto there = existing<T>(s, used);
    logarithms.add(there ? rest : all<P>(0), all<P>(1));
    linear += widened(there ? top - chosen : all<P>(0));
    const P share = 1 / (1 + rest);
    for (Index c = 0; d && c < classes; ++c) {
      T* to = d + c * d_stride + s;
      const P p = load(to) * share;
      store(to, there ? (truth == static_cast<T>(c) ? p - 1 : p) : all<P>(0));
    }
  }
  return sum(linear) + logarithms.sum();
}

void logistic_tangent(Index samples, const double* z, const double* rz, double* rd) {
  for (Index s = 0; s < samples; s += lanes) store(rd + s, Sigmoid::at(load(z + s)).slope * load(rz + s));
}

void softmax_tangent(Index samples, Index classes, Index stride, const double* z, const double* rz, double* rd) {
  for (Index s = 0; s < samples; s += lanes) {
    const Doubles top = largest(classes, stride, z + s);
    Doubles mass{}, mean{};
    for (Index c = 0; c < classes; ++c) {
      const Doubles e = exponential(load(z + c * stride + s) - top);
      store(rd + c * stride + s, e);
      mass += e;
      mean += e * load(rz + c * stride + s);
    }
    const Doubles share = 1 / mass;
    mean *= share;
    for (Index c = 0; c < classes; ++c) {
      const Index at = c * stride + s;
      store(rd + at, share * load(rd + at) * (load(rz + at) - mean));
    }
  }
}

void narrow(Index n, const double* x, float* y) {
  for (Index i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}

template <Doubles function(Doubles)>
void map(Index n, const double* x, double* y) {
  for (Index i = 0; i < n; i += lanes) store(y + i, function(load(x + i)));
}

template <class T>
constexpr Forward<T> forward{.lanes = lanes_of<T>,
                             .panel_rows = tall,
                             .panels = panels<T>,
                             .products = products<T>,
                             .activate = activate<T>,
                             .logistic = logistic<T>,
                             .softmax = softmax<T>};

constexpr Kernel kernel{forward<double>,
                        forward<float>,
                        outer,
                        push_forward,
                        bend,
                        pull_back,
                        logistic_tangent,
                        softmax_tangent,
                        narrow,
                        map<exponential<Doubles>>,
                        map<log_one_plus<Doubles>>};

}  // namespace

template <>
const Kernel& compiled<THALWEG_LANES>() {
  return kernel;
}

}  // namespace thalweg::kernel
