#include "../model/kernel.hpp"
#include "thalweg/core/table.hpp"
#include "thalweg/energy/risk.hpp"

namespace thalweg {
namespace {

template <class T = double>
Index padded(Index samples) {
  const Index lanes = kernel::best_for<T>().lanes;
  return (samples + lanes - 1) / lanes * lanes;
}

template <class T>
using Block = typename BasicTape<T>::Block;

template <class T>
double logistic_head(const Block<T>& f, const int* y, Block<T>* d) {
  return kernel::best_for<T>().logistic(f.rows(), padded<T>(f.rows()), f.data(), y, d ? d->data() : nullptr);
}

void logistic_tangent(const Tape::Block& f, const int*, const Tape::Block& rf, Tape::Block& rd) {
  kernel::best().logistic_tangent(padded(f.rows()), f.data(), rf.data(), rd.data());
}

template <class T>
double softmax_head(const Block<T>& f, const int* y, Block<T>* d) {
  return kernel::best_for<T>().softmax(f.rows(), padded<T>(f.rows()), f.cols(), f.outerStride(), f.data(), y,
                                       d ? d->data() : nullptr, d ? d->outerStride() : 0);
}

void softmax_tangent(const Tape::Block& f, const int*, const Tape::Block& rf, Tape::Block& rd) {
  kernel::best().softmax_tangent(padded(f.rows()), f.cols(), f.outerStride(), f.data(), rf.data(), rd.data());
}

template <class T>
double mse_head(const Block<T>& f, const int* y, Block<T>* d) {
  double sum = 0;
  for (Index c = 0; c < f.cols(); ++c)
    for (Index i = 0; i < f.rows(); ++i) {
      const double target = f.cols() == 1 ? y[i] : (y[i] == c ? 1 : 0);
      const double residual = f(i, c) - target;
      sum += residual * residual / 2;
      if (d) (*d)(i, c) = static_cast<T>(residual);
    }
  return sum;
}

void mse_tangent(const Tape::Block&, const int*, const Tape::Block& rf, Tape::Block& rd) { rd = rf; }

constexpr Loss rows[] = {
    {"logistic", "ln(1 + exp(-(2 y - 1) f)), two classes, one logit", true, false, logistic_head<double>,
     logistic_head<float>, logistic_tangent, 0},
    {"softmax", "cross-entropy ln sum_c exp(f_c) - f_y, one logit a class", false, true, softmax_head<double>,
     softmax_head<float>, softmax_tangent, 0},
    {"mse", "(f - y)^2/2 with y = 0 or 1 for two classes, |f - e_y|^2/2 for more", true, true, mse_head<double>,
     mse_head<float>, mse_tangent, 0.5},
};

}  // namespace

std::span<const Loss> losses() { return rows; }

const Loss& loss_for(std::string_view name, int classes) {
  if (name == "auto") name = classes == 2 ? "logistic" : "softmax";
  const Loss& loss = find(losses(), name, "model.loss");
  require(classes == 2 || loss.many, "model.loss: " + std::string(name) + " is for two classes and the data has " +
                                         std::to_string(classes) + "; take softmax or mse");
  return loss;
}

Index logits_for(const Loss& loss, int classes) { return classes == 2 && loss.one_logit ? 1 : classes; }

std::vector<int> decide(const Loss& loss, const Matrix& logits) {
  std::vector<int> classes(static_cast<std::size_t>(logits.rows()));
  for (Index i = 0; i < logits.rows(); ++i) {
    Index top = 0;
    if (logits.cols() == 1)
      top = logits(i, 0) > loss.threshold ? 1 : 0;
    else
      logits.row(i).maxCoeff(&top);
    classes[static_cast<std::size_t>(i)] = static_cast<int>(top);
  }
  return classes;
}

}  // namespace thalweg
