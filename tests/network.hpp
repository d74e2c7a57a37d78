#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"
#include "thalweg/energy/risk.hpp"
#include "thalweg/flow/gradient_flow.hpp"

namespace thalweg::test {

inline Vector normals(Index n, std::uint64_t seed) {
  Stream draw(seed, Purpose::probe);
  return Vector::NullaryExpr(n, [&draw](Index) { return draw.normal(); });
}

/// The largest difference of an entry, in units of the largest entry of `exact`.
inline double distance(In got, In exact) {
  return exact.size() == 0 ? 0 : (got - exact).cwiseAbs().maxCoeff() / exact.cwiseAbs().maxCoeff();
}

/// (1/2) y'A y.
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

/// The matrix of K, column by column.
inline Matrix dense(const Lattice& lattice) {
  const Index n = lattice.size();
  Matrix k(n, n);
  for (Index j = 0; j < n; ++j) lattice.apply(Vector::Unit(n, j), k.col(j));
  return k;
}

/// A lattice over a flat vector, whose entries belong to no layer.
inline std::unique_ptr<Lattice> flat_lattice(std::string_view name, Index size) {
  return find(lattices(), name, "flow.lattice").make({}, size, 7);
}

/// A name that GoogleTest accepts.
inline std::string identifier(std::string_view name) {
  std::string word(name);
  for (char& c : word)
    if (c == '-') c = '_';
  return word;
}

/// A small network on random points with alternating classes, and all that hangs on it.
struct Network {
  Samples samples;
  Mlp model;
  const Loss& loss;
  Risk risk;
  std::unique_ptr<Lattice> lattice;

  Network(const ModelSpec& spec, int classes, Index count, const std::string& lattice_name = "neurons",
          Index inputs = 2)
      : samples(points(count, classes, inputs)),
        model(spec, inputs, logits_for(loss_for(spec.loss, classes), classes)),
        loss(loss_for(spec.loss, classes)),
        risk(model, samples, loss, spec.weight_decay),
        lattice(find(lattices(), lattice_name, "flow.lattice").make(model.layers(), model.size(), 7)) {}

  static Samples points(Index count, int classes, Index inputs = 2) {
    const Vector entries = normals(inputs * count, 11);
    Samples s;
    s.x = Eigen::Map<const Matrix>(entries.data(), count, inputs);
    for (Index i = 0; i < count; ++i) s.label.push_back(static_cast<int>(i) % classes);
    // Another class throughout: whoever reads the clean labels by mistake is found out.
    for (const int y : s.label) s.clean.push_back((y + 1) % classes);
    s.fragment.assign(s.label.size(), 0);
    return s;
  }
};

}  // namespace thalweg::test
