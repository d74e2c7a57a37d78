#include "thalweg/energy/dirichlet.hpp"

#include <algorithm>

#include "sweep.hpp"
#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

/// Points of a block: its two to seven fields of 1 + d streams within about 256 KiB, as the network's own blocks.
Index block_points(const Mlp& model, int derivatives) {
  const Index share = (1 + model.inputs()) * (1 + derivatives);
  return std::max<Index>(model.block_samples() / share / 8 * 8, 8);
}

constexpr Collocation rows[] = {
    {"data", "the training points; a batch brings its own", true},
    {"uniform", "flow.output_count uniform points in the data's domain, every step all of them", false},
};

}  // namespace

std::span<const Collocation> collocations() { return rows; }

Matrix uniform_points(const Dataset& data, Index count, std::uint64_t seed) {
  Stream draw(seed, Purpose::collocation);
  Matrix points(count, data.low.size());
  for (Index i = 0; i < count; ++i)
    for (Index j = 0; j < points.cols(); ++j) points(i, j) = draw.uniform(data.low[j], data.high[j]);
  return points;
}

Dirichlet::Dirichlet(const Mlp& model, const Matrix& points, bool sampled)
    : model_(model), points_(points), sampled_(sampled) {
  require(points.rows() > 0, "a Dirichlet energy needs at least one point");
  require(points.cols() == model.inputs(), "the model has " + std::to_string(model.inputs()) +
                                               " inputs and the points have " + std::to_string(points.cols()));
}

double Dirichlet::count(Batch batch) const {
  return static_cast<double>(sampled_ && !batch.empty() ? static_cast<Index>(batch.size()) : points_.rows());
}

/// Visits the points block by block after their forward sweep; the mean of the energy.
template <class Visit>
double Dirichlet::mean(In theta, Batch batch, int derivatives, Visit visit) const {
  thread_local Workspace workspace;
  if (!sampled_) batch = {};
  const auto total = static_cast<Index>(count(batch));
  const Index block = block_points(model_, derivatives);
  double sum = 0;
  for (Index first = 0; first < total; first += block) {
    const Index count = std::min(block, total - first);
    const Sweep sweep(model_, count, derivatives, workspace);
    for (Index j = 0; j < points_.cols(); ++j) {
      Row x = sweep.input(j);
      for (Index i = 0; i < count; ++i)
        x[i] = points_(batch.empty() ? first + i : batch[static_cast<std::size_t>(first + i)], j);
    }
    sweep.forward(theta);
    sum += sweep.energy();
    visit(sweep);
  }
  return sum / count(batch);
}

double Dirichlet::value(In theta, Batch batch) const {
  return mean(theta, batch, 0, [](const Sweep&) {});
}

double Dirichlet::gradient(In theta, Batch batch, Out g) const {
  g.setZero();
  const double value = mean(theta, batch, 1, [&](const Sweep& sweep) {
    sweep.backward(theta);
    sweep.add_gradient(g);
  });
  g /= count(batch);
  return value;
}

void Dirichlet::hvp(In theta, Batch batch, In w, Out hw) const {
  hw.setZero();
  mean(theta, batch, 2, [&](const Sweep& sweep) {
    sweep.backward(theta);
    sweep.add_product(theta, w, hw);
  });
  hw /= count(batch);
}

}  // namespace thalweg
