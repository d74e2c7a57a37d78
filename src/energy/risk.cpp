#include "thalweg/energy/risk.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "../model/kernel.hpp"

namespace thalweg {
namespace {

/// Of floats a block may hold twice as many samples.
template <class T>
constexpr Index widening = sizeof(double) / sizeof(T);
/// The most that Mlp::block_samples() allows.
template <class T>
constexpr Index most_samples = 240 * widening<T>;

/// Scratch memory, one a thread, so that functionals stay const and calls allocate nothing; no result depends on it.
template <class T>
BasicTape<T>& thread_tape() {
  thread_local BasicTape<T> tape;
  return tape;
}

}  // namespace

Risk::Risk(const Mlp& model, const Samples& samples, const Loss& loss, double weight_decay, bool single)
    : model_(model), samples_(samples), loss_(loss), weight_decay_(weight_decay), single_(single) {
  require(samples.size() > 0, "a risk needs at least one sample");
  require(samples.x.cols() == model.inputs(), "the model has " + std::to_string(model.inputs()) +
                                                  " inputs and the data " + std::to_string(samples.x.cols()) +
                                                  " features");
}

/// Samples of each block but the last: blocks of equal size, so that the last one is not mostly padding.
Index Risk::block_size(Index total, Index factor) const {
  const Index most = factor * model_.block_samples(), blocks = (total + most - 1) / most;
  return ((total + blocks - 1) / blocks + 7) / 8 * 8;
}

/// Visits the batch block by block: visit(tape, labels) after the block's input has been filled.
template <class T, class Visit>
void Risk::each_block(In theta, Batch batch, bool tangents, Visit visit) const {
  int labels[most_samples<T>] = {};
  auto& tape = thread_tape<T>();
  const Index total = batch.empty() ? samples_.size() : static_cast<Index>(batch.size());
  model_.begin(theta, tape, total);
  const Index block = block_size(total, widening<T>);
  for (Index first = 0; first < total; first += block) {
    const Index count = std::min(block, total - first);
    auto x = model_.input(tape, count, tangents);
    if (batch.empty()) {
      for (Index j = 0; j < x.cols(); ++j) {
        const double* from = samples_.x.col(j).data() + first;
        if constexpr (std::is_same_v<T, double>)
          std::copy_n(from, count, x.col(j).data());
        else
          kernel::best().narrow(count, from, x.col(j).data());
      }
      std::copy_n(samples_.label.data() + first, count, labels);
    } else {
      const std::int32_t* chosen = batch.data() + first;
      for (Index j = 0; j < x.cols(); ++j)
        for (Index i = 0; i < count; ++i) x(i, j) = static_cast<T>(samples_.x(chosen[i], j));
      for (Index i = 0; i < count; ++i) labels[i] = samples_.label[static_cast<std::size_t>(chosen[i])];
    }
    visit(tape, labels);
  }
}

double Risk::count(Batch batch) const {
  return static_cast<double>(batch.empty() ? samples_.size() : static_cast<Index>(batch.size()));
}

/// (lambda/2)|theta|^2, summed in an order that no address changes.
double Risk::decay(In theta) const {
  if (weight_decay_ == 0) return 0;
  double sum = 0;
  for (const double t : theta) sum += t * t;
  return weight_decay_ / 2 * sum;
}

/// out <- lambda y, what the sum over the samples is added to; true, and nothing done, where that is zero.
bool Risk::begin(In y, Out out) const {
  if (weight_decay_ != 0) out = weight_decay_ * y;
  return weight_decay_ == 0;
}

double Risk::value(In theta, Batch batch) const {
  double sum = 0;
  if (single_)
    each_block<float>(theta, batch, false, [&](SingleTape& tape, const int* labels) {
      sum += loss_.single_head(model_.forward(theta, tape, 0), labels, nullptr);
    });
  else
    each_block<double>(theta, batch, false, [&](Tape& tape, const int* labels) {
      sum += loss_.head(model_.forward(theta, tape, 0), labels, nullptr);
    });
  return sum / count(batch) + decay(theta);
}

double Risk::gradient(In theta, Batch batch, Out g) const {
  bool fresh = begin(theta, g);
  const double share = 1 / count(batch);
  double sum = 0;
  each_block<double>(theta, batch, false, [&](Tape& tape, const int* labels) {
    const auto logits = model_.forward(theta, tape, 1);
    auto cotangent = model_.cotangent(tape);
    sum += loss_.head(logits, labels, &cotangent);
    model_.backward(theta, tape, share, g, std::exchange(fresh, false));
  });
  return sum / count(batch) + decay(theta);
}

/// hw_k <- H w_k, vectors at any place: each block's primal pass serves all of them.
template <class From, class To>
void Risk::products(In theta, Batch batch, Index count, From w, To hw) const {
  bool fresh = false;
  for (Index k = 0; k < count; ++k) fresh = begin(w(k), hw(k));
  const double share = 1 / this->count(batch);
  each_block<double>(theta, batch, true, [&](Tape& tape, const int* labels) {
    const auto logits = model_.forward(theta, tape, 2);
    auto cotangent = model_.cotangent(tape);
    loss_.head(logits, labels, &cotangent);
    model_.prepare_tangents(theta, tape);
    for (Index k = 0; k < count; ++k) {
      const auto logits_tangent = model_.forward_tangent(theta, w(k), tape);
      auto cotangent_tangent = model_.cotangent_tangent(tape);
      loss_.tangent(logits, labels, logits_tangent, cotangent_tangent);
      model_.backward_tangent(theta, w(k), tape, share, hw(k), fresh);
    }
    fresh = false;
  });
}

void Risk::hvp(In theta, Batch batch, In w, Out hw) const {
  products(
      theta, batch, 1, [&](Index) { return w; }, [&](Index) { return hw; });
}

void Risk::hvps(In theta, Batch batch, const Matrix& w, Matrix& hw) const {
  hw.resize(w.rows(), w.cols());
  products(
      theta, batch, w.cols(), [&](Index k) { return w.col(k); }, [&](Index k) { return hw.col(k); });
}

void Risk::gauss_newton(In theta, Batch batch, const Matrix& w, Matrix& gw) const {
  gw.resize(w.rows(), w.cols());
  bool fresh = false;
  for (Index k = 0; k < w.cols(); ++k) fresh = begin(w.col(k), gw.col(k));
  const double share = 1 / count(batch);
  each_block<double>(theta, batch, true, [&](Tape& tape, const int* labels) {
    const auto logits = model_.forward(theta, tape, 2);
    for (Index k = 0; k < w.cols(); ++k) {
      auto cotangent = model_.cotangent(tape);
      loss_.tangent(logits, labels, model_.forward_tangent(theta, w.col(k), tape), cotangent);
      model_.backward(theta, tape, share, gw.col(k), fresh);
    }
    fresh = false;
  });
}

}  // namespace thalweg
