#pragma once

#include <array>
#include <cmath>

namespace thalweg::test {

/// Numbers with e1^2 = e2^2 = e3^2 = 0: a function of x + a e1 + b e2 + c e3 carries all its mixed derivatives along
/// three directions, without truncation.
struct Triple {
  long double value = 0;
  std::array<long double, 7> parts{};  // of e1, e2, e1 e2, e3, e1 e3, e2 e3, e1 e2 e3: the bits of index + 1

  /// The coefficient of the product of those e's whose bits are set.
  long double at(unsigned set) const { return set == 0 ? value : parts[set - 1]; }
};

/// Sums over the ways to split each set of e's in two.
inline Triple operator*(const Triple& x, const Triple& y) {
  Triple product{x.value * y.value, {}};
  for (unsigned set = 1; set < 8; ++set)
    for (unsigned part = 0; part < 8; ++part)
      if ((part & ~set) == 0) product.parts[set - 1] += x.at(part) * y.at(set & ~part);
  return product;
}
inline Triple operator+(Triple x, const Triple& y) {
  x.value += y.value;
  for (std::size_t i = 0; i < x.parts.size(); ++i) x.parts[i] += y.parts[i];
  return x;
}
inline Triple operator-(const Triple& x) { return Triple{-1} * x; }
inline Triple operator-(const Triple& x, const Triple& y) { return x + -y; }

/// f(x) from a function's first three derivatives: with d = x - value, d^4 = 0 and the Taylor series ends.
inline Triple compose(const Triple& x, long double f, long double f1, long double f2, long double f3) {
  const Triple d{0, x.parts};
  return Triple{f} + d * (Triple{f1} + d * (Triple{f2 / 2} + d * Triple{f3 / 6}));
}

inline Triple operator/(const Triple& x, const Triple& y) {
  const long double r = 1 / y.value;
  return x * compose(y, r, -r * r, 2 * r * r * r, -6 * r * r * r * r);
}
inline Triple exp(const Triple& x) {
  const long double e = std::exp(x.value);
  return compose(x, e, e, e, e);
}
inline Triple log(const Triple& x) {
  const long double r = 1 / x.value;
  return compose(x, std::log(x.value), r, -r * r, 2 * r * r * r);
}
inline Triple sin(const Triple& x) {
  const long double s = std::sin(x.value), c = std::cos(x.value);
  return compose(x, s, c, -s, -c);
}
inline Triple erf(const Triple& x) {
  const long double z = x.value, slope = 2 / std::sqrt(std::acos(-1.L)) * std::exp(-z * z);
  return compose(x, std::erf(z), slope, -2 * z * slope, (4 * z * z - 2) * slope);
}

}  // namespace thalweg::test
