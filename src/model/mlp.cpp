#include "thalweg/model/mlp.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <utility>

#include "kernel.hpp"
#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

constexpr Scaling scaling_rows[] = {
    {"standard", "z = W a + b, weights start with variance gain^2/inputs"},
    {"ntk", "z = W a/sqrt(inputs) + b, weights start with variance gain^2"},
    {"mean-field", "f = (1/n) sum_i a_i act(w_i.x + b_i), one hidden layer, time scaled by n"},
};

/// Samples that are not there: zeros, so that they add nothing to a sum over the block.
template <class Block>
void clear_padding(Block block, Index padded) {
  for (Index j = 0; j < block.cols(); ++j)
    std::fill(block.data() + j * block.outerStride() + block.rows(), block.data() + j * block.outerStride() + padded,
              0);
}

/// Theta as the kernel reads it for that tape.
const double* parameters(In theta, const std::vector<double>&) { return theta.data(); }
const float* parameters(In, const std::vector<float>& rounded) { return rounded.data(); }

}  // namespace

std::span<const Scaling> scalings() { return scaling_rows; }

template <class T>
void BasicTape<T>::shape(std::span<const Layer> layers, Index samples, bool tangents, bool slopes) {
  // Rows of an odd number of 64-byte lines do not crowd into the same sets of a cache.
  const Index lanes = kernel::best_for<T>().lanes, line = 64 / sizeof(T);
  samples_ = samples;
  padded_ = (samples + lanes - 1) / lanes * lanes;
  stride_ = ((padded_ + line - 1) / line | 1) * line;
  stages_.clear();
  Index used = 0;
  const auto take = [&](Index features, bool wanted) {
    return std::exchange(used, used + (wanted ? stride_ * features : 0));
  };
  for (std::size_t l = 0; l <= layers.size(); ++l) {
    const Index features = l == 0 ? layers[0].inputs : layers[l - 1].outputs;
    const bool inner = l > 0 && l < layers.size();
    Stage s{};
    // Inputs of a layer have one more row: see accumulate.
    s.value = take(features + 1, true);
    // tanh' is a function of tanh, and once the layer above has its gradient nothing else needs the value: the
    // adjoint takes its place, and the block stays half as large.
    const bool in_place = inner && !tangents && !slopes;
    s.slope = take(features, inner && slopes);
    s.bend = take(features, inner && tangents);
    s.adjoint = in_place ? s.value : take(features, l > 0);
    s.tangent = take(features + 1, l > 0 && tangents);
    s.pretangent = take(features, inner && tangents && slopes);
    s.adjoint_tangent = take(features, l > 0 && tangents);
    stages_.push_back(s);
  }
  Index widest = 0;
  for (const Layer& l : layers) widest = std::max({widest, l.inputs, l.outputs});
  sums_ = std::exchange(used, used + 3 * lanes * widest);
  if (std::ssize(memory_) < used + line) memory_.resize(static_cast<std::size_t>(used + line));
  void* begin = memory_.data();
  std::size_t room = memory_.size() * sizeof(T);
  start_ = static_cast<T*>(std::align(64, static_cast<std::size_t>(used) * sizeof(T), begin, room));
}

template class BasicTape<double>;
template class BasicTape<float>;

Mlp::Mlp(const ModelSpec& spec, Index inputs, Index outputs)
    : activation_(&find(activations(), spec.activation, "model.activation")) {
  const std::string_view scaling = find(scalings(), spec.scaling, "model.scaling").name;
  ntk_ = scaling == "ntk";
  mean_field_ = scaling == "mean-field";
  require(!mean_field_ || spec.hidden.size() == 1,
          "model.scaling: mean-field is defined for one hidden layer, model.hidden has " +
              std::to_string(spec.hidden.size()));
  std::vector<Index> widths{inputs};
  widths.insert(widths.end(), spec.hidden.begin(), spec.hidden.end());
  widths.push_back(outputs);
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const Index in = widths[l], out = widths[l + 1];
    require(out > 0, "model.hidden: a layer needs at least one unit, not " + std::to_string(out));
    const double width = static_cast<double>(in);
    const double scale = ntk_ ? 1 / std::sqrt(width) : mean_field_ && l == 1 ? 1 / width : 1;
    layers_.push_back({in, out, size_, size_ + in * out, scale, l > 0, l + 2 < widths.size()});
    size_ += in * out + out;
  }
  if (mean_field_) time_scale_ = static_cast<double>(widths[1]);
}

