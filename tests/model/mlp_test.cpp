#include "thalweg/model/mlp.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../network.hpp"
#include "naive.hpp"

namespace thalweg {
namespace {

std::string complaint(const ModelSpec& spec) {
  try {
    const Mlp model(spec, 2, 1);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

ModelSpec shaped(std::vector<Index> hidden, const std::string& scaling = "standard") {
  return {std::move(hidden), "tanh", "auto", scaling, 0, 0};
}

Matrix points(Index count, Index inputs) {
  const Vector entries = test::normals(count * inputs, 8);
  return Eigen::Map<const Matrix>(entries.data(), count, inputs);
}

std::vector<test::HyperDual> along(In theta, In first) {
  std::vector<test::HyperDual> y;
  for (Index k = 0; k < theta.size(); ++k) y.push_back({theta[k], first[k], 0, 0});
  return y;
}

/// Logits and their derivative along w by the definition.
std::pair<Matrix, Matrix> naive_logits(const ModelSpec& spec, const Mlp& model, In theta, In w, const Matrix& x) {
  Matrix value(x.rows(), model.outputs()), tangent = value;
  for (Index i = 0; i < x.rows(); ++i) {
    const auto f =
        test::naive_logits(spec, test::naive_point(x, i), static_cast<std::size_t>(model.outputs()), along(theta, w));
    for (Index c = 0; c < model.outputs(); ++c) {
      value(i, c) = static_cast<double>(f[static_cast<std::size_t>(c)].value);
      tangent(i, c) = static_cast<double>(f[static_cast<std::size_t>(c)].first);
    }
  }
  return {value, tangent};
}

TEST(Mlp, LaysItsArraysEndToEnd) {
  const Mlp model(shaped({4, 5}), 3, 2);
  Index offset = 0;
  for (const Layer& l : model.layers()) {
    EXPECT_EQ(l.weights, offset);
    EXPECT_EQ(l.biases, offset + l.inputs * l.outputs);
    offset = l.biases + l.outputs;
  }
  EXPECT_EQ(model.size(), offset);
  EXPECT_EQ(model.size(), 3 * 4 + 4 + 4 * 5 + 5 + 5 * 2 + 2);
}

TEST(Mlp, MarksTheAxesThatCountHiddenUnits) {
  const auto marks = [](const Mlp& model) {
    std::vector<std::pair<bool, bool>> all;
    for (const Layer& l : model.layers()) all.emplace_back(l.hidden_inputs, l.hidden_outputs);
    return all;
  };
  using Marks = std::vector<std::pair<bool, bool>>;
  EXPECT_EQ(marks(Mlp(shaped({}), 3, 2)), (Marks{{false, false}}));
  EXPECT_EQ(marks(Mlp(shaped({4}), 3, 2)), (Marks{{false, true}, {true, false}}));
  EXPECT_EQ(marks(Mlp(shaped({4, 5}), 3, 2)), (Marks{{false, true}, {true, true}, {true, false}}));
}

TEST(Mlp, OfNoHiddenLayerIsAffine) {
  const Mlp model(shaped({}), 2, 2);
  // W = (1 3; 2 4) column by column, b = (5, 6).
  const Vector theta{{1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(model.predict(theta, Matrix{{1, 0}, {0, 1}, {10, 100}}), (Matrix{{6, 8}, {8, 10}, {315, 426}}));
}

// Sums of at most ten products of size one.
TEST(Mlp, PredictsWhatTheDefinitionSays) {
  for (const std::string& scaling : names(scalings()))
    for (const auto& hidden : std::vector<std::vector<Index>>{{}, {1}, {6}, {5, 3}, {2, 10, 4}}) {
      if (scaling == "mean-field" && hidden.size() != 1) continue;
      const ModelSpec spec = shaped(hidden, scaling);
      const Mlp model(spec, 3, 2);
      const Vector theta = test::normals(model.size(), 1);
      // A part of a block, a block, and several with a rest.
      for (const Index count : {1, 24, 193, 385}) {
        const Matrix x = points(count, 3);
        const auto [exact, tangent] = naive_logits(spec, model, theta, theta, x);
        EXPECT_LT((model.predict(theta, x) - exact).cwiseAbs().maxCoeff(), 1e-14);
      }
    }
}

TEST(Mlp, PredictsNothingForNoPoints) {
  const Mlp model(shaped({3}), 2, 1);
  EXPECT_EQ(model.predict(model.start(1), Matrix(0, 2)).rows(), 0);
}

// With W scaled by sqrt(inputs) both parametrisations are one function.
TEST(Mlp, InNtkScalingDividesWeightsByTheRootOfTheirInputs) {
  const Mlp standard(shaped({4, 5}), 3, 2), ntk(shaped({4, 5}, "ntk"), 3, 2);
  const Vector theta = test::normals(standard.size(), 1);
  Vector scaled = theta;
  for (const Layer& l : standard.layers())
    scaled.segment(l.weights, l.inputs * l.outputs) *= std::sqrt(static_cast<double>(l.inputs));
  const Matrix x = points(9, 3);
  EXPECT_LT((ntk.predict(scaled, x) - standard.predict(theta, x)).cwiseAbs().maxCoeff(), 1e-14);
}

// f = (1/n) sum_i a_i act(w_i.x + b_i) + b is a mean over neurons: one that stands twice counts for two halves.
TEST(Mlp, InMeanFieldScalingIsAFunctionOfTheLawOfItsNeurons) {
  const Mlp one(shaped({3}, "mean-field"), 2, 1), twice(shaped({6}, "mean-field"), 2, 1);
  const Vector theta = test::normals(one.size(), 1);
  Vector doubled(twice.size());
  Index to = 0;
  // The neurons' entries are the columns of W_1, b_1 and W_2, three at a time.
  for (Index from = 0; from < 4 * 3; from += 3)
    for (int copy = 0; copy < 2; ++copy, to += 3) doubled.segment(to, 3) = theta.segment(from, 3);
  doubled[to] = theta[12];
  const Matrix x = points(9, 2);
  EXPECT_LT((twice.predict(doubled, x) - one.predict(theta, x)).cwiseAbs().maxCoeff(), 1e-15);
}

TEST(Mlp, RunsItsTimeByTheWidthInMeanFieldScalingOnly) {
  EXPECT_EQ(Mlp(shaped({7}, "mean-field"), 2, 1).time_scale(), 7);
  EXPECT_EQ(Mlp(shaped({7}, "ntk"), 2, 1).time_scale(), 1);
  EXPECT_EQ(Mlp(shaped({7}), 2, 1).time_scale(), 1);
}

// The mean square of n normals of variance v has the standard error v sqrt(2/n); four of them.
void expect_variance(In entries, double variance) {
  const auto n = static_cast<double>(entries.size());
  EXPECT_NEAR(entries.squaredNorm() / n, variance, 4 * variance * std::sqrt(2 / n));
}

TEST(MlpStart, HasTheVariancesOfItsScaling) {
  for (const Activation& activation : activations())
    for (const std::string scaling : {"standard", "ntk"}) {
      const Mlp model({{60, 50}, std::string(activation.name), "auto", scaling, 0, 0}, 40, 30);
      const Vector theta = model.start(5);
      for (const Layer& l : model.layers()) {
        const double gain = l.hidden_outputs ? activation.gain : 1;
        const double inputs = scaling == "ntk" ? 1 : static_cast<double>(l.inputs);
        expect_variance(theta.segment(l.weights, l.inputs * l.outputs), gain * gain / inputs);
        EXPECT_TRUE(theta.segment(l.biases, l.outputs).isZero(0));
      }
    }
}

TEST(MlpStart, DrawsMeanFieldNeuronsFromTheStandardNormalLaw) {
  const Mlp model(shaped({500}, "mean-field"), 4, 3);
  const Vector theta = model.start(5);
  const Layer &first = model.layers()[0], &second = model.layers()[1];
  expect_variance(theta.segment(first.weights, 4 * 500), 1);
  expect_variance(theta.segment(first.biases, 500), 1);
  expect_variance(theta.segment(second.weights, 500 * 3), 1);
}

// He et al. 2015: with variance 2/inputs a layer of rectifiers keeps the mean square of its input.
TEST(MlpStart, KeepsTheSignalOfRectifiers) {
  const Mlp shallow({{400}, "relu", "auto", "standard", 0, 0}, 50, 400);
  const Mlp deep({{400, 400, 400}, "relu", "auto", "standard", 0, 0}, 50, 400);
  const Matrix x = points(20, 50);
  const double before = shallow.predict(shallow.start(1), x).squaredNorm();
  const double after = deep.predict(deep.start(1), x).squaredNorm();
  // The relative variance of a layer's mean square is 5/n: three layers and both ends stay within 4 sqrt(5 5/400).
  EXPECT_NEAR(after / before, 1, 1);
}

TEST(MlpStart, IsAFunctionOfTheSeed) {
  const Mlp model(shaped({5}), 2, 1);
  EXPECT_EQ(model.start(1), model.start(1));
  EXPECT_NE(model.start(1), model.start(2));
}

TEST(Mlp, NamesTheOptionThatIsWrong) {
  EXPECT_NE(complaint({{3}, "tahn", "auto", "standard", 0, 0}).find("model.activation: no 'tahn'"), std::string::npos);
  EXPECT_NE(complaint(shaped({3}, "kernel")).find("model.scaling: no 'kernel'"), std::string::npos);
  EXPECT_NE(complaint(shaped({3, 3}, "mean-field")).find("model.hidden has 2"), std::string::npos);
  EXPECT_NE(complaint(shaped({}, "mean-field")).find("model.hidden has 0"), std::string::npos);
  EXPECT_NE(complaint(shaped({3, 0})).find("model.hidden"), std::string::npos);
}

/// A tape after a forward sweep over 20 points, no whole number of vectors.
struct Sweep {
  ModelSpec spec;
  bool tangents;
  Mlp model{spec, 3, 2};
  Vector theta = test::normals(model.size(), 1), w = test::normals(model.size(), 2);
  Matrix x = points(20, 3), cotangent = points(20, 2), logits;
  Tape tape;

  explicit Sweep(const std::string& activation = "tanh", bool with_tangents = true)
      : spec{{6, 4}, activation, "auto", "standard", 0, 0}, tangents(with_tangents) {
    forward(theta);
  }
  void forward(const Vector& at) {
    model.input(tape, x.rows(), tangents) = x;
    logits = model.forward(at, tape, tangents ? 2 : 1);
    model.cotangent(tape) = cotangent;
  }
  Vector pulled_back(const Vector& at) {
    forward(at);
    Vector g = Vector::Zero(model.size());
    model.backward(at, tape, 1, g);
    return g;
  }
  /// Logits' derivatives along `along` by the definition.
  Matrix pushed_forward(In along) const { return naive_logits(spec, model, theta, along, x).second; }
};

TEST(Tape, HasTheLogitsOfAPrediction) {
  for (const bool tangents : {false, true}) {
    const Sweep sweep("tanh", tangents);
    EXPECT_LT((sweep.logits - sweep.model.predict(sweep.theta, sweep.x)).cwiseAbs().maxCoeff(), 1e-14);
  }
}

// Entry k of J'c is <c, J e_k>, whose Jacobian needs no tape: forty terms of size one.
TEST(Tape, PullsCotangentsBackByTheTransposedJacobian) {
  for (const Activation& activation : activations())
    for (const bool tangents : {false, true}) {
      Sweep sweep(std::string(activation.name), tangents);
      Vector exact(sweep.model.size());
      for (Index k = 0; k < exact.size(); ++k)
        exact[k] = sweep.cotangent.cwiseProduct(sweep.pushed_forward(Vector::Unit(exact.size(), k))).sum();
      EXPECT_LT(test::distance(sweep.pulled_back(sweep.theta), exact), 1e-14) << activation.name << " " << tangents;
    }
}

TEST(Tape, AddsToTheGradientItIsGiven) {
  Sweep zero, one;
  Vector shifted = Vector::Ones(one.model.size());
  one.model.backward(one.theta, one.tape, 1, shifted);
  EXPECT_LT((shifted - zero.pulled_back(zero.theta) - Vector::Ones(shifted.size())).cwiseAbs().maxCoeff(), 1e-13);
}

TEST(Tape, PushesTangentsForwardByTheJacobian) {
  for (const Activation& activation : activations()) {
    Sweep sweep{std::string(activation.name)};
    const Matrix tangent = sweep.model.forward_tangent(sweep.theta, sweep.w, sweep.tape);
    EXPECT_LT((tangent - sweep.pushed_forward(sweep.w)).cwiseAbs().maxCoeff(), 1e-13) << activation.name;
  }
}

// d/d epsilon of J(theta + epsilon w)'c for a fixed c, against fourth-order central differences over a distance of
// 1e-3: truncation 1e-12 and rounding 1e-13, times |w| = 8.
TEST(Tape, DifferentiatesTheBackwardSweepAlongW) {
  Sweep sweep;
  const double h = 1e-3 / sweep.w.norm();
  const auto pulled = [&](double shift) { return sweep.pulled_back(sweep.theta + shift * sweep.w); };
  const Vector exact = (8 * (pulled(h) - pulled(-h)) - (pulled(2 * h) - pulled(-2 * h))) / (12 * h);
  sweep.forward(sweep.theta);
  sweep.model.prepare_tangents(sweep.theta, sweep.tape);
  sweep.model.forward_tangent(sweep.theta, sweep.w, sweep.tape);
  sweep.model.cotangent_tangent(sweep.tape).setZero();
  Vector hw = Vector::Zero(sweep.model.size());
  sweep.model.backward_tangent(sweep.theta, sweep.w, sweep.tape, 1, hw);
  EXPECT_LT(test::distance(hw, exact), 1e-10);
}

}  // namespace
}  // namespace thalweg
