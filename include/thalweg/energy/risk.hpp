#pragma once

#include <span>
#include <string_view>

#include "thalweg/data/dataset.hpp"
#include "thalweg/energy/functional.hpp"
#include "thalweg/model/mlp.hpp"

namespace thalweg {

/// A loss of logits f against the class y, with its derivatives in f.
struct Loss {
  std::string_view name, what;
  bool one_logit;  // for two classes the network has a single output
  bool many;       // works for more than two classes
  /// The loss summed over the block; `f`: samples x outputs; `y` is readable up to the next multiple of 16 samples.
  /// Where `d` is not null it receives d loss/d f.
  double (*head)(const Tape::Block& f, const int* y, Tape::Block* d);
  /// The same in single precision but for the sum.
  double (*single_head)(const SingleTape::Block& f, const int* y, SingleTape::Block* d);
  /// rd <- (d^2 loss/d f^2) rf, sample by sample.
  void (*tangent)(const Tape::Block& f, const int* y, const Tape::Block& rf, Tape::Block& rd);
  double threshold;  // one logit: the class is 1 where f exceeds it
};
std::span<const Loss> losses();

/// The loss of that name ("auto": logistic for two classes, softmax for more), or a sentence why it cannot be.
const Loss& loss_for(std::string_view name, int classes);
/// The outputs that a network needs under this loss.
Index logits_for(const Loss& loss, int classes);

/// The predicted class of each row of logits.
std::vector<int> decide(const Loss& loss, const Matrix& logits);

/// The empirical risk L(theta) = (1/N) sum_i loss(f(x_i; theta), y_i) + (lambda/2)|theta|^2 on noisy labels.
/// Blocks of samples go through one tape a thread. Model and samples must outlive it.
class Risk final : public Functional {
 public:
  /// `single`: value() runs the network in single precision, at more than twice the speed and within about 1e-6 of
  /// itself: for surfaces and screening. Derivatives, and the values that come with them, are in double precision.
  Risk(const Mlp& model, const Samples& samples, const Loss& loss, double weight_decay = 0, bool single = false);

  Index size() const override { return model_.size(); }
  Index samples() const override { return samples_.size(); }
  double value(In theta, Batch batch) const override;
  double gradient(In theta, Batch batch, Out g) const override;
  void hvp(In theta, Batch batch, In w, Out hw) const override;
  void hvps(In theta, Batch batch, const Matrix& w, Matrix& hw) const override;
  /// gw <- G w for every column of w: G = (1/N) sum_i J_i' loss''(f_i) J_i + lambda I, the Gauss-Newton part of the
  /// Hessian, J_i the logits' Jacobian at sample i.
  void gauss_newton(In theta, Batch batch, const Matrix& w, Matrix& gw) const;

 private:
  friend class RiskHessian;

  Index block_size(Index total, Index factor = 1) const;
  template <class T, class Visit>
  void each_block(In theta, Batch batch, bool tangents, Visit visit) const;
  double count(Batch batch) const;
  double decay(In theta) const;
  bool begin(In y, Out out) const;
  template <class From, class To>
  void products(In theta, Batch batch, Index count, From w, To hw) const;

  const Mlp& model_;
  const Samples& samples_;
  const Loss& loss_;
  double weight_decay_;
  bool single_;
};

}  // namespace thalweg
