#pragma once

namespace thalweg::bench {

/// A run of multiply-adds x <- a x + b in as many registers as keep every unit busy, in the instruction set of
/// kernel::compiled<lanes>().
struct MultiplyAdds {
  int doubles;                 // in the registers together
  double flops;                // of a run
  void (*run)(double* state);  // state: `doubles` finite numbers, read and written, so that no work can be left out
};

template <int lanes>
const MultiplyAdds& multiply_adds();

}  // namespace thalweg::bench
