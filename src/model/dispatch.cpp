#include "kernel.hpp"

namespace thalweg::kernel {
namespace {

const Kernel& choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return compiled<8>();
  if (__builtin_cpu_supports("x86-64-v3")) return compiled<4>();
#endif
  return compiled<2>();
}

}  // namespace

const Kernel& best() {
  static const Kernel& chosen = choose();
  return chosen;
}

}  // namespace thalweg::kernel
