#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/energy/functional.hpp"

namespace thalweg {

struct Sampling {
  std::string_view name, what;
};
std::span<const Sampling> samplings();

struct BatchPlan {
  Index size = 0;  // 0, or at least the number of samples: the whole set
  std::string sampling = "shuffle";
  std::uint64_t seed = 0;
};

/// The batch of a step, a pure function of (plan, samples, step); keeps the permutation of the current epoch.
class Batches {
 public:
  Batches(const BatchPlan& plan, Index samples);

  bool whole() const { return size_ == 0; }
  /// Valid until the next call.
  Batch at(std::int64_t step);

 private:
  void shuffle(std::int64_t epoch);

  Index samples_, size_;
  bool replacement_;
  std::uint64_t seed_;
  std::int64_t epoch_ = -1;
  std::vector<std::int32_t> order_;
};

}  // namespace thalweg
