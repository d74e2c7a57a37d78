#pragma once

#include <cmath>
#include <limits>

#include "pack.hpp"

// Elementary functions and activations, rational or polynomial, fitted by Remez's exchange, then rounded; where single
// precision is served by fewer terms, these come second.

namespace thalweg::kernel {
namespace {

/// A floating-point format: bits of the fraction, bias of the exponent.
template <class T>
struct Format;
template <>
struct Format<double> {
  static constexpr int fraction = 52, bias = 1023;
};
template <>
struct Format<float> {
  static constexpr int fraction = 23, bias = 127;
};

/// The one of two constants that belongs to the precision of P.
template <class P>
constexpr double pick(double of_double, double of_float) {
  return single<P> ? of_float : of_double;
}

template <class P>
constexpr auto sign_bit = std::numeric_limits<Scalar<Mask<P>>>::min();

template <class P>
[[gnu::always_inline]] inline P magnitude(P z) {
  return (P)((Mask<P>)z & ~sign_bit<P>);
}
/// -x where the sign bit of `signs` is set.
template <class P>
[[gnu::always_inline]] inline P signed_by(Mask<P> signs, P x) {
  return (P)((Mask<P>)x ^ (signs & sign_bit<P>));
}

/// The lesser or greater of two; y if any is nan. The compiler finds the one instruction for it only where it does not
/// see where x and y come from.
template <class P>
[[gnu::always_inline]] inline P lesser(P x, P y) {
  hold(x);
  hold(y);
  return x < y ? x : y;
}
template <class P>
[[gnu::always_inline]] inline P greater(P x, P y) {
  hold(x);
  hold(y);
  return x > y ? x : y;
}

/// c[0] + x (c[1] + x (c[2] + ...)).
template <class P, int n>
[[gnu::always_inline]] inline P polynomial(P x, const double (&c)[n]) {
  P p = all<P>(c[n - 1]);
  repeat<n - 1>([&](auto i) __attribute__((always_inline)) { p = p * x + static_cast<Scalar<P>>(c[n - 2 - i]); });
  return p;
}
/// The same with the coefficients of P's precision.
template <class P, int n, int m>
[[gnu::always_inline]] inline P polynomial(P x, const double (&of_double)[n], const double (&of_float)[m]) {
  if constexpr (single<P>)
    return polynomial(x, of_float);
  else
    return polynomial(x, of_double);
}

/// n rounds 2 x/ln 2, and t = 2^n for n in [-1022, 1023]; n = -1023 gives 0 and n = 1024 infinity. Adding 1.5 2^52
/// rounds to a whole number, which fills the last bits of the sum; biased, it is the exponent of t. In single
/// precision these are [-126, 127], -127, 128 and 2^23.
template <class P>
struct Power {
  using Form = Format<Scalar<P>>;
  P n, t;

  [[gnu::always_inline]] explicit Power(P x) {
    constexpr auto magic = static_cast<Scalar<P>>(1.5 * (1L << Form::fraction) + Form::bias);
    const P shifted = x * static_cast<Scalar<P>>(0x1.71547652b82fep+1) + magic;
    n = shifted - magic;
    t = (P)((Mask<P>)shifted << Form::fraction);
  }
};

/// tanh r = u/(2 q) and e^2r = plus/minus with plus, minus = q +- u/2, for |r| <= ln(2)/4: what Power leaves of x.
/// u/r and 2 q are polynomials in r^2 that begin with 1, a minimax fit of tanh(r)/r with a relative error of 6e-18,
/// 7e-10 in single precision.
template <class P>
struct Ratio {
  P u, plus, minus;

  [[gnu::always_inline]] explicit Ratio(P r) {
    const P s = r * r, q = polynomial(s, {.5, 0x1.c7195e540feb4p-3, 0x1.03fc91f254209p-7}, {.5, 0.19996013830530381});
    u = r + r * s * polynomial(s, {0x1.c71023faea718p-4, 0x1.1532364af21cfp-10}, {0.06658718878409015});
    plus = q + u / 2;
    minus = q - u / 2;
  }
};

/// e^(2 x - 2 low) = a/b, b in [0.4, 0.6]; a = 0 below e^-708.74, or e^-87.68. Of ln(2)/2 two pieces are taken off, n
/// times the first exact (Cody and Waite 1980).
template <class P>
struct Exponential {
  P a, b;

