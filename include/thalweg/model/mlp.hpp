#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thalweg/core/core.hpp"

namespace thalweg {

namespace kernel {
enum class Function : int;
template <class T>
struct Source;
}  // namespace kernel

/// A function applied to every pre-activation, with its first three derivatives.
struct Activation {
  std::string_view name, what;
  double gain;  // standard deviation of the initial weights times sqrt(inputs): keeps the variance of the signal
  kernel::Function function;
  /// f3_i = act'''(z_i) for i < n, from the function and its first two derivatives there.
  void (*third)(Index n, const double* z, const double* f, const double* f1, const double* f2, double* f3);

  /// f_i = act(z_i), f1_i = act'(z_i), f2_i = act''(z_i) for i < n.
  void evaluate(Index n, const double* z, double* f, double* f1, double* f2) const;
};
std::span<const Activation> activations();

/// How the forward pass scales with the width n, and what a unit of training time is.
struct Scaling {
  std::string_view name, what;
};
std::span<const Scaling> scalings();

struct ModelSpec {
  std::vector<Index> hidden{32, 32};  // widths of the hidden layers; empty: a linear model
  std::string activation = "tanh";
  std::string loss = "auto";
  std::string scaling = "standard";
  double weight_decay = 0;  // lambda of (lambda/2)|theta|^2
  std::uint64_t seed = 0;   // of the initial weights
};

/// z = scale W a + b. In theta: W (outputs x inputs) column by column, then b.
struct Layer {
  Index inputs, outputs;
  Index weights, biases;  // offsets into theta
  double scale;
  bool hidden_inputs, hidden_outputs;  // whether that axis of W counts hidden units
};

/// Memory of one block of samples on its way through a network, laid out [feature][sample] with padded rows, in double
/// (Tape) or single precision (SingleTape: forward only). Grows on first use and is then reused: no allocation per
/// call.
template <class T>
class BasicTape {
 public:
  /// samples x features, column-major
  using Block = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>, 0, Eigen::OuterStride<>>;

 private:
  friend class Mlp;
  struct Stage {
    Index value, slope, bend, adjoint, tangent, pretangent, adjoint_tangent;  // offsets into memory_
  };
  void shape(std::span<const Layer> layers, Index samples, bool tangents, bool slopes);
  T* at(Index offset) { return start_ + offset; }
  Block block(Index offset, Index features) { return {at(offset), samples_, features, Eigen::OuterStride<>(stride_)}; }

  std::vector<T> memory_;
  std::vector<T> rounded_;  // theta, where T is not its type
  std::vector<T> panels_;   // weights of wide layers in the order in which the kernel reads them; may be empty
  T* start_ = nullptr;      // of a cache line
  std::vector<Stage> stages_;
  Index samples_ = 0, padded_ = 0, stride_ = 0;
  Index sums_ = 0;  // offset into memory_ of what the kernel's long sums need
};
using Tape = BasicTape<double>;
using SingleTape = BasicTape<float>;

/// Multilayer perceptron f(x; theta): a_0 = x, a_l = act(s_l W_l a_{l-1} + b_l), f = s_L W_L a_{L-1} + b_L.
/// Immutable: theta and all memory come from the caller.
class Mlp {
 public:
  /// Throws std::invalid_argument on an unknown activation or scaling, a width below 1, or `mean-field` with any
  /// other number of hidden layers than one.
  Mlp(const ModelSpec& spec, Index inputs, Index outputs);

  Index size() const { return size_; }
  Index inputs() const { return layers_.front().inputs; }
  Index outputs() const { return layers_.back().outputs; }
  std::span<const Layer> layers() const { return layers_; }
  const Activation& activation() const { return *activation_; }

  /// Training time runs this much faster than the plain flow's: the width for `mean-field`, otherwise 1.
  double time_scale() const { return time_scale_; }

  /// Independent normal initial weights from the stream (seed, start): variance gain^2/inputs for `standard`, gain^2
  /// for `ntk`, both with zero biases; 1 for `mean-field` and its hidden biases, whose output bias starts at zero.
  Vector start(std::uint64_t seed) const;

  /// The samples a block should hold, from 96 to 240: as many as keep its tape in half of a second-level cache of 512
  /// KiB, and of wide networks, whose tapes do not fit there, as many as the weights' gradient needs.
  Index block_samples() const;

  /// Begins an evaluation at theta of so many samples in blocks of at most block_samples(): wide layers' weights are
  /// reordered once, and for a SingleTape theta is rounded, without which it has no forward. Without it, or after it
  /// with less than 64 samples, forward on a Tape reads theta as it is.
  template <class T>
  void begin(In theta, BasicTape<T>& tape, Index samples) const;
  /// Makes the tape ready for a block and returns its input, samples x inputs, to be filled by the caller.
  template <class T>
  typename BasicTape<T>::Block input(BasicTape<T>& tape, Index samples, bool tangents = false) const;
  /// Logits of the block, samples x outputs. `derivatives`: also keep act' (1) and act'' (2).
  template <class T>
  typename BasicTape<T>::Block forward(In theta, BasicTape<T>& tape, int derivatives) const;
  /// The cotangent of the logits, samples x outputs, to be filled between forward and backward.
  Tape::Block cotangent(Tape& tape) const;
  /// g += weight (df/dtheta)' cotangent, summed over the block; of a `fresh` g, here and below, what it holds does not
  /// count. Needs forward with derivatives >= 1.
  void backward(In theta, Tape& tape, double weight, Out g, bool fresh = false) const;

  /// R-operator (Pearlmutter 1994): the derivative of forward and backward along theta + epsilon w, for any number of
  /// w in turn. Needs forward with derivatives = 2 on a tape with tangents. First the adjoints, once the cotangent is
  /// filled.
  void prepare_tangents(In theta, Tape& tape) const;
  /// The tangent of the logits.
  Tape::Block forward_tangent(In theta, In w, Tape& tape) const;
  /// The tangent of the cotangent, to be filled between forward_tangent and backward_tangent.
  Tape::Block cotangent_tangent(Tape& tape) const;
  /// hw += d/d epsilon of what backward adds.
  void backward_tangent(In theta, In w, Tape& tape, double weight, Out hw, bool fresh = false) const;

  /// Logits at the rows of x (N x inputs): N x outputs.
  Matrix predict(In theta, const Matrix& x) const;

 private:
  std::vector<Layer> layers_;
  const Activation* activation_;
  Index size_ = 0;
  double time_scale_ = 1;
  bool mean_field_ = false, ntk_ = false;

  bool keeps_slope() const;
  template <class T>
  kernel::Source<T> weights(std::size_t layer, In theta, BasicTape<T>& tape, Index input) const;
  void accumulate(const Layer& layer, Tape& tape, std::span<const std::pair<Index, Index>> terms, double weight, Out g,
                  bool fresh) const;
};

}  // namespace thalweg
