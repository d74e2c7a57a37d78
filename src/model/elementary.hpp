#pragma once

#include <cmath>

#include "pack.hpp"

// Elementary functions and activations, rational or polynomial, fitted by Remez's exchange in 50 digits, then rounded.

namespace thalweg::kernel {
namespace {

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

}  // namespace
}  // namespace thalweg::kernel
