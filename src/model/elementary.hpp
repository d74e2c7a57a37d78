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

/// c[first] + x (c[first + step] + x (c[first + 2 step] + ...)).
template <int first, int step, class P, int n>
[[gnu::always_inline]] inline P horner(P x, const double (&c)[n]) {
  constexpr int count = (n - first + step - 1) / step;
  P p = all<P>(c[first + (count - 1) * step]);
  repeat<count - 1>([&](auto i) __attribute__((always_inline)) {
    p = p * x + static_cast<Scalar<P>>(c[first + (count - 2 - i) * step]);
  });
  return p;
}

/// The sum of c[k] x^k; a long one in two halves, which do not wait for each other.
template <class P, int n>
[[gnu::always_inline]] inline P polynomial(P x, const double (&c)[n]) {
  if constexpr (n < 8)
    return horner<0, 1>(x, c);
  else
    return horner<0, 2>(x * x, c) + x * horner<1, 2>(x * x, c);
}
/// The same with the coefficients of P's precision.
template <class P, int n, int m>
[[gnu::always_inline]] inline P polynomial(P x, const double (&of_double)[n], const double (&of_float)[m]) {
  if constexpr (single<P>)
    return polynomial(x, of_float);
  else
    return polynomial(x, of_double);
}

/// n rounds f x/ln 2, and t = 2^n for n in [-1022, 1023]; n = -1023 gives 0 and n = 1024 infinity. Adding 1.5 2^52
/// rounds to a whole number, which fills the last bits of the sum; biased, it is the exponent of t. In single
/// precision these are [-126, 127], -127, 128 and 2^23.
template <class P, double f>
struct Power {
  using Form = Format<Scalar<P>>;
  P n, t;

  [[gnu::always_inline]] explicit Power(P x) {
    constexpr auto magic = static_cast<Scalar<P>>(1.5 * (1L << Form::fraction) + Form::bias);
    const P shifted = x * static_cast<Scalar<P>>(f * 0x1.71547652b82fep+0) + magic;
    n = shifted - magic;
    t = (P)((Mask<P>)shifted << Form::fraction);
  }
};

/// tanh(f r/2) = f u/(4 q) for |f r| <= ln(2)/2: what Power leaves of x. u = r + r s c, and c and 2 q = 1 + ... are
/// polynomials in s = r^2, a minimax fit of tanh(r)/r with a relative error of 6e-18, 7e-10 in single precision.
template <class P, double f, double scale = 1.>
struct Ratio {
  P s, q, c;  // c times the scale

  [[gnu::always_inline]] explicit Ratio(P r) : s(r * r) {
    constexpr double h2 = f * f / 4, h4 = h2 * h2;
    q = polynomial(s, {.5, 0x1.c7195e540feb4p-3 * h2, 0x1.03fc91f254209p-7 * h4}, {.5, 0.19996013830530381 * h2});
    c = polynomial(s, {0x1.c71023faea718p-4 * h2 * scale, 0x1.1532364af21cfp-10 * h4 * scale},
                   {0.06658718878409015 * h2 * scale});
  }
};

/// e^(f x) = a/b, f a power of two and perhaps negative, b in [0.4, 0.6]; a = 0 below e^-708.74, or e^-87.68. Of
/// ln(2)/f two pieces are taken off, n times the first exact (Cody and Waite 1980); one piece where an absolute error
/// of 1e-17, or 1e-8, is enough.
template <class P, double f, int pieces = 2>
struct Exponential {
  P a, b;

  [[gnu::always_inline]] explicit Exponential(P x) {
    constexpr double scale = f / 4;
    const Power<P, f> p(x);
    const P r = pieces == 1 ? x - p.n * of(0x1.62e42fefa39efp-1)
                            : x - p.n * of(pick<P>(0x1.62e42fefa3p-1, 0x1.62e4p-1)) -
                                  p.n * of(pick<P>(0x1.3de6af278ece6p-42, 0x1.7f7d1cp-20));
    const Ratio<P, f, scale> e(r);
    const P v = r * (static_cast<Scalar<P>>(scale) + e.s * e.c);
    a = p.t * (e.q + v);
    b = e.q - v;
  }

 private:
  static constexpr Scalar<P> of(double piece) { return static_cast<Scalar<P>>(piece / f); }
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
  const Exponential<P, 1.> e(greater(all<P>(vanishing<P>), lesser(all<P>(exploding<P>), x)));
  return e.a / e.b;
}