Vector Mlp::start(std::uint64_t seed) const {
  Stream draw(seed, Purpose::start);
  Vector theta = Vector::Zero(size_);
  for (const Layer& l : layers_) {
    // The last layer feeds no activation, so its gain is 1.
    const double gain = l.hidden_outputs ? activation_->gain : 1;
    const double deviation = mean_field_ ? 1 : ntk_ ? gain : gain / std::sqrt(static_cast<double>(l.inputs));
    const Index drawn = l.inputs * l.outputs + (mean_field_ && l.hidden_outputs ? l.outputs : 0);
    for (Index i = 0; i < drawn; ++i) theta[l.weights + i] = deviation * draw.normal();
  }
  return theta;
}

bool Mlp::keeps_slope() const { return activation_->function != kernel::Function::tanh; }

Index Mlp::block_samples() const {
  Index features = 0;
  for (const Layer& l : layers_) features += 3 * l.outputs;
  // Three arrays a layer within 256 KiB; a multiple of 24 samples suits every vector width. Below 96 samples the
  // weights' gradient would spend its time on summing lanes, wherever the arrays lie.
  const Index fitting = (Index{256} << 10) / static_cast<Index>(sizeof(double)) / features;
  return std::clamp<Index>(fitting / 24 * 24, 96, 240);
}

/// Whether a layer's weights, read in columns, crowd into few sets of a cache.
bool wide(const Layer& l) { return l.inputs > 56 && l.outputs > 56; }

/// The size of a layer's weights in panels.
template <class T>
Index panel_values(const Layer& l) {
  const Index rows = kernel::best_for<T>().panel_rows;
  return (l.outputs + rows - 1) / rows * rows * l.inputs;
}

template <class T>
void Mlp::begin(In theta, BasicTape<T>& tape, Index samples) const {
  if constexpr (!std::is_same_v<T, double>) {
    tape.rounded_.resize(static_cast<std::size_t>(size_));
    kernel::best().narrow(size_, theta.data(), tape.rounded_.data());
  }
  Index used = 0;
  if (samples >= 64)
    for (const Layer& l : layers_)
      if (wide(l)) used += panel_values<T>(l);
  tape.panels_.resize(static_cast<std::size_t>(used));
  if (used == 0) return;
  T* to = tape.panels_.data();
  for (const Layer& l : layers_)
    if (wide(l)) {
      kernel::best_for<T>().panels(l.outputs, l.inputs, parameters(theta, tape.rounded_) + l.weights, to);
      to += panel_values<T>(l);
    }
}

/// W of a layer for W A, A being the rows of samples at `input`.
template <class T>
kernel::Source<T> Mlp::weights(std::size_t layer, In theta, BasicTape<T>& tape, Index input) const {
  const Layer& l = layers_[layer];
  if (tape.panels_.empty() || !wide(l))
    return {parameters(theta, tape.rounded_) + l.weights, 1, l.outputs, tape.at(input), tape.stride_, l.inputs};
  const Index rows = kernel::best_for<T>().panel_rows;
  const T* panels = tape.panels_.data();
  for (std::size_t k = 0; k < layer; ++k)
    if (wide(layers_[k])) panels += panel_values<T>(layers_[k]);
  return {panels, 1, rows, tape.at(input), tape.stride_, l.inputs, rows * l.inputs};
}

template <class T>
typename BasicTape<T>::Block Mlp::input(BasicTape<T>& tape, Index samples, bool tangents) const {
  tape.shape(layers_, samples, tangents, keeps_slope());
  const auto block = tape.block(tape.stages_[0].value, inputs());
  clear_padding(block, tape.padded_);
  return block;
}

