#pragma once

#include <utility>

#include "kernel.hpp"

// Registers of THALWEG_LANES doubles. For the kernel's translation unit only, which is compiled once for each
// instruction set; hence all of it is local.

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
  }
  (std::make_integer_sequence<int, n>{});
}

inline double sum(Pack p) {
  double total = 0;
  for (int i = 0; i < lanes; ++i) total += p[i];
  return total;
}

}  // namespace
}  // namespace thalweg::kernel
