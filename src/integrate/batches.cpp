#include "thalweg/integrate/batches.hpp"

#include <algorithm>
#include <numeric>

#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

constexpr Sampling rows[] = {
    {"shuffle", "a fresh permutation each epoch, cut into batches; the last one may be shorter"},
    {"replacement", "independent uniform draws"},
};

}  // namespace

std::span<const Sampling> samplings() { return rows; }

Batches::Batches(const BatchPlan& plan, Index samples)
    : samples_(samples),
      size_(plan.size >= samples ? 0 : plan.size),
      replacement_(find(samplings(), plan.sampling, "scheme.sampling").name == "replacement"),
      seed_(plan.seed) {
  require(plan.size >= 0, "scheme.batch: " + std::to_string(plan.size) + " is negative");
  order_.resize(static_cast<std::size_t>(whole() ? 0 : replacement_ ? size_ : samples_));
}

Batch Batches::at(std::int64_t step) {
  if (whole()) return {};
  if (replacement_) {
    Stream draw(seed_, Purpose::batch, static_cast<std::uint64_t>(step));
    for (auto& i : order_) i = static_cast<std::int32_t>(draw.below(static_cast<std::uint64_t>(samples_)));
    return order_;
  }
  const std::int64_t batches = (samples_ + size_ - 1) / size_;
  if (step / batches != epoch_) shuffle(step / batches);
  const auto first = static_cast<std::size_t>(step % batches * size_);
  return Batch(order_).subspan(first, std::min(static_cast<std::size_t>(size_), order_.size() - first));
}

void Batches::shuffle(std::int64_t epoch) {
  epoch_ = epoch;
  std::iota(order_.begin(), order_.end(), 0);
  Stream draw(seed_, Purpose::batch, static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[draw.below(i)]);
}

}  // namespace thalweg