  [[gnu::always_inline]] explicit Exponential(P x, P low = P{}) {
    using T = Scalar<P>;
    const Power<P> p(x);
    constexpr T first = pick<P>(0x1.62e42fefa3p-2, 0x1.62e4p-2), rest = pick<P>(0x1.3de6af278ece6p-43, 0x1.7f7d1cp-21);
    const Ratio<P> e(x - p.n * first - low - p.n * rest);
    a = p.t * e.plus;
    b = e.minus;
  }
};

/// Where e^x = 0 by the above, and where it is infinite.
template <class P>
constexpr double vanishing = pick<P>(-709.1, -88.03);
template <class P>
constexpr double exploding = pick<P>(710, 88.7);

/// e^x: 0 below -708.74 and infinite above 709.43, where the exponent leaves the range of normal doubles; of floats
/// -87.68 and 88.38.
template <class P>
[[gnu::always_inline]] inline P exponential(P x) {
  const Exponential<P> e(greater(all<P>(vanishing<P>), lesser(all<P>(exploding<P>), x)) / 2);
  return e.a / e.b;
}

/// A(w) in 2 artanh(s)/s = 2 + w A(w), w = s^2 <= 1/9: a minimax fit that leaves artanh a relative error of 2e-18,
/// 5e-9 in single precision.
template <class P>
[[gnu::always_inline]] inline P artanh_series(P w) {
  return polynomial(
      w,
      {0x1.5555555555535p-1, 0x1.99999999a07c9p-2, 0x1.249249208869cp-2, 0x1.c71c741e75f2cp-3, 0x1.745cb3b60d352p-3,
       0x1.3b1de1daea275p-3, 0x1.10676dd624aedp-3, 0x1.efdddfd51e362p-4, 0x1.5597e111b6286p-4, 0x1.5c90f77997665p-3},
      {0.6666641628561112, 0.4002152724140579, 0.2800180523707234, 0.2801198700034802});
}

/// ln(1 + x) = 2 artanh s, s = x/(2 + x), for x in [0, 1]; 2 s = x - s x leaves x exact.
template <class P>
[[gnu::always_inline]] inline P log_one_plus(P x) {
  const P s = x / (2 + x), w = s * s;
  return x - s * (x - w * artanh_series(w));
}

template <class P>
struct Jet {
  P value, slope, curvature;
};

/// With x = |z| and e^2x = t plus/minus, tanh x = (e^2x - 1)/(e^2x + 1) = d/(d + 2 minus), d = (t - 1) minus + t u,
/// where nothing cancels for t = 1. Beyond 20, or 10, tanh is 1 to the last bit, and up to there one piece of ln(2)/2
/// is enough. One division for two vectors was slower, with 4 and with 8 lanes.
struct Tanh {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    const P x = lesser(all<P>(pick<P>(20, 10)), magnitude(z));
    const Power<P> p(x);
    const Ratio<P> e(x - p.n * static_cast<Scalar<P>>(0x1.62e42fefa39efp-2));
    const P d = (p.t - 1) * e.minus + p.t * e.u;
    const P f = signed_by((Mask<P>)z, d / (d + 2 * e.minus)), slope = 1 - f * f;
    return {f, slope, -2 * f * slope};
  }
};

struct Relu {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    return {greater(all<P>(0), z), z > 0 ? all<P>(1) : all<P>(0), all<P>(0)};
  }
};

/// e^z = a/b gives a/(a + b) and its complement b/(a + b), neither formed as a difference.
struct Sigmoid {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    const Exponential<P> e(greater(all<P>(vanishing<P>), lesser(all<P>(pick<P>(708, 87)), z)) / 2);
    const P inverse = 1 / (e.a + e.b), f = e.a * inverse, rest = e.b * inverse, slope = f * rest;
    return {f, slope, slope * (rest - f)};
  }
};

/// ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), and with e^-|z| = a/b that logarithm is 2 artanh s, s = a/(a + 2 b). One
/// reciprocal serves s and 1/(1 + e^|z|) = a/(a + b), the slope or its complement.
struct Softplus {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    const Exponential<P> e(lesser(all<P>(-vanishing<P>), magnitude(z)) / -2);
    const P sum = e.a + e.b, longer = sum + e.b, inverse = 1 / (sum * longer);
    const P share = e.a * inverse, s = share * sum, w = s * s, minor = share * longer, major = 1 - minor;
    return {greater(all<P>(0), z) + s * (2 + w * artanh_series(w)), z >= 0 ? major : minor, minor * major};
  }
};