/// A(w) in 2 artanh(s)/s = 2 + w A(w), w = s^2 <= 1/9: a minimax fit that leaves artanh a relative error of 5e-17,
/// 5e-9 in single precision.
template <class P>
[[gnu::always_inline]] inline P artanh_series(P w) {
  return polynomial(
      w,
      {0x1.5555555555937p-1, 0x1.99999998ebdcfp-2, 0x1.2492497829e4bp-2, 0x1.c71c4a6da46f6p-3, 0x1.74624fefd421dp-3,
       0x1.3aa9285afd0f0p-3, 0x1.163f6a5d1cdfap-3, 0x1.959e9b6360151p-4, 0x1.6b4f6b40911fcp-3},
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

/// With x = |z| and e^2x = t (q + u/2)/(q - u/2), tanh x = (e^2x - 1)/(e^2x + 1) = d/(d + 2 b), b = q - u/2 and
/// d = (t - 1) b + t u, where nothing cancels for t = 1. Beyond 20, or 10, tanh is 1 to the last bit, and up to there
/// one piece of ln(2)/2 is enough. One division for two vectors was slower, with 4 and with 8 lanes.
struct Tanh {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    const P x = lesser(all<P>(pick<P>(20, 10)), magnitude(z));
    const Power<P, 2.> p(x);
    const P r = x - p.n * static_cast<Scalar<P>>(0x1.62e42fefa39efp-2);
    const Ratio<P, 2.> e(r);
    const P u = r + r * e.s * e.c, b = e.q - static_cast<Scalar<P>>(.5) * u, d = (p.t - 1) * b + p.t * u;
    const P f = signed_by((Mask<P>)z, d / (d + 2 * b)), slope = 1 - f * f;
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
    const Exponential<P, 1.> e(greater(all<P>(vanishing<P>), lesser(all<P>(pick<P>(708, 87)), z)));
    const P inverse = 1 / (e.a + e.b), f = e.a * inverse, rest = e.b * inverse, slope = f * rest;
    return {f, slope, slope * (rest - f)};
  }
};

/// ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), and with e^-|z| = a/b that logarithm is 2 artanh s, s = a/(a + 2 b). Its
/// slope is a/(a + b) = 2 s/(1 + s) or the complement. In two stages, of which the second takes z and s.
struct Softplus {
  template <class P>
  [[gnu::always_inline]] static P start(P z) {
    const Exponential<P, -1., 1> e(lesser(all<P>(-vanishing<P>), magnitude(z)));
    return e.a / (e.a + 2 * e.b);
  }

  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z, P s) {
    const P w = s * s, minor = 2 * s / (1 + s), major = 1 - minor;
    return {greater(all<P>(0), z) + s * (2 + w * artanh_series(w)), z >= 0 ? major : minor, minor * major};
  }
};

/// z Phi(z) = max(z, 0) - x Phi(-x) with x = |z|, and Phi(-x) = e^(-x^2/2) p/q with p, q of degrees 7 and 8, a minimax
/// fit on [0, 12] with a weight that falls as the tail does: of Phi(-x) the relative error is 2e-17 up to 1, 1e-11 up
/// to 12 and 4e-8 where the exponential vanishes, so that Phi is right to the last bit; in single precision of degrees
/// 3 and 4 with 9e-9 up to 1.
struct Gelu {
  template <class P>
  [[gnu::always_inline]] static Jet<P> at(P z) {
    constexpr auto peak = static_cast<Scalar<P>>(0.39894228040143268);  // of the normal density
    constexpr double end = pick<P>(37.66, 13.27);                       // e^(-end^2/2) = 0
    const P x = lesser(all<P>(end), magnitude(z)), square = x * x;
    const Exponential<P, -.5, 1> e(square);
    const P p = polynomial(x,
                           {.5, 0x1.2b6db75d67c64p-1, 0x1.5e78e42e55e3bp-2, 0x1.f9887a4413799p-4, 0x1.de1cb0b2d0d2dp-6,
                            0x1.269bbd2d771f8p-8, 0x1.b63d365f6d131p-12, 0x1.315d1c4c6029cp-16},
                           {.5, 0x1.44ff5887e5944p-2, 0x1.87468c23ea3fdp-4, 0x1.7ff06cc951648p-7});
    const P q = polynomial(x,
                           {1, 0x1.f7afe0fc09780p+0, 0x1.c11ec69b4b4f6p+0, 0x1.db8f8bc26b827p-1, 0x1.484110f36811cp-2,
                            0x1.2fe64d6e83d9cp-4, 0x1.72bbba7f388eep-7, 0x1.12a010448a379p-10, 0x1.7eb78344751d7p-15},
                           {1, 0x1.6ec1ce1334045p+0, 0x1.ab14e0ad4b91dp-1, 0x1.e8a384feffec2p-3, 0x1.e1c66d060b33ap-6});
    const P common = e.a / (e.b * q), density = common * (peak * q), tail = common * p, slope = tail - x * density;
    return {greater(all<P>(0), z) - x * tail, z > 0 ? 1 - slope : slope, density * (2 - square)};
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
