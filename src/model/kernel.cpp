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
// Elementary functions are rational or polynomial, fitted by Remez's exchange in 50 digits, then rounded.

#include "kernel.hpp"

#include <cmath>
#include <utility>

namespace thalweg::kernel {
namespace {

constexpr int lanes = THALWEG_LANES;
using Pack = double __attribute__((vector_size(lanes * sizeof(double))));
using Mask = long __attribute__((vector_size(lanes * sizeof(long))));
using Whole = int __attribute__((vector_size(lanes * sizeof(int))));

template <class P, class T>
P read(const T* from) {
  P p;
  __builtin_memcpy(&p, from, sizeof p);
  return p;
}

[[gnu::always_inline]] inline Pack load(const double* from) { return read<Pack>(from); }
[[gnu::always_inline]] inline void store(double* to, Pack p) { __builtin_memcpy(to, &p, sizeof p); }
[[gnu::always_inline]] inline Pack all(double x) { return x - Pack{}; }

/// Keeps a loaded register a register: otherwise the compiler folds the load into every instruction that uses it.
[[gnu::always_inline]] inline void hold([[maybe_unused]] Pack& p) {
#if defined(__x86_64__)
  asm("" : "+v"(p));
#endif
}

/// f(0), ..., f(n - 1) with constant arguments, so that arrays of accumulators become registers.
template <int n, class F>
[[gnu::always_inline]] inline void repeat(F f) {
  [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, i>{}), ...);
  }(std::make_integer_sequence<int, n>{});
}

