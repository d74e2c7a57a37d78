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
// Elementary functions are rational or polynomial with coefficients in closed form (Pade, Taylor).

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

/// 2^n for whole n in [-1022, 1023], given as 1.5 2^52 + n.
[[gnu::always_inline]] inline Pack power_of_two(Pack shifted) {
  const Mask bits = (Mask)shifted;
  return (Pack)((bits + 1023) << 52);
}

/// e^y = 2^n (q + u)/(q - u) = 2^n (1 + 2 u/(q - u)): n rounds y/ln 2, r = y - n ln 2, and u, q are the odd and even part of the numerator of
/// the (6, 6) Pade approximant of e^r, whose relative error on |r| <= ln(2)/2 is 2e-19.
struct Exponential {
  Pack t, q, u;

  [[gnu::always_inline]] explicit Exponential(Pack y) {
    constexpr double magic = 0x1.8p52, log2e = 0x1.71547652b82fep0;
    constexpr double ln2_high = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;
    const Pack shifted = y * log2e + magic, n = shifted - magic;
    const Pack r = (y - n * ln2_high) - n * ln2_low, s = r * r;
    u = r * (332640 + s * (10080 + s * 42));
    q = 665280 + s * (75600 + s * (840 + s));
    t = power_of_two(shifted);
  }
};

[[gnu::always_inline]] inline Pack clamp(Pack x, double low, double high) {
  x = x < low ? all(low) : x;  // nan stays nan
  return x > high ? all(high) : x;
}

/// Below -708 the result is the least normal double instead of a denormal one.
[[gnu::always_inline]] inline Pack exponential(Pack x) {
  const Exponential e(clamp(x, -708, 709));
  return e.t + e.t * ((e.u + e.u) / (e.q - e.u));
}

/// tanh x = (e^2x - 1)/(e^2x + 1) = ((t - 1) q + (t + 1) u)/((t + 1) q + (t - 1) u): exact signs and no cancellation,
/// since t = 1 near zero. Beyond 20 tanh is 1 to the last bit.
struct TanhQuotient {
  Pack numerator, denominator;

  [[gnu::always_inline]] explicit TanhQuotient(Pack x) {
    const Exponential e(clamp(x + x, -40, 40));
    const Pack less = e.t - 1, more = e.t + 1;
    numerator = less * e.q + more * e.u;
    denominator = more * e.q + less * e.u;
  }
  [[gnu::always_inline]] Pack value() const { return numerator / denominator; }
  /// With the reciprocal of the denominator to a few units of rounding; one correction gives the quotient.
  [[gnu::always_inline]] Pack value(Pack reciprocal) const {
    const Pack rough = numerator * reciprocal;
    return rough + reciprocal * (numerator - denominator * rough);
  }
};

/// ln(1 + x) for x in [0, 1], with f = x, or (x - 1)/2 and ln 2 added where 1 + x > sqrt(2). ln(1 + f) = 2 artanh s,
/// s = f/(2 + f), and 2 s = f - s f leaves f exact: f - s (f - 2 s^2 (1/3 + s^2/5 + ...)). |s| < 0.172, so that the
/// 11 terms leave out less than 1e-18.
[[gnu::always_inline]] inline Pack log_one_plus(Pack x) {
  const auto large = x > 0.41421356237309503;
  const Pack f = large ? (x - 1) / 2 : x, s = f / (2 + f), w = s * s;
  Pack p = all(1. / 23);
  repeat<10>([&](auto i) __attribute__((always_inline)) { p = p * w + 1. / (21 - 2 * i); });
  const Pack value = f - s * (f - 2 * w * p);
  return large ? value + 0x1.62e42fefa39efp-1 : value;
}

struct Jet {
  Pack value, slope, curvature;
};

[[gnu::always_inline]] inline Pack magnitude(Pack z) { return z < 0 ? -z : z; }

struct Tanh {
  [[gnu::always_inline]] static Jet at(Pack z) {
    return of(TanhQuotient(z).value());
  }
  /// Two at once share one division, which takes as long as all the rest.
  [[gnu::always_inline]] static void at(Pack z0, Pack z1, Jet& j0, Jet& j1) {
    const TanhQuotient a(z0), b(z1);
    const Pack inverse = 1 / (a.denominator * b.denominator);
    j0 = of(a.value(inverse * b.denominator));
    j1 = of(b.value(inverse * a.denominator));
  }

 private:
  [[gnu::always_inline]] static Jet of(Pack t) {
    const Pack s = 1 - t * t;
    return {t, s, -2 * t * s};
  }
};

template <class Activation>
concept Paired = requires(Pack z, Jet& j) { Activation::at(z, z, j, j); };

struct Relu {
  [[gnu::always_inline]] static Jet at(Pack z) {
    return {z > 0 ? z : 0 * z, z > 0 ? all(1) : all(0), all(0)};
  }
};

