#include "sweep.hpp"

#include "../model/kernel.hpp"

namespace thalweg {

Sweep::Sweep(const Mlp& model, Index points, int derivatives, Workspace& workspace)
    : model_(model), inputs_(model.inputs()), points_(points), derivatives_(derivatives) {
  // Whole vectors of any kernel; rows of an odd number of cache lines do not crowd into the same sets of a cache.
  constexpr Index line = 8;
  padded_ = (points + line - 1) / line * line;
  stride_ = ((1 + inputs_) * padded_ / line | 1) * line;
  lay_out(model.layers(), derivatives, workspace);
  mark_inputs();
}

void Sweep::lay_out(std::span<const Layer> layers, int derivatives, Workspace& workspace) {
  const Index fields = 2 + (derivatives > 0 ? 2 : 0) + (derivatives > 1 ? 3 : 0);
  Index features = inputs_;
  for (const Layer& l : layers) features += l.outputs;
  const auto needed = static_cast<std::size_t>(features * (fields * stride_ + 3 * padded_));
  if (workspace.memory.size() < needed) workspace.memory.resize(needed);
  double* free = workspace.memory.data();
  workspace.stages.clear();
  for (std::size_t k = 0; k <= layers.size(); ++k) {
    const Index n = k == 0 ? inputs_ : layers[k - 1].outputs;
    const auto take = [&](Index stride, bool wanted) {
      return Field{std::exchange(free, free + (wanted ? n * stride : 0)), padded_, stride};
    };
    const bool bars = derivatives > 0, dots = derivatives > 1;
    workspace.stages.push_back({n, take(stride_, true), take(stride_, true), take(stride_, bars), take(stride_, bars),
                                take(stride_, dots), take(stride_, dots), take(stride_, dots), take(padded_, true),
                                take(padded_, true), take(padded_, true)});
  }
  stages_ = workspace.stages;
}

/// p_j = e_j at the points and 0 at the padding, which therefore adds nothing to any sum.
void Sweep::mark_inputs() const {
  const Field& x = stages_[0].post;
  for (Index i = 0; i < inputs_; ++i)
    for (Index j = 0; j <= inputs_; ++j) {
      x(i, j).setZero();
      if (j == i + 1) x(i, j).head(points_).setOnes();
    }
}

/// to <- scale sum over terms of W x, and the biases on the stream of values.
void Sweep::affine(const Layer& l, std::initializer_list<Term> terms, const double* biases, const Field& to) const {
  const auto run = [&](Index offset, Index samples, const double* operand) {
    kernel::Source<double> sources[2];
    int count = 0;
    for (const auto& [parameters, x] : terms)
      sources[count++] = {parameters + l.weights, 1, l.outputs, x.data + offset, stride_, l.inputs};
    kernel::best().products(sources, count, l.outputs, samples,
                            {to.data + offset, stride_, l.scale, kernel::Finish::bias, operand});
  };
  run(0, padded_, biases + l.biases);
  run(padded_, inputs_ * padded_, nullptr);
}

/// to <- scale sum over terms of W' x.
void Sweep::pull_back(const Layer& l, std::initializer_list<Term> terms, const Field& to) const {
  kernel::Source<double> sources[2];
  int count = 0;
  for (const auto& [parameters, x] : terms)
    sources[count++] = {parameters + l.weights, l.outputs, 1, x.data, stride_, l.outputs};
  kernel::best().products(sources, count, l.inputs, (1 + inputs_) * padded_,
                          {to.data, stride_, l.scale, kernel::Finish::bias, nullptr});
}

/// W's part of g += scale sum over terms (adjoint, x) of adjoint x'; b's part += the first adjoint's sums.
void Sweep::accumulate(const Layer& l, std::initializer_list<std::pair<Field, Field>> terms, Out g) const {
  const auto& kernel = kernel::best();
  // With fewer outputs than lanes the inputs take the place of the rows, so that no lane idles.
  const bool swap = l.outputs < kernel.lanes && l.outputs < l.inputs;
  kernel::Pair pairs[2];
  int count = 0;
  for (const auto& [adjoint, x] : terms)
    pairs[count++] = {swap ? x.data : adjoint.data, swap ? adjoint.data : x.data, stride_, stride_};
  double* weights = g.data() + l.weights;
  const Index width = (1 + inputs_) * padded_;
  if (swap)
    kernel.outer(pairs, count, l.inputs, l.outputs, width, {weights, l.outputs, 1, l.scale});
  else
    kernel.outer(pairs, count, l.outputs, l.inputs, width, {weights, 1, l.outputs, l.scale});
  const double* adjoint = terms.begin()->first.data;
  for (Index i = 0; i < l.outputs; ++i)
    for (Index s = 0; s < padded_; ++s) g[l.biases + i] += adjoint[i * stride_ + s];
}

void Sweep::activate(const Stage& s) const {
  const Activation& activation = model_.activation();
  for (Index i = 0; i < s.features; ++i) {
    const double* z = s.pre(i, 0).data();
    double *f = s.post(i, 0).data(), *f1 = s.slope(i, 0).data(), *f2 = s.bend(i, 0).data();
    kernel::best().activate(activation.function, 1, padded_, padded_, z, f, f1, f2);
    if (derivatives_ > 1) activation.third(padded_, z, f, f1, f2, s.third(i, 0).data());
    for (Index j = 1; j <= inputs_; ++j) s.post(i, j) = s.slope(i, 0) * s.pre(i, j);
  }
}

void Sweep::forward(In theta) const {
  for (std::size_t k = 1; k < stages_.size(); ++k) {
    affine(model_.layers()[k - 1], {{theta.data(), stages_[k - 1].post}}, theta.data(), stages_[k].pre);
    if (hidden(k)) activate(stages_[k]);
  }
}

double Sweep::energy() const {
  const Stage& top = stages_.back();
  double sum = 0;
  for (Index i = 0; i < top.features; ++i)
    for (Index j = 1; j <= inputs_; ++j)
      for (const double q : top.pre(i, j)) sum += q * q;
  return sum;
}

/// The adjoints of (z, q) from those of (a, p).
void Sweep::pull_through(const Stage& s) const {
  for (Index i = 0; i < s.features; ++i) {
    const Row slope = s.slope(i, 0), bend = s.bend(i, 0);
    Row z_bar = s.pre_bar(i, 0);
    z_bar = slope * s.post_bar(i, 0);
    for (Index j = 1; j <= inputs_; ++j) {
      z_bar += bend * s.pre(i, j) * s.post_bar(i, j);
      s.pre_bar(i, j) = slope * s.post_bar(i, j);
    }
  }
}

void Sweep::backward(In theta) const {
  const Stage& top = stages_.back();
  for (Index i = 0; i < top.features; ++i) {
    top.pre_bar(i, 0).setZero();
    for (Index j = 1; j <= inputs_; ++j) top.pre_bar(i, j) = 2 * top.pre(i, j);
  }
  for (std::size_t k = stages_.size() - 1; k > 1; --k) {
    pull_back(model_.layers()[k - 1], {{theta.data(), stages_[k].pre_bar}}, stages_[k - 1].post_bar);
    pull_through(stages_[k - 1]);
  }
}

void Sweep::add_gradient(Out g) const {
  for (std::size_t k = 1; k < stages_.size(); ++k)
    accumulate(model_.layers()[k - 1], {{stages_[k].pre_bar, stages_[k - 1].post}}, g);
}

/// (a, p) dotted from (z, q) dotted.
void Sweep::push_forward(const Stage& s) const {
  for (Index i = 0; i < s.features; ++i) {
    const Row slope = s.slope(i, 0), bend = s.bend(i, 0), z_dot = s.pre_dot(i, 0);
    s.post_dot(i, 0) = slope * z_dot;
    for (Index j = 1; j <= inputs_; ++j) s.post_dot(i, j) = slope * s.pre_dot(i, j) + bend * z_dot * s.pre(i, j);
  }
}

void Sweep::forward_dot(In theta, In w) const {
  for (std::size_t k = 1; k < stages_.size(); ++k) {
    const Layer& l = model_.layers()[k - 1];
    const Stage &below = stages_[k - 1], &stage = stages_[k];
    if (k == 1)
      affine(l, {{w.data(), below.post}}, w.data(), stage.pre_dot);
    else
      affine(l, {{w.data(), below.post}, {theta.data(), below.post_dot}}, w.data(), stage.pre_dot);
    if (hidden(k)) push_forward(stage);
  }
}

/// The dotted adjoints of (z, q) in the place of those of (a, p).
void Sweep::pull_through_dot(const Stage& s) const {
  for (Index i = 0; i < s.features; ++i) {
    const Row slope = s.slope(i, 0), bend = s.bend(i, 0), third = s.third(i, 0), z_dot = s.pre_dot(i, 0);
    Row z_bar_dot = s.pre_bar_dot(i, 0);
    z_bar_dot = slope * z_bar_dot + bend * z_dot * s.post_bar(i, 0);
    for (Index j = 1; j <= inputs_; ++j) {
      const Row q = s.pre(i, j), q_dot = s.pre_dot(i, j), p_bar = s.post_bar(i, j);
      Row p_bar_dot = s.pre_bar_dot(i, j);
      z_bar_dot += bend * (q_dot * p_bar + q * p_bar_dot) + third * z_dot * q * p_bar;
      p_bar_dot = slope * p_bar_dot + bend * z_dot * p_bar;
    }
  }
}

void Sweep::backward_dot(In theta, In w, Out hw) const {
  const Stage& top = stages_.back();
  for (Index i = 0; i < top.features; ++i) {
    top.pre_bar_dot(i, 0).setZero();
    for (Index j = 1; j <= inputs_; ++j) top.pre_bar_dot(i, j) = 2 * top.pre_dot(i, j);
  }
  for (std::size_t k = stages_.size() - 1; k > 0; --k) {
    const Layer& l = model_.layers()[k - 1];
    const Stage &below = stages_[k - 1], &stage = stages_[k];
    if (k == 1) {
      accumulate(l, {{stage.pre_bar_dot, below.post}}, hw);
      break;
    }
    accumulate(l, {{stage.pre_bar_dot, below.post}, {stage.pre_bar, below.post_dot}}, hw);
    pull_back(l, {{theta.data(), stage.pre_bar_dot}, {w.data(), stage.pre_bar}}, below.pre_bar_dot);
    pull_through_dot(below);
  }
}

void Sweep::add_product(In theta, In w, Out hw) const {
  forward_dot(theta, w);
  backward_dot(theta, w, hw);
}

}  // namespace thalweg
