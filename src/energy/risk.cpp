#include "thalweg/energy/risk.hpp"

#include <algorithm>

namespace thalweg {
namespace {

/// The most samples of a block, Mlp::block_samples() rounded up to whole vectors.
constexpr int kernel_block = 192;

/// Scratch memory, one a thread, so that functionals stay const and calls allocate nothing; no result depends on it.
Tape& thread_tape() {
  thread_local Tape tape;
  return tape;
}

}  // namespace

Risk::Risk(const Mlp& model, const Samples& samples, const Loss& loss, double weight_decay)
    : model_(model), samples_(samples), loss_(loss), weight_decay_(weight_decay) {
  require(samples.size() > 0, "a risk needs at least one sample");
  require(samples.x.cols() == model.inputs(), "the model has " + std::to_string(model.inputs()) +
                                                  " inputs and the data " + std::to_string(samples.x.cols()) +
                                                  " features");
}

/// Visits the batch block by block: visit(tape, labels) after the block's input has been filled.
template <class Visit>
void Risk::each_block(Batch batch, bool tangents, Visit visit) const {
  int labels[kernel_block] = {};
  Tape& tape = thread_tape();
  const Index total = batch.empty() ? samples_.size() : static_cast<Index>(batch.size());
  // Blocks of equal size, so that the last one is not mostly padding.
  const Index blocks = (total + model_.block_samples() - 1) / model_.block_samples();
  const Index block = ((total + blocks - 1) / blocks + 7) / 8 * 8;
  for (Index first = 0; first < total; first += block) {
    const Index count = std::min(block, total - first);
    auto x = model_.input(tape, count, tangents);
    if (batch.empty()) {
      x = samples_.x.middleRows(first, count);
      std::copy_n(samples_.label.data() + first, count, labels);
    } else {
      const std::int32_t* chosen = batch.data() + first;
      for (Index j = 0; j < x.cols(); ++j)
        for (Index i = 0; i < count; ++i) x(i, j) = samples_.x(chosen[i], j);
      for (Index i = 0; i < count; ++i) labels[i] = samples_.label[static_cast<std::size_t>(chosen[i])];
    }
    visit(tape, labels);
  }
}

double Risk::value(In theta, Batch batch) const {
  double sum = 0;
  each_block(batch, false, [&](Tape& tape, const int* labels) {
    sum += loss_.head(model_.forward(theta, tape, 0), labels, nullptr);
  });
  const double count = batch.empty() ? static_cast<double>(samples_.size()) : static_cast<double>(batch.size());
  return sum / count + weight_decay_ / 2 * theta.squaredNorm();
}

double Risk::gradient(In theta, Batch batch, Out g) const {
  g.setZero();
  double sum = 0;
  each_block(batch, false, [&](Tape& tape, const int* labels) {
    const auto logits = model_.forward(theta, tape, 1);
    auto cotangent = model_.cotangent(tape);
    sum += loss_.head(logits, labels, &cotangent);
    model_.backward(theta, tape, g);
  });
  const double count = batch.empty() ? static_cast<double>(samples_.size()) : static_cast<double>(batch.size());
  g = g / count + weight_decay_ * theta;
  return sum / count + weight_decay_ / 2 * theta.squaredNorm();
}

void Risk::hvp(In theta, Batch batch, In w, Out hw) const {
  hw.setZero();
  each_block(batch, true, [&](Tape& tape, const int* labels) {
    const auto logits = model_.forward(theta, tape, 2);
    auto cotangent = model_.cotangent(tape);
    loss_.head(logits, labels, &cotangent);
    const auto logits_tangent = model_.forward_tangent(theta, w, tape);
    auto cotangent_tangent = model_.cotangent_tangent(tape);
    loss_.tangent(logits, labels, logits_tangent, cotangent_tangent);
    model_.backward_tangent(theta, w, tape, hw);
  });
  const double count = batch.empty() ? static_cast<double>(samples_.size()) : static_cast<double>(batch.size());
  hw = hw / count + weight_decay_ * w;
}

}  // namespace thalweg