/// 1/(1 + e) and e/(1 + e) with e = exp(-|z|) never overflow, and neither is formed as a difference.
struct Sigmoid {
  [[gnu::always_inline]] static Jet at(Pack z) {
    const Pack e = exponential(-magnitude(z)), large = 1 / (1 + e), small = e * large, slope = small * large;
    return {z >= 0 ? large : small, slope, slope * (z >= 0 ? small - large : large - small)};
  }
};

struct Softplus {
  [[gnu::always_inline]] static Jet at(Pack z) {
    const Pack e = exponential(-magnitude(z)), large = 1 / (1 + e), small = e * large;
    return {(z > 0 ? z : 0 * z) + log_one_plus(e), z >= 0 ? large : small, small * large};
  }
};

/// Density and distribution of the normal law, the latter by the library's erfc, lane by lane.
struct Gelu {
  [[gnu::always_inline]] static Jet at(Pack z) {
    constexpr double inverse_root = 0.70710678118654752, peak = 0.39894228040143268;
    const Pack density = peak * exponential(z * z / -2);
    Pack mass;
    for (int i = 0; i < lanes; ++i) mass[i] = std::erfc(-z[i] * inverse_root) / 2;
    return {z * mass, mass + z * density, density * (2 - z * z)};
  }
};

/// Sine and cosine by Taylor's series on [-pi/4, pi/4] after subtracting n pi/2 in three pieces (Cody and Waite 1980);
/// beyond 1e5 the library's.
struct Sin {
  [[gnu::always_inline]] static Jet at(Pack z) {
    constexpr double magic = 0x1.8p52, two_over_pi = 0x1.45f306dc9c883p-1;
    const Pack shifted = z * two_over_pi + magic, n = shifted - magic;
    const Pack r = ((z - n * 0x1.921fb54442d18p0) - n * 0x1.1a62633145c07p-54) + n * 0x1.f1976b7ed8fbcp-110, s = r * r;
    Pack sine = all(1. / 355687428096000), cosine = all(-1. / 6402373705728000);
    constexpr double odd[] = {-1. / 1307674368000, 1. / 6227020800, -1. / 39916800, 1. / 362880,
                              -1. / 5040,          1. / 120,        -1. / 6};
    constexpr double even[] = {1. / 20922789888000, -1. / 87178291200, 1. / 479001600, -1. / 3628800,
                               1. / 40320,          -1. / 720,         1. / 24,        -.5};
    repeat<7>([&](auto i) __attribute__((always_inline)) { sine = sine * s + odd[i]; });
    repeat<8>([&](auto i) __attribute__((always_inline)) { cosine = cosine * s + even[i]; });
    sine = r + r * s * sine;
    cosine = 1 + s * cosine;
    const Mask quarter = (Mask)shifted & 3;
    const Pack first = (quarter & 1) != 0 ? cosine : sine, second = (quarter & 1) != 0 ? sine : cosine;
    Jet j{(quarter & 2) != 0 ? -first : first, ((quarter + 1) & 2) != 0 ? -second : second, {}};
    for (int i = 0; i < lanes; ++i)
      if (!(z[i] < 1e5 && z[i] > -1e5)) {
        j.value[i] = std::sin(z[i]);
        j.slope[i] = std::cos(z[i]);
      }
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
  const auto keep = [=](Index s, const Jet& j) {
    store(f + s, j.value);
    if (f1) store(f1 + s, j.slope);
    if (f2) store(f2 + s, j.curvature);
  };
  for (Index i = 0; i < rows; ++i) {
    Index s = i * stride;
    const Index end = s + samples;
    if constexpr (Paired<Activation>)
      for (; s + 2 * lanes <= end; s += 2 * lanes) {
        Jet first, second;
        Activation::at(load(z + s), load(z + s + lanes), first, second);
        keep(s, first);
        keep(s + lanes, second);
      }
    for (; s < end; s += lanes) keep(s, Activation::at(load(z + s)));
  }
}

void activate(Function function, Index rows, Index samples, Index stride, const double* z, double* f, double* f1,
              double* f2) {
  switch (function) {
    case Function::tanh: return apply<Tanh>(rows, samples, stride, z, f, f1, f2);
    case Function::relu: return apply<Relu>(rows, samples, stride, z, f, f1, f2);
    case Function::gelu: return apply<Gelu>(rows, samples, stride, z, f, f1, f2);
    case Function::softplus: return apply<Softplus>(rows, samples, stride, z, f, f1, f2);
    case Function::sigmoid: return apply<Sigmoid>(rows, samples, stride, z, f, f1, f2);
    case Function::sin: return apply<Sin>(rows, samples, stride, z, f, f1, f2);
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