/// R x V accumulators over all sources; U > 1 interleaves that many steps of k where R V alone would wait for latency.
template <Finish finish, int R, int V, int U>
void tile(const Source* sources, int count, Index row, Index sample, const Target& t) {
  Pack acc[U][R][V] = {};
  const auto step = [&](auto u, const double* c, Index rs, const double* x) __attribute__((always_inline)) {
    Pack a[V];
    repeat<V>([&](auto v) __attribute__((always_inline)) {
      a[v] = load(x + v * lanes);
      hold(a[v]);
    });
    repeat<R>([&](auto r) __attribute__((always_inline)) {
      const Pack b = all(c[r * rs]);
      repeat<V>([&](auto v) __attribute__((always_inline)) { acc[u][r][v] += b * a[v]; });
    });
  };
  for (int q = 0; q < count; ++q) {
    const Source& s = sources[q];
    const double *c = s.c + row * s.row_stride, *x = s.x + sample;
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
  double* out = t.out + row * t.stride + sample;
  const double* operand = finish == Finish::bias ? t.operand + row : t.operand + row * t.stride + sample;
  const Pack scale = all(t.scale);
  repeat<R>([&](auto r) __attribute__((always_inline)) {
    const Pack bias = all(finish == Finish::bias && t.operand ? operand[r] : 0);
    repeat<V>([&](auto v) __attribute__((always_inline)) {
      Pack z = scale * acc[0][r][v];
      if constexpr (finish == Finish::bias) z += bias;
      if constexpr (finish == Finish::times) z *= load(operand + v * lanes);
      if constexpr (finish == Finish::tanh) {
        const Pack f = load(operand + v * lanes);
        z *= 1 - f * f;
      }
      store(out + v * lanes, z);
    });
    out += t.stride;
    if (finish != Finish::bias) operand += t.stride;
  });
}

/// All rows of V registers of samples.
template <Finish finish, int V>
void strip(const Source* sources, int count, Index rows, Index sample, const Target& t) {
  // 24 accumulators where there are 32 registers, 12 where there are 16.
  constexpr int tall = lanes == 8 ? 8 : 4;
  Index row = 0;
  for (; row + tall <= rows; row += tall) tile<finish, tall, V, V == 1 ? 2 : 1>(sources, count, row, sample, t);
  if (tall > 4 && row + 4 <= rows) {
    tile<finish, 4, V, 2>(sources, count, row, sample, t);
    row += 4;
  }
  if (row + 2 <= rows) {
    tile<finish, 2, V, 2>(sources, count, row, sample, t);
    row += 2;
  }
  if (row < rows) tile<finish, 1, V, 4>(sources, count, row, sample, t);
}

template <Finish finish>
void strips(const Source* sources, int count, Index rows, Index samples, const Target& t) {
  Index packs = samples / lanes, sample = 0;
  for (; packs > 4 || packs == 3; packs -= 3, sample += 3 * lanes) strip<finish, 3>(sources, count, rows, sample, t);
  for (; packs >= 2; packs -= 2, sample += 2 * lanes) strip<finish, 2>(sources, count, rows, sample, t);
  if (packs == 1) strip<finish, 1>(sources, count, rows, sample, t);
}

void products(const Source* sources, int count, Index rows, Index samples, const Target& t) {
  switch (t.finish) {
    case Finish::bias: return strips<Finish::bias>(sources, count, rows, samples, t);
    case Finish::times: return strips<Finish::times>(sources, count, rows, samples, t);
    case Finish::tanh: return strips<Finish::tanh>(sources, count, rows, samples, t);
  }
}

/// In each group of 2 h lanes: the first h hold x's halves added, the others y's. One blend and one shuffle.
template <int h>
[[gnu::always_inline]] inline Pack fold(Pack x, Pack y) {
  Mask first{}, crossed{};
  for (int i = 0; i < lanes; ++i) {
    first[i] = i % (2 * h) < h ? -1 : 0;
    crossed[i] = first[i] ? i + h : lanes + i - h;
  }
  return (first ? x : y) + __builtin_shuffle(x, y, crossed);
}

/// One register with the sum of each of v[0], ..., v[lanes - 1].
template <int h = 1, int first = 0>
[[gnu::always_inline]] inline Pack lane_sums(const Pack* v) {
  if constexpr (h == lanes)
    return v[first];
  else
    return fold<h>(lane_sums<2 * h, first>(v), lane_sums<2 * h, first + h>(v));
}

double sum(Pack p) {
  double total = 0;
  for (int i = 0; i < lanes; ++i) total += p[i];
  return total;
}

/// lanes x C entries of g from row i and column j on; only the first `used` rows are there.
template <int C>
void outer_tile(const Pair* pairs, int count, Index i, Index j, Index used, Index samples, double scale, double* g,
                Index row_stride, Index column_stride) {
  Pack acc[C][lanes] = {};
  for (int q = 0; q < count; ++q) {
    const Pair& p = pairs[q];
    const double* a = p.a + i * p.a_stride;
    const double* b = p.b + j * p.b_stride;
    // Rows that are not there repeat the last one; their sums are dropped.
    Index offset[lanes];
    for (int r = 0; r < lanes; ++r) offset[r] = (r < used ? r : used - 1) * p.a_stride;
    for (Index s = 0; s < samples; s += lanes) {
      Pack columns[C];
      repeat<C>([&](auto c) __attribute__((always_inline)) {
        columns[c] = load(b + c * p.b_stride + s);
        hold(columns[c]);
      });
      repeat<lanes>([&](auto r) __attribute__((always_inline)) {
        Pack row = load(a + offset[r] + s);
        hold(row);
        repeat<C>([&](auto c) __attribute__((always_inline)) { acc[c][r] += row * columns[c]; });
      });
    }
  }
  repeat<C>([&](auto c) __attribute__((always_inline)) {
    const Pack total = scale * lane_sums(acc[c]);
    double* to = g + i * row_stride + (j + c) * column_stride;
    if (used == lanes && row_stride == 1)
      store(to, load(to) + total);
    else
      for (int r = 0; r < used; ++r) to[r * row_stride] += total[r];
  });
}

void outer(const Pair* pairs, int count, Index rows, Index columns, Index samples, double scale, double* g,
           Index row_stride, Index column_stride) {
  // Columns stay in the first-level cache while the rows pass: 24 of them fill about half of it.
  constexpr Index chunk = 24;
  for (Index first = 0; first < columns; first += chunk) {
    const Index end = first + chunk < columns ? first + chunk : columns;
    for (Index i = 0; i < rows; i += lanes) {
      const Index used = rows - i < lanes ? rows - i : lanes;
      Index j = first;
      for (; j + 3 <= end; j += 3)
        outer_tile<3>(pairs, count, i, j, used, samples, scale, g, row_stride, column_stride);
      if (j + 2 == end) outer_tile<2>(pairs, count, i, j, used, samples, scale, g, row_stride, column_stride);
      if (j + 1 == end) outer_tile<1>(pairs, count, i, j, used, samples, scale, g, row_stride, column_stride);
    }
  }
}

void sums(const double* a, Index stride, Index rows, Index samples, double* g) {
  for (Index i = 0; i < rows; i += lanes) {
    const Index used = rows - i < lanes ? rows - i : lanes;
    Pack total[lanes] = {};
    for (Index s = 0; s < samples; s += lanes)
      repeat<lanes>([&](auto r) __attribute__((always_inline)) {
        total[r] += load(a + (i + (r < used ? r : used - 1)) * stride + s);
      });
    const Pack sums_of_rows = lane_sums(total);
    for (int r = 0; r < used; ++r) g[i + r] += sums_of_rows[r];
  }
}

constexpr long sign_bit = -0x7fffffffffffffff - 1;

[[gnu::always_inline]] inline Pack magnitude(Pack z) { return (Pack)((Mask)z & ~sign_bit); }
/// -x where the sign bit of `signs` is set.
[[gnu::always_inline]] inline Pack signed_by(Mask signs, Pack x) { return (Pack)((Mask)x ^ (signs & sign_bit)); }

/// The lesser or greater of two; y if any is nan. The compiler finds the one instruction for it only where it does not
/// see where x and y come from.
[[gnu::always_inline]] inline Pack lesser(Pack x, Pack y) {
  hold(x);
  hold(y);
  return x < y ? x : y;
}
[[gnu::always_inline]] inline Pack greater(Pack x, Pack y) {
  hold(x);
  hold(y);
  return x > y ? x : y;
}

/// c[0] + x (c[1] + x (c[2] + ...)).
template <int n>
[[gnu::always_inline]] inline Pack polynomial(Pack x, const double (&c)[n]) {
  Pack p = all(c[n - 1]);
  repeat<n - 1>([&](auto i) __attribute__((always_inline)) { p = p * x + c[n - 2 - i]; });
  return p;
}

/// n rounds 2 x/ln 2, and t = 2^n for n in [-1022, 1023]; n = -1023 gives 0 and n = 1024 infinity. Adding 1.5 2^52
/// rounds to a whole number, which fills the last bits of the sum; biased, it is the exponent of t.
struct Power {
  Pack n, t;

  [[gnu::always_inline]] explicit Power(Pack x) {
    constexpr double magic = 0x1.8p52 + 1023, two_over_ln2 = 0x1.71547652b82fep+1;
    const Pack shifted = x * two_over_ln2 + magic;
    n = shifted - magic;
    t = (Pack)((Mask)shifted << 52);
  }
};

/// tanh r = u/(2 q) and e^2r = plus/minus with plus, minus = q +- u/2, for |r| <= ln(2)/4: what Power leaves of x.
/// u/r and 2 q are polynomials in r^2 that begin with 1, a minimax fit of tanh(r)/r with a relative error of 6e-18.
struct Ratio {
  Pack u, plus, minus;

  [[gnu::always_inline]] explicit Ratio(Pack r) {
    const Pack s = r * r, q = polynomial(s, {.5, 0x1.c7195e540feb4p-3, 0x1.03fc91f254209p-7});
    u = r + r * s * polynomial(s, {0x1.c71023faea718p-4, 0x1.1532364af21cfp-10});
    plus = q + u / 2;
    minus = q - u / 2;
  }
};

/// e^(2 x - 2 low) = a/b, b in [0.4, 0.6]; a = 0 below e^-708.74. Of ln(2)/2 two pieces are taken off, n times the
/// first exact (Cody and Waite 1980).
struct Exponential {
  Pack a, b;

  [[gnu::always_inline]] explicit Exponential(Pack x, Pack low = Pack{}) {
    const Power p(x);
    const Ratio e(x - p.n * 0x1.62e42fefa3p-2 - low - p.n * 0x1.3de6af278ece6p-43);
    a = p.t * e.plus;
    b = e.minus;
  }
};

/// Where e^x = 0 by the above.
constexpr double vanishing = -709.1;

/// e^x: 0 below -708.74 and infinite above 709.43, where the exponent leaves the range of normal doubles.
[[gnu::always_inline]] inline Pack exponential(Pack x) {
  const Exponential e(greater(all(vanishing), lesser(all(710), x)) / 2);
  return e.a / e.b;
}

/// A(w) in 2 artanh(s)/s = 2 + w A(w), w = s^2 <= 1/9: a minimax fit that leaves artanh a relative error of 2e-18.
[[gnu::always_inline]] inline Pack artanh_series(Pack w) {
  return polynomial(w, {0x1.5555555555535p-1, 0x1.99999999a07c9p-2, 0x1.249249208869cp-2, 0x1.c71c741e75f2cp-3,
                        0x1.745cb3b60d352p-3, 0x1.3b1de1daea275p-3, 0x1.10676dd624aedp-3, 0x1.efdddfd51e362p-4,
                        0x1.5597e111b6286p-4, 0x1.5c90f77997665p-3});
}

/// ln(1 + x) = 2 artanh s, s = x/(2 + x), for x in [0, 1]; 2 s = x - s x leaves x exact.
[[gnu::always_inline]] inline Pack log_one_plus(Pack x) {
  const Pack s = x / (2 + x), w = s * s;
  return x - s * (x - w * artanh_series(w));
}

struct Jet {
  Pack value, slope, curvature;
};

/// With x = |z| and e^2x = t plus/minus, tanh x = (e^2x - 1)/(e^2x + 1) = d/(d + 2 minus), d = (t - 1) minus + t u,
/// where nothing cancels for t = 1. Beyond 20 tanh is 1 to the last bit, and up to there one piece of ln(2)/2 is
/// enough. One division for two vectors was slower, with 4 and with 8 lanes.
struct Tanh {
  [[gnu::always_inline]] static Jet at(Pack z) {
    const Pack x = lesser(all(20), magnitude(z));
    const Power p(x);
    const Ratio e(x - p.n * 0x1.62e42fefa39efp-2);
    const Pack d = (p.t - 1) * e.minus + p.t * e.u;
    const Pack f = signed_by((Mask)z, d / (d + 2 * e.minus)), slope = 1 - f * f;
    return {f, slope, -2 * f * slope};
  }
};

struct Relu {
  [[gnu::always_inline]] static Jet at(Pack z) { return {greater(all(0), z), z > 0 ? all(1) : all(0), all(0)}; }
};

/// e^z = a/b gives a/(a + b) and its complement b/(a + b), neither formed as a difference.
struct Sigmoid {
  [[gnu::always_inline]] static Jet at(Pack z) {
    const Exponential e(greater(all(vanishing), lesser(all(708), z)) / 2);
    const Pack inverse = 1 / (e.a + e.b), f = e.a * inverse, rest = e.b * inverse, slope = f * rest;
    return {f, slope, slope * (rest - f)};
  }
};

/// ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), and with e^-|z| = a/b that logarithm is 2 artanh s, s = a/(a + 2 b). One
/// reciprocal serves s and 1/(1 + e^|z|) = a/(a + b), the slope or its complement.
struct Softplus {
  [[gnu::always_inline]] static Jet at(Pack z) {
    const Exponential e(lesser(all(-vanishing), magnitude(z)) / -2);
    const Pack sum = e.a + e.b, longer = sum + e.b, inverse = 1 / (sum * longer);
    const Pack s = e.a * sum * inverse, w = s * s, minor = e.a * longer * inverse, major = 1 - minor;
    return {greater(all(0), z) + s * (2 + w * artanh_series(w)), z >= 0 ? major : minor, minor * major};
  }
};

/// z Phi(z) = max(z, 0) - x Phi(-x) with x = |z|, and Phi(-x) = e^(-x^2/2) p/q with p, q of degrees 8 and 9, a weighted
/// minimax fit on [0, 22]: the relative error is 7e-17 up to 1, 5e-15 up to 22, and 8e-12 where the exponential
/// vanishes. x/2 is cut to 26 bits before it is squared, so that the exponent is exact.
struct Gelu {
  [[gnu::always_inline]] static Jet at(Pack z) {
    constexpr double peak = 0.39894228040143268, end = 37.66;  // of the normal density; e^(-end^2/2) = 0
    const Pack x = lesser(all(end), magnitude(z)), half = x / 2, high = (Pack)((Mask)half & -0x8000000);
    const Exponential e(-(high * high), (half - high) * (half + high));
    const Pack p =
        polynomial(x, {.5, 0x1.608c50efcca40p-1, 0x1.e15946e2e8ad8p-2, 0x1.9ca340fa7224bp-3, 0x1.e00a9c111ccf8p-5,
                       0x1.8238da05a8fd8p-7, 0x1.a3e7faa3f8e7fp-10, 0x1.1b718db683e93p-13, 0x1.6fe86454cab79p-18});
    const Pack q = polynomial(x, {1, 0x1.16673d47372c2p+1, 0x1.16788a6e52c15p+1, 0x1.5137ae29e1a8dp+0,
                                  0x1.115ceb85bb30ap-1, 0x1.34fcea1abe263p-3, 0x1.e99bbb6494ebcp-6,
                                  0x1.0809aa6392083p-8, 0x1.633e6bdcd8d9dp-12, 0x1.cd1aa13a81699p-17});
    const Pack common = e.a / (e.b * q), density = common * (peak * q), tail = common * p, slope = tail - x * density;
    return {greater(all(0), z) - x * tail, z > 0 ? 1 - slope : slope, density * (2 - x * x)};
  }
};

/// Sine and cosine of r = z - n pi/2, |r| <= pi/4, where n pi/2 comes off in three pieces (Cody and Waite 1980), n
/// times the first two exact for |z| <= 1e6. Minimax fits of (sin(r)/r - 1)/r^2 and (cos(r) - 1 + r^2/2)/r^4 leave
/// relative errors of 1e-17 and 2e-18.
struct Sin {
  static constexpr double reach = 1e6;

  [[gnu::always_inline]] static Jet at(Pack z) {
    constexpr double magic = 0x1.8p52, two_over_pi = 0x1.45f306dc9c883p-1;
    const Pack shifted = z * two_over_pi + magic, n = shifted - magic;
    const Pack r = z - n * 0x1.921fb544p0 - n * 0x1.0b4611a6p-34 - n * 0x1.3198a2e037073p-69, s = r * r;
    const Pack sine = r + r * s *
                              polynomial(s, {-0x1.5555555555548p-3, 0x1.111111110f7cep-7, -0x1.a01a019bfdae5p-13,
                                             0x1.71de3567994fep-19, -0x1.ae5e5a62abe53p-26, 0x1.5d8fc3af7fddbp-33});
    const Pack cosine = 1 + s * polynomial(s, {-.5, 0x1.555555555554cp-5, -0x1.6c16c16c15182p-10, 0x1.a01a019cb2394p-16,
                                               -0x1.27e4f80a4ddbfp-22, 0x1.1ee9ec2b148efp-29, -0x1.8faebfd464451p-37});
    const Mask quarter = (Mask)shifted;
    const auto odd = (quarter & 1) != 0;
    const Pack f = signed_by(quarter << 62, odd ? cosine : sine);
    return {f, signed_by((quarter + 1) << 62, odd ? sine : cosine), -f};
  }
};

/// Where some |z| exceed what Sin takes, the library's for these.
struct FarSin {
  [[gnu::always_inline]] static Jet at(Pack z) {
    Jet j = Sin::at(z);
    for (int i = 0; i < lanes; ++i)
      if (std::abs(z[i]) > Sin::reach) j.value[i] = std::sin(z[i]), j.slope[i] = std::cos(z[i]);
    j.curvature = -j.value;
    return j;
  }
};

struct Identity {
  [[gnu::always_inline]] static Jet at(Pack z) { return {z, all(1), all(0)}; }
};

template <class Visit>
[[gnu::always_inline]] inline void each(Index rows, Index samples, Index stride, Visit visit) {
  for (Index i = 0; i < rows; ++i)
    for (Index s = i * stride; s < i * stride + samples; s += lanes) visit(s);
}

template <class Activation>
void apply(Index rows, Index samples, Index stride, const double* z, double* f, double* f1, double* f2) {
  each(rows, samples, stride, [=](Index s) {
    const Jet j = Activation::at(load(z + s));
    store(f + s, j.value);
    if (f1) store(f1 + s, j.slope);
    if (f2) store(f2 + s, j.curvature);
  });
}

/// Whether |z| <= bound everywhere. Bit patterns of positive numbers have the order of the numbers.
bool within(double bound, Index rows, Index samples, Index stride, const double* z) {
  Mask room{};
  each(rows, samples, stride, [&](Index s) { room |= (Mask)all(bound) - (Mask)magnitude(load(z + s)); });
  for (int i = 0; i < lanes; ++i)
    if (room[i] < 0) return false;
  return true;
}

void apply_sin(Index rows, Index samples, Index stride, const double* z, double* f, double* f1, double* f2) {
  const bool near = within(Sin::reach, rows, samples, stride, z);
  return near ? apply<Sin>(rows, samples, stride, z, f, f1, f2) : apply<FarSin>(rows, samples, stride, z, f, f1, f2);
}

void activate(Function function, Index rows, Index samples, Index stride, const double* z, double* f, double* f1,
              double* f2) {
  switch (function) {
    case Function::tanh: return apply<Tanh>(rows, samples, stride, z, f, f1, f2);
    case Function::relu: return apply<Relu>(rows, samples, stride, z, f, f1, f2);
    case Function::gelu: return apply<Gelu>(rows, samples, stride, z, f, f1, f2);
    case Function::softplus: return apply<Softplus>(rows, samples, stride, z, f, f1, f2);
    case Function::sigmoid: return apply<Sigmoid>(rows, samples, stride, z, f, f1, f2);
    case Function::sin: return apply_sin(rows, samples, stride, z, f, f1, f2);
    case Function::identity: return apply<Identity>(rows, samples, stride, z, f, f1, f2);
  }
}

void push_forward(Index rows, Index samples, Index stride, const double* rz, const double* slope, double* rf) {
  each(rows, samples, stride, [=](Index s) { store(rf + s, load(rz + s) * load(slope + s)); });
}

void bend(Index rows, Index samples, Index stride, const double* slope, double* bend, double* d) {
  each(rows, samples, stride, [=](Index s) {
    const Pack adjoint = load(d + s);
    store(bend + s, adjoint * load(bend + s));
    store(d + s, adjoint * load(slope + s));
  });
}

void pull_back(Index rows, Index samples, Index stride, const double* slope, const double* bend, const double* rz,
               double* rd) {
  each(rows, samples, stride,
       [=](Index s) { store(rd + s, load(rd + s) * load(slope + s) + load(bend + s) * load(rz + s)); });
}

[[gnu::always_inline]] inline Pack labels(const int* y) { return __builtin_convertvector(read<Whole>(y), Pack); }

/// Lanes whose sample exists.
[[gnu::always_inline]] inline auto existing(Index sample, Index used) {
  Mask index;
  for (int i = 0; i < lanes; ++i) index[i] = i;
  return index < static_cast<long>(used - sample);
}

double logistic(Index used, Index samples, const double* z, const int* y, double* d) {
  Pack total{};
  for (Index s = 0; s < samples; s += lanes) {
    // With m = (2 y - 1) f the loss is ln(1 + e^-m) = max(-m, 0) + ln(1 + e^-|m|), its derivative -1/(1 + e^m).
    const Pack sign = 2 * labels(y + s) - 1, m = sign * load(z + s);
    const Pack e = exponential(-magnitude(m));
    const auto there = existing(s, used);
    total += there ? (m < 0 ? -m : 0 * m) + log_one_plus(e) : all(0);
    if (d) store(d + s, there ? -sign * (m >= 0 ? e : all(1)) / (1 + e) : all(0));
  }
  return sum(total);
}

double softmax(Index used, Index samples, Index classes, Index stride, const double* z, const int* y, double* d,
               Index d_stride) {
  Pack total{};
  for (Index s = 0; s < samples; s += lanes) {
    Pack top = load(z + s);
    for (Index c = 1; c < classes; ++c) {
      const Pack f = load(z + c * stride + s);
      top = f > top ? f : top;
    }
    // The first largest term is left out of the sum, so that the logarithm sees 1 + the rest.
    const Pack truth = labels(y + s);
    Pack rest{}, chosen{};
    Mask taken{};
    for (Index c = 0; c < classes; ++c) {
      const Pack f = load(z + c * stride + s), e = exponential(f - top);
      const Mask first = (f == top) & ~taken;
      taken |= first;
      rest += first ? all(0) : e;
      chosen = truth == static_cast<double>(c) ? f : chosen;
      if (d) store(d + c * d_stride + s, e);
    }
    const auto there = existing(s, used);
    // rest may exceed 1 with many classes; the logarithm then needs no care near zero.
    Pack logarithm = log_one_plus(rest <= 1 ? rest : all(1));
    for (int i = 0; i < lanes; ++i)
      if (rest[i] > 1) logarithm[i] = std::log1p(rest[i]);
    total += there ? logarithm + (top - chosen) : all(0);
    for (Index c = 0; d && c < classes; ++c) {
      double* to = d + c * d_stride + s;
      const Pack p = load(to) / (1 + rest);
      store(to, there ? (truth == static_cast<double>(c) ? p - 1 : p) : all(0));
    }
  }
  return sum(total);
}

template <Pack function(Pack)>
void map(Index n, const double* x, double* y) {
  for (Index i = 0; i < n; i += lanes) store(y + i, function(load(x + i)));
}

constexpr Kernel kernel{lanes, products,  outer,    sums,    activate,         push_forward,
                        bend,  pull_back, logistic, softmax, map<exponential>, map<log_one_plus>};

}  // namespace

template <>
const Kernel& compiled<lanes>() {
  return kernel;
}

}  // namespace thalweg::kernel
