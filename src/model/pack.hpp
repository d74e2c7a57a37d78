#pragma once

#include <type_traits>
#include <utility>

#include "kernel.hpp"

// Registers of THALWEG_LANES doubles or twice as many floats. For the kernel's translation unit only, which is compiled
// once for each instruction set; hence all of it is local.

namespace thalweg::kernel {
namespace {

constexpr int register_bytes = THALWEG_LANES * sizeof(double);
template <class T>
constexpr int lanes_of = register_bytes / sizeof(T);

template <class T, int count>
struct Vector {
  typedef T type __attribute__((vector_size(count * sizeof(T))));
};
template <class T>
using Pack = typename Vector<T, lanes_of<T>>::type;
/// What comparisons of registers give; its lanes are whole numbers as long as T.
template <class P>
using Mask = decltype(P{} < P{});
template <class P>
using Scalar = std::remove_cvref_t<decltype(P{}[0])>;

template <class P>
constexpr bool single = std::is_same_v<Scalar<P>, float>;

template <class P, class T>
P read(const T* from) {
  P p;
  __builtin_memcpy(&p, from, sizeof p);
  return p;
}

template <class T>
[[gnu::always_inline]] inline Pack<T> load(const T* from) {
  return read<Pack<T>>(from);
}
template <class T>
[[gnu::always_inline]] inline void store(T* to, std::type_identity_t<Pack<T>> p) {
  __builtin_memcpy(to, &p, sizeof p);
}
template <class P>
[[gnu::always_inline]] inline P all(double x) {
  return static_cast<Scalar<P>>(x) - P{};
}

/// Keeps a loaded register a register: otherwise the compiler folds the load into every instruction that uses it.
template <class P>
[[gnu::always_inline]] inline void hold([[maybe_unused]] P& p) {
#if defined(__x86_64__)
  asm("" : "+v"(p));
#endif
}

/// f(0), ..., f(n - 1) with constant arguments, so that arrays of accumulators become registers.
template <int n, class F>
[[gnu::always_inline]] inline void repeat(F f) {
  [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, i>{}), ...);
  }
  (std::make_integer_sequence<int, n>{});
}

/// Half a register of floats as doubles.
template <int which>
[[gnu::always_inline]] inline Pack<double> half(Pack<float> p) {
  using Half = Vector<float, THALWEG_LANES>::type;
  Half halves[2];
  __builtin_memcpy(halves, &p, sizeof p);
  return __builtin_convertvector(halves[which], Pack<double>);
}

/// Sums are kept in doubles whatever is summed: the halves of a register of floats, added.
[[gnu::always_inline]] inline Pack<double> widened(Pack<double> p) { return p; }
[[gnu::always_inline]] inline Pack<double> widened(Pack<float> p) { return half<0>(p) + half<1>(p); }

inline double sum(Pack<double> p) {
  double total = 0;
  for (int i = 0; i < lanes_of<double>; ++i) total += p[i];
  return total;
}

}  // namespace
}  // namespace thalweg::kernel
