#include "thalweg/energy/risk_hessian.hpp"

#include <algorithm>

namespace thalweg {

RiskHessian::RiskHessian(const Risk& risk, In theta) : risk_(risk), theta_(theta) {
  const Mlp& model = risk.model_;
  const Samples& samples = risk.samples_;
  const Index block = risk.block_size(samples.size());
  // No block may move: its logits point into its tape.
  blocks_.reserve(static_cast<std::size_t>((samples.size() + block - 1) / block));
  for (Index first = 0; first < samples.size(); first += block) {
    const Index count = std::min(block, samples.size() - first);
    Tape tape;
    model.begin(theta_, tape, samples.size());
    model.input(tape, count, true) = samples.x.middleRows(first, count);
    // Loss heads read whole vectors of labels.
    std::vector<int> labels(static_cast<std::size_t>(count) + 16);
    std::copy_n(samples.label.data() + first, count, labels.data());
    const Tape::Block logits = model.forward(theta_, tape, 2);
    Tape::Block cotangent = model.cotangent(tape);
    risk.loss_.head(logits, labels.data(), &cotangent);
    model.prepare_tangents(theta_, tape);
    blocks_.push_back({std::move(tape), logits, std::move(labels)});
  }
}

double RiskHessian::bytes(const Risk& risk) {
  constexpr double arrays = 7;  // of a tape with tangents, each with a number for every sample and unit
  double units = static_cast<double>(risk.model_.inputs());
  for (const Layer& layer : risk.model_.layers()) units += static_cast<double>(layer.outputs);
  return arrays * sizeof(double) * units * static_cast<double>(risk.samples_.size());
}

void RiskHessian::apply(const Matrix& w, Matrix& hw) {
  const Mlp& model = risk_.model_;
  const double share = 1 / static_cast<double>(risk_.samples_.size());
  hw.resize(w.rows(), w.cols());
  bool fresh = false;
  for (Index k = 0; k < w.cols(); ++k) fresh = risk_.begin(w.col(k), hw.col(k));
  for (Block& block : blocks_) {
    for (Index k = 0; k < w.cols(); ++k) {
      const auto tangent = model.forward_tangent(theta_, w.col(k), block.tape);
      auto cotangent = model.cotangent_tangent(block.tape);
      risk_.loss_.tangent(block.logits, block.labels.data(), tangent, cotangent);
      model.backward_tangent(theta_, w.col(k), block.tape, share, hw.col(k), fresh);
    }
    fresh = false;
  }
}

}  // namespace thalweg