/// z Phi(z) = max(z, 0) - x Phi(-x) with x = |z|, and Phi(-x) = e^(-x^2/2) p/q with p, q of degrees 8 and 9, a weighted
/// minimax fit on [0, 22]: the relative error is 7e-17 up to 1, 5e-15 up to 22, and 8e-12 where the exponential
/// vanishes; in single precision of degrees 4 and 5 with 5e-9. x/2 is cut to half its bits before it is squared, so
/// that the exponent is exact.
struct Gelu {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    constexpr auto peak = static_cast<Scalar<P>>(0.39894228040143268);  // of the normal density
    constexpr double end = pick<P>(37.66, 13.27);                       // e^(-end^2/2) = 0
    constexpr auto half_of_bits = Scalar<Mask<P>>{-1} << (Format<Scalar<P>>::fraction + 2) / 2;
    const P x = lesser(all<P>(end), magnitude(z)), half = x / 2, high = (P)((Mask<P>)half & half_of_bits);
    const Exponential<P> e(-(high * high), (half - high) * (half + high));
    const P p = polynomial(x,
                           {.5, 0x1.608c50efcca40p-1, 0x1.e15946e2e8ad8p-2, 0x1.9ca340fa7224bp-3, 0x1.e00a9c111ccf8p-5,
                            0x1.8238da05a8fd8p-7, 0x1.a3e7faa3f8e7fp-10, 0x1.1b718db683e93p-13, 0x1.6fe86454cab79p-18},
                           {.5, 0x1.bde99p-2, 0x1.72ecdap-3, 0x1.46f73ep-5, 0x1.06a356p-8});
    const P q = polynomial(x,
                           {1, 0x1.16673d47372c2p+1, 0x1.16788a6e52c15p+1, 0x1.5137ae29e1a8dp+0, 0x1.115ceb85bb30ap-1,
                            0x1.34fcea1abe263p-3, 0x1.e99bbb6494ebcp-6, 0x1.0809aa6392083p-8, 0x1.633e6bdcd8d9dp-12,
                            0x1.cd1aa13a81699p-17},
                           {1, 0x1.ab36f6p+0, 0x1.319932p+0, 0x1.db00c4p-2, 0x1.99d22ap-4, 0x1.4929cep-7});
    const P common = e.a / (e.b * q), density = common * (peak * q), tail = common * p, slope = tail - x * density;
    return {greater(all<P>(0), z) - x * tail, z > 0 ? 1 - slope : slope, density * (2 - x * x)};
  }
};

/// Sine and cosine of r = z - n pi/2, |r| <= pi/4, where n pi/2 comes off in three pieces (Cody and Waite 1980), n
/// times the first two exact for |z| <= reach. Minimax fits of (sin(r)/r - 1)/r^2 and (cos(r) - 1 + r^2/2)/r^4 leave
/// relative errors of 1e-17 and 2e-18, in single precision 4e-9 and 1e-10.
struct Sin {
  template <class P>
  static constexpr double reach = pick<P>(1e6, 6e3);

  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    using T = Scalar<P>;
    constexpr auto magic = static_cast<T>(1.5 * (1L << Format<T>::fraction));
    constexpr T pieces[] = {pick<P>(0x1.921fb544p0, 0x1.92p0), pick<P>(0x1.0b4611a6p-34, 0x1.fb4p-12),
                            pick<P>(0x1.3198a2e037073p-69, 0x1.4442d2p-24)};
    const P shifted = z * static_cast<T>(0x1.45f306dc9c883p-1) + magic, n = shifted - magic;
    const P r = z - n * pieces[0] - n * pieces[1] - n * pieces[2], s = r * r;
    const P sine = r + r * s *
                           polynomial(s,
                                      {-0x1.5555555555548p-3, 0x1.111111110f7cep-7, -0x1.a01a019bfdae5p-13,
                                       0x1.71de3567994fep-19, -0x1.ae5e5a62abe53p-26, 0x1.5d8fc3af7fddbp-33},
                                      {-0x1.555546p-3, 0x1.11076p-7, -0x1.994eb4p-13});
    const P cosine = 1 + s * polynomial(s,
                                        {-.5, 0x1.555555555554cp-5, -0x1.6c16c16c15182p-10, 0x1.a01a019cb2394p-16,
                                         -0x1.27e4f80a4ddbfp-22, 0x1.1ee9ec2b148efp-29, -0x1.8faebfd464451p-37},
                                        {-.5, 0x1.55554ap-5, -0x1.6c0c8cp-10, 0x1.9a025ap-16});
    const Mask<P> quarter = (Mask<P>)shifted;
    constexpr int to_sign = 8 * sizeof(T) - 2;
    const auto odd = (quarter & 1) != 0;
    const P f = signed_by(quarter << to_sign, odd ? cosine : sine);
    return {f, signed_by((quarter + 1) << to_sign, odd ? sine : cosine), -f};
  }
};

/// Where some |z| exceed what Sin takes, the library's for these.
struct FarSin {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    Jet<P> j = Sin::at(z);
    for (int i = 0; i < lanes_of<Scalar<P>>; ++i)
      if (std::abs(z[i]) > static_cast<Scalar<P>>(Sin::reach<P>))
        j.value[i] = std::sin(z[i]), j.slope[i] = std::cos(z[i]);
    j.curvature = -j.value;
    return j;
  }
};

struct Identity {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    return {z, all<P>(1), all<P>(0)};
  }
};

}  // namespace
}  // namespace thalweg::kernel
