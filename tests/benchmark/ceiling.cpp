// Compiled once for each instruction set, with the flags of the kernel of that set.

#include "ceiling.hpp"

namespace thalweg::bench {
namespace {

constexpr int lanes = THALWEG_LANES;
using Pack = double __attribute__((vector_size(lanes * sizeof(double))));

// Two units with a latency of four or five cycles are full from ten on; twelve and two operands fit into 16 registers.
constexpr int accumulators = 12;
constexpr int rounds = 4096;

void run(double* state) {
  const Pack a = Pack{} + .5, b = Pack{} + 1;
  Pack x[accumulators];
  __builtin_memcpy(x, state, sizeof x);
  for (int round = 0; round < rounds; ++round)
    for (Pack& each : x) each = a * each + b;
  __builtin_memcpy(state, x, sizeof x);
}

constexpr MultiplyAdds work{accumulators * lanes, 2. * accumulators* lanes* rounds, run};

}  // namespace

template <>
const MultiplyAdds& multiply_adds<lanes>() {
  return work;
}

}  // namespace thalweg::bench
