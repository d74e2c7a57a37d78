#pragma once

#include <memory>

#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"
#include "thalweg/energy/risk.hpp"
#include "thalweg/flow/gradient_flow.hpp"

namespace thalweg::test {

inline Vector normals(Index n, std::uint64_t seed) {
  Stream draw(seed, Purpose::probe);
  return Vector::NullaryExpr(n, [&draw](Index) { return draw.normal(); });
}

/// (1/2) y'A y - b'y.
class Quadratic final : public Functional {
 public:
  explicit Quadratic(Matrix a) : a_(std::move(a)) {}
  Index size() const override { return a_.rows(); }
  double value(In y, Batch) const override { return y.dot(a_ * y) / 2; }
  double gradient(In y, Batch, Out g) const override {
    g.noalias() = a_ * y;
    return y.dot(g) / 2;
  }
  void hvp(In, Batch, In w, Out hw) const override { hw.noalias() = a_ * w; }

 private:
  Matrix a_;
};

/// A symmetric matrix with eigenvalues between 0.1 and about 1.
inline Matrix definite(Index n, std::uint64_t seed) {
  const Vector entries = normals(n * n, seed);
  const Matrix m = Eigen::Map<const Matrix>(entries.data(), n, n);
  return .1 * Matrix::Identity(n, n) + m * m.transpose() / (4 * static_cast<double>(n));
}

/// A small network on random points with alternating classes, and all that hangs on it.
struct Network {
  Samples samples;
  Mlp model;
  const Loss& loss;
  Risk risk;
  std::unique_ptr<Lattice> lattice;

  Network(const ModelSpec& spec, int classes, Index count, const std::string& lattice_name = "neurons")
      : samples(points(count, classes)),
        model(spec, 2, logits_for(loss_for(spec.loss, classes), classes)),
        loss(loss_for(spec.loss, classes)),
        risk(model, samples, loss, spec.weight_decay),
        lattice(find(lattices(), lattice_name, "flow.lattice").make(model.layers(), model.size(), 7)) {}

  static Samples points(Index count, int classes) {
    const Vector entries = normals(2 * count, 11);
    Samples s;
    s.x = Eigen::Map<const Matrix>(entries.data(), count, 2);
    for (Index i = 0; i < count; ++i) s.label.push_back(static_cast<int>(i) % classes);
    s.clean = s.label;
    s.fragment.assign(s.label.size(), 0);
    return s;
  }
};

}  // namespace thalweg::test
