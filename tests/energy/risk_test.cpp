#include "thalweg/energy/risk.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "../model/naive.hpp"
#include "../network.hpp"

namespace thalweg {
namespace {

using test::Network;

// A gradient's entry passes four layers of five products and a mean of up to 385 terms that may cancel to a hundredth:
// some hundred roundings of 1e-16 of which the largest entry keeps at most ten times its share.
constexpr double rounding = 1e-13;

void expect_derivatives(const ModelSpec& spec, const Network& net, Batch batch = {}) {
  const Vector theta = .7 * test::normals(net.model.size(), 3), w = test::normals(net.model.size(), 4);
  const auto exact = test::naive_derivatives(spec, net.samples, net.model.outputs(), batch, theta, w);
  Vector g(theta.size()), hw(theta.size());
  EXPECT_NEAR(net.risk.value(theta, batch), exact.value, rounding * exact.value);
  EXPECT_NEAR(net.risk.gradient(theta, batch, g), exact.value, rounding * exact.value);
  net.risk.hvp(theta, batch, w, hw);
  EXPECT_LT(test::distance(g, exact.gradient), rounding);
  EXPECT_LT(test::distance(hw, exact.product), rounding);
}

std::vector<std::int32_t> draws(Index count, Index from, std::uint64_t seed) {
  Stream draw(seed, Purpose::probe);
  std::vector<std::int32_t> batch(static_cast<std::size_t>(count));
  for (auto& i : batch) i = static_cast<std::int32_t>(draw.below(static_cast<std::uint64_t>(from)));
  return batch;
}

/// The samples of a batch as a data set of their own.
Samples gathered(const Samples& all, Batch batch) {
  Samples s;
  s.x.resize(static_cast<Index>(batch.size()), all.x.cols());
  for (std::size_t k = 0; k < batch.size(); ++k) {
    s.x.row(static_cast<Index>(k)) = all.x.row(batch[k]);
    s.label.push_back(all.label[static_cast<std::size_t>(batch[k])]);
  }
  return s;
}

struct Head {
  std::string loss;
  int classes;
};

/// Every loss with every number of classes it works for.
std::vector<Head> heads() {
  std::vector<Head> all;
  for (const Loss& loss : losses())
    for (const int classes : {2, 3})
      if (classes == 2 || loss.many) all.push_back({std::string(loss.name), classes});
  return all;
}

using Case = std::tuple<std::string, Head, std::string>;

std::string title(const testing::TestParamInfo<Case>& kind) {
  const auto& [activation, head, scaling] = kind.param;
  return test::identifier(activation + "_" + head.loss + std::to_string(head.classes) + "_" + scaling);
}

class RiskOfEveryKind : public testing::TestWithParam<Case> {};

TEST_P(RiskOfEveryKind, HasTheDerivativesOfItsDefinition) {
  const auto& [activation, head, scaling] = GetParam();
  const std::vector<std::vector<Index>> shapes = {{}, {5}, {4, 3}, {3, 1, 4}};
  const std::int32_t listed[] = {6, 0, 0, 3};
  for (const auto& hidden : shapes) {
    if (scaling == "mean-field" && hidden.size() != 1) continue;
    SCOPED_TRACE("hidden layers: " + std::to_string(hidden.size()));
    const ModelSpec spec{hidden, activation, head.loss, scaling, .3, 0};
    const Network net(spec, head.classes, 7);
    expect_derivatives(spec, net);
    expect_derivatives(spec, net, listed);
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, RiskOfEveryKind,
                         testing::Combine(testing::ValuesIn(names(activations())), testing::ValuesIn(heads()),
                                          testing::ValuesIn(names(scalings()))),
                         title);

// Multiples of the vector width, of the block of samples, one less and one more.
class RiskOfEverySize : public testing::TestWithParam<Index> {};

TEST_P(RiskOfEverySize, IsTheMeanOverTheSamples) {
  const ModelSpec spec{{9, 5}, "tanh", "softmax", "standard", .1, 0};
  expect_derivatives(spec, Network(spec, 3, GetParam()));
}

TEST_P(RiskOfEverySize, IsTheMeanOverTheBatchWithItsRepeats) {
  const ModelSpec spec{{9}, "gelu", "logistic", "standard", .1, 0};
  const Network net(spec, 2, 30);
  expect_derivatives(spec, net, draws(GetParam(), 30, 5));
}

INSTANTIATE_TEST_SUITE_P(Samples, RiskOfEverySize, testing::Values(1, 2, 7, 23, 24, 25, 193, 385));

TEST(Risk, HasTheDerivativesOfItsDefinitionInLayersWiderThanAVector) {
  const ModelSpec spec{{33, 17}, "tanh", "logistic", "standard", 0, 0};
  expect_derivatives(spec, Network(spec, 2, 25));
}

TEST(Risk, HasTheDerivativesOfItsDefinitionForAnyNumberOfFeatures) {
  const ModelSpec spec{{6, 4}, "softplus", "mse", "ntk", 0, 0};
  for (const Index inputs : {1, 3, 11}) expect_derivatives(spec, Network(spec, 3, 10, "neurons", inputs));
}

// Rounding of theta, of the data and of some tens of operations a sample, each 6e-8 of what it meets, and of either
// sign: the mean over the samples leaves a fraction.
TEST_P(RiskOfEveryKind, IsTheSameToAMillionthInSinglePrecision) {
  const auto& [activation, head, scaling] = GetParam();
  for (const auto& hidden : std::vector<std::vector<Index>>{{}, {16}, {32, 32}, {70, 64}}) {
    if (scaling == "mean-field" && hidden.size() != 1) continue;
    const ModelSpec spec{hidden, activation, head.loss, scaling, .01, 0};
    const Network net(spec, head.classes, 401);
    const Risk single(net.model, net.samples, net.loss, spec.weight_decay, true);
    const auto batch = draws(19, 401, 5);
    for (const double size : {1., 3.}) {
      const Vector theta = size * net.model.start(3);
      for (const Batch chosen : {Batch(), Batch(batch)}) {
        const double exact = net.risk.value(theta, chosen);
        EXPECT_NEAR(single.value(theta, chosen), exact, 1e-6 * exact) << hidden.size() << ' ' << size;
        EXPECT_NE(single.value(theta, chosen), exact);
      }
      Vector g(theta.size()), same(theta.size());
      EXPECT_EQ(single.gradient(theta, batch, g), net.risk.gradient(theta, batch, same));
      EXPECT_EQ(g, same);
    }
  }
}

// Twice the same samples in the same order differ by the rounding of the mean only: 385 sums of 1e-16.
TEST(Risk, OfABatchIsThatOfADataSetOfItsSamples) {
  const ModelSpec spec{{8, 8}, "tanh", "softmax", "standard", .01, 0};
  const Network net(spec, 3, 50);
  const Vector theta = net.model.start(1), w = test::normals(theta.size(), 2);
  for (const Index count : {1, 5, 24, 193, 385}) {
    const auto batch = draws(count, 50, 6);
    const Samples own = gathered(net.samples, batch);
    const Risk risk(net.model, own, net.loss, spec.weight_decay);
    Vector g(theta.size()), own_g(theta.size()), hw(theta.size()), own_hw(theta.size());
    EXPECT_NEAR(net.risk.gradient(theta, batch, g), risk.gradient(theta, {}, own_g), 4e-14);
    EXPECT_EQ(net.risk.value(theta, batch), risk.value(theta, {}));
    net.risk.hvp(theta, batch, w, hw);
    risk.hvp(theta, {}, w, own_hw);
    EXPECT_LT(test::distance(g, own_g), 4e-14);
    EXPECT_LT(test::distance(hw, own_hw), 4e-14);
  }
}

TEST(Risk, WeighsARepeatTwice) {
  const ModelSpec spec{{4}, "tanh", "mse", "standard", 0, 0};
  const Network net(spec, 2, 6);
  const Vector theta = net.model.start(1);
  const std::int32_t once[] = {2}, other[] = {5}, listed[] = {2, 5, 2};
  EXPECT_NEAR(net.risk.value(theta, listed), (2 * net.risk.value(theta, once) + net.risk.value(theta, other)) / 3,
              1e-15);
}

// The scratch memory of one call must not reach the next: results of a small batch after a large one, of another
// network in between, and of a value between a gradient and a product are those of a fresh start, bit for bit.
TEST(Risk, IsAPureFunction) {
  const ModelSpec spec{{8, 3}, "tanh", "logistic", "standard", 0, 0}, wide{{40, 40}, "sin", "mse", "ntk", 0, 0};
  const Network net(spec, 2, 30), other(wide, 3, 300);
  const Vector theta = net.model.start(1), w = test::normals(theta.size(), 2), far = other.model.start(1);
  const std::int32_t listed[] = {4, 1};
  Vector g(theta.size()), hw(theta.size()), again_g(theta.size()), again_hw(theta.size()), ignored(far.size());
  const double value = net.risk.gradient(theta, listed, g);
  net.risk.hvp(theta, listed, w, hw);
  other.risk.hvp(far, {}, far, ignored);
  EXPECT_EQ(net.risk.gradient(theta, listed, again_g), value);
  net.risk.value(theta, {});
  net.risk.hvp(theta, listed, w, again_hw);
  EXPECT_EQ(g, again_g);
  EXPECT_EQ(hw, again_hw);
}

TEST(Risk, OverwritesItsOutputs) {
  const Network net({{3}, "tanh", "logistic", "standard", 0, 0}, 2, 4);
  const Vector theta = net.model.start(1);
  Vector g = Vector::Zero(theta.size()), hw = g, dirty_g = Vector::Constant(theta.size(), NAN), dirty_hw = dirty_g;
  net.risk.gradient(theta, {}, g);
  net.risk.hvp(theta, {}, theta, hw);
  net.risk.gradient(theta, {}, dirty_g);
  net.risk.hvp(theta, {}, theta, dirty_hw);
  EXPECT_EQ(g, dirty_g);
  EXPECT_EQ(hw, dirty_hw);
}

/// The risk of a linear model at x = 0, whose logits are its biases.
struct Logits {
  Samples samples;
  Mlp model;
  Risk risk;

  Logits(const Head& head, int label)
      : samples{Matrix::Zero(1, 1), {}, {label}, {}},
        model(ModelSpec{{}, "identity", head.loss, "standard", 0, 0}, 1,
              logits_for(loss_for(head.loss, head.classes), head.classes)),
        risk(model, samples, loss_for(head.loss, head.classes)) {}

  /// theta whose first bias is f and whose others are -f.
  Vector theta(double f) const {
    Vector y = Vector::Zero(model.size());
    y.tail(model.outputs()).setConstant(-f);
    y[model.size() - model.outputs()] = f;
    return y;
  }
};

// No loss exceeds (|f| + 1)^2 for three logits of size |f|, nor its slope in one of them |f| + 1.
TEST(Risk, StaysFiniteAtLogitsOfAThousand) {
  for (const Head& head : heads())
    for (int label = 0; label < head.classes; ++label)
      for (const double f : {1000., -1000.}) {
        const Logits logits(head, label);
        const Vector theta = logits.theta(f), w = Vector::Ones(theta.size());
        Vector g(theta.size()), hw(theta.size());
        const double value = logits.risk.gradient(theta, {}, g);
        logits.risk.hvp(theta, {}, w, hw);
        EXPECT_TRUE(value >= 0 && value <= 3 * 1001. * 1001 / 2) << head.loss << " " << value;
        EXPECT_LE(g.cwiseAbs().maxCoeff(), 1001) << head.loss;
        EXPECT_LE(hw.cwiseAbs().maxCoeff(), 1) << head.loss;
      }
}

// exp(-1000) lies below every normal number, so that both losses are piecewise linear there.
TEST(Risk, IsExactAtLogitsOfAThousand) {
  const Logits wrong({"logistic", 2}, 0), right({"logistic", 2}, 1), other({"softmax", 2}, 1);
  Vector g(2), g2(4);
  EXPECT_EQ(wrong.risk.gradient(wrong.theta(1000), {}, g), 1000);
  EXPECT_EQ(g[1], 1);
  EXPECT_NEAR(right.risk.gradient(right.theta(1000), {}, g), 0, 1e-300);
  EXPECT_NEAR(g[1], 0, 1e-300);
  EXPECT_EQ(other.risk.gradient(other.theta(1000), {}, g2), 2000);
  EXPECT_EQ(g2.tail(2), (Vector{{1, -1}}));
}

// ln(1 + exp(-30)) = exp(-30) - exp(-60)/2: a sum with 1 inside the logarithm would keep three digits of it.
TEST(Risk, KeepsTheDigitsOfASmallLoss) {
  const Logits logistic({"logistic", 2}, 1), softmax({"softmax", 2}, 0);
  const double exact = std::exp(-30.);
  EXPECT_NEAR(logistic.risk.value(logistic.theta(30), {}), exact, 1e-12 * exact);
  EXPECT_NEAR(softmax.risk.value(softmax.theta(15), {}), exact, 1e-12 * exact);
}

TEST(Risk, RefusesSamplesThatDoNotFitTheModel) {
  const Network net({{3}, "tanh", "logistic", "standard", 0, 0}, 2, 4);
  const Samples none = Network::points(0, 2), three = Network::points(4, 2, 3);
  EXPECT_THROW(Risk(net.model, none, net.loss), std::invalid_argument);
  EXPECT_THROW(Risk(net.model, three, net.loss), std::invalid_argument);
}

// Each block's primal pass is the same whoever shares it, so that not a bit may differ.
TEST(Risk, SeveralProductsAtOnceAreThoseOneByOne) {
  ModelSpec spec;
  spec.hidden = {9, 5};
  spec.weight_decay = .01;
  const test::Network net(spec, 3, 230);
  const Vector theta = net.model.start(2);
  Matrix w(theta.size(), 4), hw;
  for (Index k = 0; k < w.cols(); ++k) w.col(k) = test::normals(theta.size(), 20 + static_cast<std::uint64_t>(k));
  net.risk.hvps(theta, {}, w, hw);
  Vector one(theta.size());
  for (Index k = 0; k < w.cols(); ++k) {
    net.risk.hvp(theta, {}, w.col(k), one);
    EXPECT_EQ(one, hw.col(k));
  }
}

}  // namespace
}  // namespace thalweg