template <class T>
typename BasicTape<T>::Block Mlp::forward(In theta, BasicTape<T>& tape, int derivatives) const {
  const auto& kernel = kernel::best_for<T>();
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    const Layer& l = layers_[k];
    const auto& stage = tape.stages_[k + 1];
    T* z = tape.at(stage.value);
    const kernel::Source<T> a = weights(k, theta, tape, tape.stages_[k].value);
    const bool apart = l.hidden_outputs && keeps_slope();
    kernel.products(&a, 1, l.outputs, tape.padded_,
                    {.out = z,
                     .stride = tape.stride_,
                     .scale = static_cast<T>(l.scale),
                     .finish = l.hidden_outputs && !apart ? kernel::Finish::tanh : kernel::Finish::bias,
                     .bias = parameters(theta, tape.rounded_) + l.biases,
                     .sums = tape.at(tape.sums_)});
    if (apart)
      kernel.activate(activation_->function, l.outputs, tape.padded_, tape.stride_, z, z,
                      derivatives > 0 ? tape.at(stage.slope) : nullptr,
                      derivatives > 1 ? tape.at(stage.bend) : nullptr);
  }
  return tape.block(tape.stages_.back().value, outputs());
}

template void Mlp::begin(In, Tape&, Index) const;
template void Mlp::begin(In, SingleTape&, Index) const;
template Tape::Block Mlp::input(Tape&, Index, bool) const;
template SingleTape::Block Mlp::input(SingleTape&, Index, bool) const;
template Tape::Block Mlp::forward(In, Tape&, int) const;
template SingleTape::Block Mlp::forward(In, SingleTape&, int) const;

Tape::Block Mlp::cotangent(Tape& tape) const { return tape.block(tape.stages_.back().adjoint, outputs()); }

/// g += weight scale sum over terms (adjoint, value) of adjoint value', for W and b at once: with 1/scale in the row
/// after the inputs' values, and 0 after their tangents, which are a second term's, biases are weights.
void Mlp::accumulate(const Layer& l, Tape& tape, std::span<const std::pair<Index, Index>> terms, double weight, Out g,
                     bool fresh) const {
  const auto& kernel = kernel::best();
  // With fewer outputs than lanes the inputs take the place of the rows, so that no lane idles.
  const bool swap = l.outputs < kernel.lanes && l.outputs < l.inputs;
  kernel::Pair pairs[2];
  for (std::size_t i = 0; i < terms.size(); ++i) {
    double *adjoint = tape.at(terms[i].first), *value = tape.at(terms[i].second);
    Eigen::Map<Vector>(value + l.inputs * tape.stride_, tape.padded_).setConstant(i == 0 ? 1 / l.scale : 0);
    pairs[i] = {swap ? value : adjoint, swap ? adjoint : value, tape.stride_, tape.stride_};
  }
  const auto count = static_cast<int>(terms.size());
  const Index rows = swap ? l.inputs + 1 : l.outputs, columns = swap ? l.outputs : l.inputs + 1;
  kernel.outer(pairs, count, rows, columns, tape.padded_,
               {.g = g.data() + l.weights,
                .row_stride = swap ? l.outputs : 1,
                .column_stride = swap ? 1 : l.outputs,
                .scale = weight * l.scale,
                .fresh = fresh});
}

void Mlp::backward(In theta, Tape& tape, double weight, Out g, bool fresh) const {
  clear_padding(cotangent(tape), tape.padded_);
  for (std::size_t k = layers_.size(); k-- > 0;) {
    const Layer& l = layers_[k];
    const Tape::Stage &below = tape.stages_[k], &stage = tape.stages_[k + 1];
    const std::pair<Index, Index> term{stage.adjoint, below.value};
    accumulate(l, tape, {&term, 1}, weight, g, fresh);
    if (k == 0) continue;
    const kernel::Source<double> d{theta.data() + l.weights, l.outputs,    1,
                                   tape.at(stage.adjoint),   tape.stride_, l.outputs};
    kernel::best().products(&d, 1, l.inputs, tape.padded_,
                            {.out = tape.at(below.adjoint),
                             .stride = tape.stride_,
                             .scale = l.scale,
                             .finish = keeps_slope() ? kernel::Finish::slope : kernel::Finish::tanh_slope,
                             .operand = tape.at(keeps_slope() ? below.slope : below.value),
                             .sums = tape.at(tape.sums_)});
  }
}

