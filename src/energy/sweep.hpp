#pragma once

#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "thalweg/model/mlp.hpp"

namespace thalweg {

using Row = Eigen::Map<Eigen::ArrayXd>;

/// A quantity of a layer at a block of points: of each feature the stream of its values, then the streams of its
/// derivatives along the inputs, side by side, so that a linear map takes them for more points.
struct Field {
  double* data;
  Index points, stride;  // of a stream, of a feature

  Row operator()(Index feature, Index stream) const { return {data + feature * stride + stream * points, points}; }
};

/// Layer l: (z, q) before and (a, p) after its activation; a bar marks the adjoint of the energy, a dot the derivative
/// along w of the parameters.
struct Stage {
  Index features;
  Field pre, post, pre_bar, post_bar, pre_dot, post_dot, pre_bar_dot;
  Field slope, bend, third;  // act', act'', act''' at z
};

/// Memory of a block, one a thread, so that functionals stay const and calls allocate nothing once warm.
struct Workspace {
  std::vector<double> memory;
  std::vector<Stage> stages;
};

/// A block of points on its way through the network: z = s W a + b and q_j = s W p_j with a = x and p_j = e_j at first,
/// then a = act(z) and p_j = act'(z) q_j. The energy is the sum of q_j^2 over inputs j, logits and points.
class Sweep {
 public:
  /// `derivatives`: of the energy in theta, 0, 1 or 2.
  Sweep(const Mlp& model, Index points, int derivatives, Workspace& workspace);

  /// A feature of the points, to be filled by the caller.
  Row input(Index feature) const { return {stages_[0].post(feature, 0).data(), points_}; }
  void forward(In theta) const;
  double energy() const;
  /// The adjoints of all fields, after forward.
  void backward(In theta) const;
  /// g += the energy's gradient, after backward.
  void add_gradient(Out g) const;
  /// hw += the energy's Hessian times w, after backward.
  void add_product(In theta, In w, Out hw) const;

 private:
  /// The coefficients in one vector of parameters and what they meet.
  struct Term {
    const double* parameters;
    const Field& field;
  };

  void lay_out(std::span<const Layer> layers, int derivatives, Workspace& workspace);
  void mark_inputs() const;
  void affine(const Layer& l, std::initializer_list<Term> terms, const double* biases, const Field& to) const;
  void pull_back(const Layer& l, std::initializer_list<Term> terms, const Field& to) const;
  void accumulate(const Layer& l, std::initializer_list<std::pair<Field, Field>> terms, Out g) const;
  void activate(const Stage& s) const;
  void push_forward(const Stage& s) const;
  void pull_through(const Stage& s) const;
  void pull_through_dot(const Stage& s) const;
  void forward_dot(In theta, In w) const;
  void backward_dot(In theta, In w, Out hw) const;
  bool hidden(std::size_t k) const { return k + 1 < stages_.size(); }

  const Mlp& model_;
  Index inputs_, points_, padded_, stride_;
  int derivatives_;
  std::span<const Stage> stages_;
};

}  // namespace thalweg
