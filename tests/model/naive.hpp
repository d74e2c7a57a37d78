#pragma once

#include <cmath>
#include <string_view>
#include <vector>

#include "thalweg/data/dataset.hpp"
#include "thalweg/energy/functional.hpp"
#include "thalweg/model/mlp.hpp"

namespace thalweg::test {

/// v + a e1 + b e2 + c e1 e2 with e1^2 = e2^2 = 0: a function of it carries its value, its derivatives along two
/// directions and the mixed second one, all without truncation (Fike and Alonso 2011).
struct HyperDual {
  long double value = 0, first = 0, second = 0, mixed = 0;
};

/// f(x) from the value and the first two derivatives of a function of one variable.
inline HyperDual compose(const HyperDual& x, long double f, long double f1, long double f2) {
  return {f, f1 * x.first, f1 * x.second, f1 * x.mixed + f2 * x.first * x.second};
}

inline HyperDual operator+(const HyperDual& x, const HyperDual& y) {
  return {x.value + y.value, x.first + y.first, x.second + y.second, x.mixed + y.mixed};
}
inline HyperDual operator-(const HyperDual& x) { return {-x.value, -x.first, -x.second, -x.mixed}; }
inline HyperDual operator-(const HyperDual& x, const HyperDual& y) { return x + -y; }
inline HyperDual operator*(const HyperDual& x, const HyperDual& y) {
  return {x.value * y.value, x.first * y.value + x.value * y.first, x.second * y.value + x.value * y.second,
          x.mixed * y.value + x.first * y.second + x.second * y.first + x.value * y.mixed};
}
inline HyperDual operator/(const HyperDual& x, const HyperDual& y) {
  const long double r = 1 / y.value;
  return x * compose(y, r, -r * r, 2 * r * r * r);
}
inline HyperDual exp(const HyperDual& x) {
  const long double e = std::exp(x.value);
  return compose(x, e, e, e);
}
inline HyperDual log(const HyperDual& x) {
  const long double r = 1 / x.value;
  return compose(x, std::log(x.value), r, -r * r);
}
inline HyperDual sin(const HyperDual& x) {
  const long double s = std::sin(x.value);
  return compose(x, s, std::cos(x.value), -s);
}
inline HyperDual erf(const HyperDual& x) {
  const long double slope = 2 / std::sqrt(std::acos(-1.L)) * std::exp(-x.value * x.value);
  return compose(x, std::erf(x.value), slope, -2 * x.value * slope);
}

/// An activation by its textbook formula, which no one has differentiated.
template <class Number>
Number naive_activation(std::string_view name, const Number& z) {
  const Number one{1}, two{2};
  if (name == "tanh") return one - two / (exp(two * z) + one);
  if (name == "relu") return z.value > 0 ? z : Number{};
  if (name == "gelu") return z * (one + erf(z / Number{std::sqrt(2.L)})) / two;
  if (name == "softplus") return log(one + exp(z));
  if (name == "sigmoid") return one / (one + exp(-z));
  if (name == "sin") return sin(z);
  if (name == "identity") return z;
  throw std::invalid_argument("no formula for the activation '" + std::string(name) + "'");
}

/// A loss by its textbook formula; `f`: one logit or one a class.
inline HyperDual naive_loss(std::string_view name, const std::vector<HyperDual>& f, int y) {
  const auto target = [&](std::size_t c) { return f.size() == 1 ? y : static_cast<int>(c) == y ? 1 : 0; };
  HyperDual sum;
  if (name == "logistic") return log(HyperDual{1} + exp(HyperDual{1.L - 2 * y} * f[0]));
  for (std::size_t c = 0; c < f.size(); ++c) {
    if (name == "softmax") sum = sum + exp(f[c] - f[static_cast<std::size_t>(y)]);
    if (name == "mse") {
      const HyperDual residual = f[c] - HyperDual{static_cast<long double>(target(c))};
      sum = sum + residual * residual / HyperDual{2};
    }
  }
  return name == "softmax" ? log(sum) : sum;
}

/// The network, neuron by neuron; theta holds W column by column, then b, layer after layer.
template <class Number>
std::vector<Number> naive_logits(const ModelSpec& spec, std::vector<Number> a, std::size_t outputs,
                                 const std::vector<Number>& theta) {
  std::vector<std::size_t> widths(spec.hidden.begin(), spec.hidden.end());
  widths.push_back(outputs);
  std::size_t offset = 0;
  for (std::size_t l = 0; l < widths.size(); ++l) {
    const bool last = l + 1 == widths.size();
    const auto inputs = static_cast<long double>(a.size());
    const Number scale{spec.scaling == "ntk"                  ? 1 / std::sqrt(inputs)
                       : spec.scaling == "mean-field" && last ? 1 / inputs
                                                              : 1};
    std::vector<Number> next(widths[l]);
    for (std::size_t j = 0; j < widths[l]; ++j) {
      Number z;
      for (std::size_t i = 0; i < a.size(); ++i) z = z + theta[offset + i * widths[l] + j] * a[i];
      z = scale * z + theta[offset + a.size() * widths[l] + j];
      next[j] = last ? z : naive_activation(spec.activation, z);
    }
    offset += (a.size() + 1) * widths[l];
    a = next;
  }
  return a;
}

inline std::vector<HyperDual> naive_point(const Matrix& x, Index i) {
  std::vector<HyperDual> point;
  for (Index j = 0; j < x.cols(); ++j) point.push_back({x(i, j)});
  return point;
}

/// A risk with its gradient and its Hessian times w, in double.
struct Derivatives {
  double value = 0;
  Vector gradient, product;
};

/// The definition of the risk, one pass of hyper-dual numbers a parameter: P times the cost of a value.
inline Derivatives naive_derivatives(const ModelSpec& spec, const Samples& samples, Index outputs, Batch batch,
                                     In theta, In w) {
  std::vector<std::int32_t> listed(batch.begin(), batch.end());
  for (Index i = 0; batch.empty() && i < samples.size(); ++i) listed.push_back(static_cast<std::int32_t>(i));
  const auto count = static_cast<long double>(listed.size());
  Derivatives result{0, Vector(theta.size()), Vector(theta.size())};
  std::vector<HyperDual> y(static_cast<std::size_t>(theta.size()));
  for (Index k = 0; k < theta.size(); ++k) {
    HyperDual risk, square;
    for (Index j = 0; j < theta.size(); ++j) {
      auto& entry = y[static_cast<std::size_t>(j)];
      entry = {theta[j], j == k ? 1.L : 0.L, w[j], 0};
      square = square + entry * entry;
    }
    for (const std::int32_t i : listed) {
      const auto logits = naive_logits(spec, naive_point(samples.x, i), static_cast<std::size_t>(outputs), y);
      risk = risk + naive_loss(spec.loss, logits, samples.label[static_cast<std::size_t>(i)]);
    }
    risk = risk / HyperDual{count} + HyperDual{spec.weight_decay / 2.L} * square;
    result.value = static_cast<double>(risk.value);
    result.gradient[k] = static_cast<double>(risk.first);
    result.product[k] = static_cast<double>(risk.mixed);
  }
  return result;
}

}  // namespace thalweg::test
