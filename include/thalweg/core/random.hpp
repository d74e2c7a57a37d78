#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace thalweg {

/// What a random stream is for. Streams of different purposes never overlap.
enum class Purpose : std::uint64_t {
  points = 1,
  split,
  label_noise,
  start,
  batch,
  permutation,
  direction,
  probe,
  noise,
  smoothing,
  trace,
  sharpness,
  collocation
};

/// Counter-based random numbers, Philox 4x64-10 (Salmon et al., SC 2011): every stream is a pure function of
/// (seed, purpose, step), so that no draw depends on the order of execution, the rank count or an extra observer.
/// A uniform random bit generator of 64 bits.
class Stream {
 public:
  using result_type = std::uint64_t;

  Stream(std::uint64_t seed, Purpose purpose, std::uint64_t step = 0);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()();

  /// Uniform in [0, 1).
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal.
  double normal();
  /// Uniform in {0, ..., count - 1}; count > 0.
  std::uint64_t below(std::uint64_t count);

 private:
  std::array<std::uint64_t, 2> key_;
  std::array<std::uint64_t, 4> counter_, block_{};
  int used_ = 4;
};

}  // namespace thalweg