Tape::Block Mlp::forward_tangent(In theta, In w, Tape& tape) const {
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    const Layer& l = layers_[k];
    const Tape::Stage &below = tape.stages_[k], &stage = tape.stages_[k + 1];
    const kernel::Source<double> terms[] = {
        {w.data() + l.weights, 1, l.outputs, tape.at(below.value), tape.stride_, l.inputs},
        weights(k, theta, tape, below.tangent)};
    const bool apart = l.hidden_outputs && keeps_slope();
    double* rz = tape.at(apart ? stage.pretangent : stage.tangent);
    kernel::best().products(terms, k > 0 ? 2 : 1, l.outputs, tape.padded_,
                            {.out = rz,
                             .stride = tape.stride_,
                             .scale = l.scale,
                             .finish = l.hidden_outputs && !apart ? kernel::Finish::tanh_slope : kernel::Finish::bias,
                             .bias = w.data() + l.biases,
                             .operand = tape.at(stage.value),
                             .sums = tape.at(tape.sums_)});
    if (apart)
      kernel::best().push_forward(l.outputs, tape.padded_, tape.stride_, rz, tape.at(stage.slope),
                                  tape.at(stage.tangent));
  }
  return tape.block(tape.stages_.back().tangent, outputs());
}

Tape::Block Mlp::cotangent_tangent(Tape& tape) const {
  return tape.block(tape.stages_.back().adjoint_tangent, outputs());
}

void Mlp::prepare_tangents(In theta, Tape& tape) const {
  clear_padding(cotangent(tape), tape.padded_);
  for (std::size_t k = layers_.size(); k-- > 1;) {
    const Layer& l = layers_[k];
    const Tape::Stage& below = tape.stages_[k];
    double *adjoint = tape.at(below.adjoint), *bend = tape.at(below.bend);
    const kernel::Source<double> d{
        theta.data() + l.weights, l.outputs, 1, tape.at(tape.stages_[k + 1].adjoint), tape.stride_, l.outputs};
    kernel::best().products(&d, 1, l.inputs, tape.padded_,
                            {.out = adjoint,
                             .stride = tape.stride_,
                             .scale = l.scale,
                             .finish = keeps_slope() ? kernel::Finish::bias : kernel::Finish::tanh_bend,
                             .operand = tape.at(below.value),
                             .second = bend,
                             .sums = tape.at(tape.sums_)});
    if (keeps_slope()) kernel::best().bend(l.inputs, tape.padded_, tape.stride_, tape.at(below.slope), bend, adjoint);
  }
}

void Mlp::backward_tangent(In theta, In w, Tape& tape, double weight, Out hw, bool fresh) const {
  clear_padding(cotangent_tangent(tape), tape.padded_);
  for (std::size_t k = layers_.size(); k-- > 0;) {
    const Layer& l = layers_[k];
    const Tape::Stage &below = tape.stages_[k], &stage = tape.stages_[k + 1];
    const std::pair<Index, Index> terms[] = {{stage.adjoint_tangent, below.value}, {stage.adjoint, below.tangent}};
    accumulate(l, tape, {terms, k > 0 ? 2u : 1u}, weight, hw, fresh);
    if (k == 0) continue;
    const kernel::Source<double> both[] = {
        {theta.data() + l.weights, l.outputs, 1, tape.at(stage.adjoint_tangent), tape.stride_, l.outputs},
        {w.data() + l.weights, l.outputs, 1, tape.at(stage.adjoint), tape.stride_, l.outputs}};
    double *lower = tape.at(below.adjoint_tangent), *bend = tape.at(below.bend);
    kernel::best().products(both, 2, l.inputs, tape.padded_,
                            {.out = lower,
                             .stride = tape.stride_,
                             .scale = l.scale,
                             .finish = keeps_slope() ? kernel::Finish::bias : kernel::Finish::tanh_pull,
                             .operand = tape.at(below.value),
                             .second = bend,
                             .third = tape.at(below.tangent),
                             .sums = tape.at(tape.sums_)});
    if (keeps_slope())
      kernel::best().pull_back(l.inputs, tape.padded_, tape.stride_, tape.at(below.slope), bend,
                               tape.at(below.pretangent), lower);
  }
}

Matrix Mlp::predict(In theta, const Matrix& x) const {
  Matrix logits(x.rows(), outputs());
  Tape tape;
  for (Index first = 0; first < x.rows(); first += block_samples()) {
    const Index count = std::min(block_samples(), x.rows() - first);
    input(tape, count) = x.middleRows(first, count);
    logits.middleRows(first, count) = forward(theta, tape, 0);
  }
  return logits;
}

}  // namespace thalweg
