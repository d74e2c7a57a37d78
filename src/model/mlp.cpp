#include "thalweg/model/mlp.hpp"

#include <algorithm>
#include <cmath>

#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

constexpr Scaling scaling_rows[] = {
    {"standard", "z = W a + b, weights start with variance gain^2/inputs"},
    {"ntk", "z = W a/sqrt(inputs) + b, weights start with variance gain^2"},
    {"mean-field", "f = (1/n) sum_i a_i act(w_i.x + b_i), one hidden layer, time scaled by n"},
};

using Weights = Eigen::Map<const Matrix>;
using Biases = Eigen::Map<const Eigen::RowVectorXd>;

Weights weights(const Layer& l, In theta) { return {theta.data() + l.weights, l.outputs, l.inputs}; }
Biases biases(const Layer& l, In theta) { return {theta.data() + l.biases, l.outputs}; }

/// g += the gradient of sum(adjoint . (s a W' + b)) with respect to W and b.
void accumulate(const Layer& l, const Tape::Block& adjoint, const Tape::Block& a, Out g) {
  Eigen::Map<Matrix>(g.data() + l.weights, l.outputs, l.inputs).noalias() += l.scale * adjoint.transpose() * a;
  Eigen::Map<Eigen::RowVectorXd>(g.data() + l.biases, l.outputs) += adjoint.colwise().sum();
}

}  // namespace

std::span<const Scaling> scalings() { return scaling_rows; }

void Tape::shape(std::span<const Layer> layers, Index samples, bool tangents) {
  samples_ = samples;
  stages_.clear();
  std::size_t used = 0;
  const auto take = [&](Index features, bool wanted) {
    const std::size_t offset = used;
    if (wanted) used += (static_cast<std::size_t>(samples * features) + 7) / 8 * 8;
    return offset;
  };
  for (std::size_t l = 0; l <= layers.size(); ++l) {
    const Index features = l == 0 ? layers[0].inputs : layers[l - 1].outputs;
    const bool inner = l > 0 && l < layers.size();
    Stage s{};
    s.value = take(features, true);
    s.slope = take(features, inner);
    s.curvature = take(features, inner && tangents);
    s.adjoint = take(features, l > 0);
    s.tangent = take(features, l > 0 && tangents);
    s.pretangent = take(features, inner && tangents);
    s.adjoint_tangent = take(features, l > 0 && tangents);
    stages_.push_back(s);
  }
  if (memory_.size() < static_cast<Index>(used)) memory_.resize(static_cast<Index>(used));
}

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

Index Mlp::block_samples() const {
  Index features = 0;
  for (const Layer& l : layers_) features += 3 * l.outputs;
  // Values, slopes and adjoints of all layers within 256 KiB; a multiple of 24 samples suits every vector width.
  const Index fitting = (Index{256} << 10) / static_cast<Index>(sizeof(double)) / features;
  return std::clamp<Index>(fitting / 24 * 24, 48, 192);
}

Tape::Block Mlp::input(Tape& tape, Index samples, bool tangents) const {
  tape.shape(layers_, samples, tangents);
  return tape.block(tape.stages_[0].value, inputs());
}

Tape::Block Mlp::forward(In theta, Tape& tape, int derivatives) const {
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    const Layer& l = layers_[k];
    const Tape::Stage& stage = tape.stages_[k + 1];
    auto z = tape.block(stage.value, l.outputs);
    z.noalias() = l.scale * tape.block(tape.stages_[k].value, l.inputs) * weights(l, theta).transpose();
    z.rowwise() += biases(l, theta);
    if (!l.hidden_outputs) continue;
    double* slope = derivatives > 0 ? tape.memory_.data() + stage.slope : nullptr;
    double* curvature = derivatives > 1 ? tape.memory_.data() + stage.curvature : nullptr;
    activation_->evaluate(z.size(), z.data(), z.data(), slope, curvature);
  }
  return tape.block(tape.stages_.back().value, outputs());
}

Tape::Block Mlp::cotangent(Tape& tape) const { return tape.block(tape.stages_.back().adjoint, outputs()); }

void Mlp::backward(In theta, Tape& tape, Out g) const {
  for (std::size_t k = layers_.size(); k-- > 0;) {
    const Layer& l = layers_[k];
    const Tape::Stage& below = tape.stages_[k];
    const auto adjoint = tape.block(tape.stages_[k + 1].adjoint, l.outputs);
    accumulate(l, adjoint, tape.block(below.value, l.inputs), g);
    if (k == 0) continue;
    auto lower = tape.block(below.adjoint, l.inputs);
    lower.noalias() = l.scale * adjoint * weights(l, theta);
    lower.array() *= tape.block(below.slope, l.inputs).array();
  }
}

Tape::Block Mlp::forward_tangent(In theta, In w, Tape& tape) const {
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    const Layer& l = layers_[k];
    const Tape::Stage &below = tape.stages_[k], &stage = tape.stages_[k + 1];
    auto rz = tape.block(l.hidden_outputs ? stage.pretangent : stage.tangent, l.outputs);
    rz.noalias() = l.scale * tape.block(below.value, l.inputs) * weights(l, w).transpose();
    if (k > 0) rz.noalias() += l.scale * tape.block(below.tangent, l.inputs) * weights(l, theta).transpose();
    rz.rowwise() += biases(l, w);
    if (l.hidden_outputs)
      tape.block(stage.tangent, l.outputs).array() = rz.array() * tape.block(stage.slope, l.outputs).array();
  }
  return tape.block(tape.stages_.back().tangent, outputs());
}

Tape::Block Mlp::cotangent_tangent(Tape& tape) const {
  return tape.block(tape.stages_.back().adjoint_tangent, outputs());
}

void Mlp::backward_tangent(In theta, In w, Tape& tape, Out hw) const {
  for (std::size_t k = layers_.size(); k-- > 0;) {
    const Layer& l = layers_[k];
    const Tape::Stage &below = tape.stages_[k], &stage = tape.stages_[k + 1];
    const auto adjoint = tape.block(stage.adjoint, l.outputs);
    const auto adjoint_tangent = tape.block(stage.adjoint_tangent, l.outputs);
    accumulate(l, adjoint_tangent, tape.block(below.value, l.inputs), hw);
    if (k == 0) continue;
    Eigen::Map<Matrix>(hw.data() + l.weights, l.outputs, l.inputs).noalias() +=
        l.scale * adjoint.transpose() * tape.block(below.tangent, l.inputs);
    auto lower = tape.block(below.adjoint, l.inputs);
    auto lower_tangent = tape.block(below.adjoint_tangent, l.inputs);
    // lower holds W' adjoint until its second use below; only then does it become the adjoint of the pre-activation.
    lower.noalias() = l.scale * adjoint * weights(l, theta);
    lower_tangent.noalias() = l.scale * adjoint_tangent * weights(l, theta);
    lower_tangent.noalias() += l.scale * adjoint * weights(l, w);
    const auto slope = tape.block(below.slope, l.inputs).array();
    lower_tangent.array() = lower_tangent.array() * slope + lower.array() *
                                                                tape.block(below.curvature, l.inputs).array() *
                                                                tape.block(below.pretangent, l.inputs).array();
    lower.array() *= slope;
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
