#include "thalweg/energy/smoothing.hpp"

#include <cmath>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

void require_pairs(const Draws& draws) {
  require(draws.pairs > 0, "flow.draws: " + std::to_string(draws.pairs) + " is not positive");
}

/// The normal numbers of a step.
Stream stream(const Draws& draws, std::int64_t step) {
  return {draws.seed, Purpose::smoothing, draws.fresh ? static_cast<std::uint64_t>(step) : 0};
}

void draw(Stream& from, Vector& xi) {
  for (double& x : xi) x = from.normal();
}

class HeatSmoothing final : public Smoothing {
 public:
  HeatSmoothing(double heat, const Draws& draws) : deviation_(std::sqrt(2 * heat)), draws_(draws) {
    require(heat >= 0, "flow.heat: " + to_text(heat) + " is negative");
    require_pairs(draws);
  }

  void gradient(const Functional& f, In y, Batch batch, std::int64_t step, Out g) const override {
    Vector one(y.size());
    g.setZero();
    each(y, step, [&](const Vector& point) {
      f.gradient(point, batch, one);
      g += one;
    });
    g /= count();
  }

  void hvp(const Functional& f, In y, Batch batch, std::int64_t step, In w, Out hw) const override {
    Vector one(y.size());
    hw.setZero();
    each(y, step, [&](const Vector& point) {
      f.hvp(point, batch, w, one);
      hw += one;
    });
    hw /= count();
  }

  std::optional<double> value(const Functional& f, In y, Batch batch, std::int64_t step) const override {
    if (draws_.fresh) return std::nullopt;
    double sum = 0;
    each(y, step, [&](const Vector& point) { sum += f.value(point, batch); });
    return sum / count();
  }

  bool symmetric() const override { return true; }
  std::int64_t gradients() const override { return 2 * draws_.pairs; }

 private:
  double count() const { return static_cast<double>(2 * draws_.pairs); }

  template <class Visit>
  void each(In y, std::int64_t step, Visit visit) const {
    Stream normals = stream(draws_, step);
    Vector xi(y.size()), point(y.size());
    for (Index k = 0; k < draws_.pairs; ++k) {
      draw(normals, xi);
      for (const double sign : {1., -1.}) {
        point = y + sign * deviation_ * xi;
        visit(point);
      }
    }
  }

  double deviation_;
  Draws draws_;
};

class LocalEntropyChain final : public Smoothing {
 public:
  LocalEntropyChain(const LocalEntropy& spec, const Draws& draws) : spec_(spec), draws_(draws) {
    require(spec.scope > 0, "flow.scope: " + to_text(spec.scope) + " is not positive");
    require(spec.tau >= 0, "flow.inner_tau: " + to_text(spec.tau) + " is negative");
    require(spec.steps > 0, "flow.inner_steps: " + std::to_string(spec.steps) + " is not positive");
    require(spec.step > 0, "flow.inner_step: " + to_text(spec.step) + " is not positive");
    require(spec.average >= 0 && spec.average < 1,
            "flow.inner_average: " + to_text(spec.average) + " is not in [0, 1)");
    require_pairs(draws);
    // Without noise all chains are one.
    if (spec.tau == 0) draws_.pairs = 1;
  }

  void gradient(const Functional& f, In x, Batch batch, std::int64_t step, Out g) const override {
    Vector mean = Vector::Zero(x.size());
    each(x.size(), step, [&](const auto& noise) {
      Vector y = x, m = x, slope(x.size());
      for (int k = 0; k < spec_.steps; ++k) {
        f.gradient(y, batch, slope);
        y -= spec_.step * (slope + (y - x) / spec_.scope);
        noise(k, y);
        m = spec_.average * m + (1 - spec_.average) * y;
      }
      mean += m;
    });
    g = (x - mean / chains()) / spec_.scope;
  }

  void hvp(const Functional& f, In x, Batch batch, std::int64_t step, In w, Out hw) const override {
    Vector mean = Vector::Zero(x.size());
    each(x.size(), step, [&](const auto& noise) {
      Vector y = x, y_dot = w, m_dot = w, slope(x.size()), slope_dot(x.size());
      for (int k = 0; k < spec_.steps; ++k) {
        f.hvp(y, batch, y_dot, slope_dot);
        f.gradient(y, batch, slope);
        y -= spec_.step * (slope + (y - x) / spec_.scope);
        y_dot -= spec_.step * (slope_dot + (y_dot - w) / spec_.scope);
        noise(k, y);
        m_dot = spec_.average * m_dot + (1 - spec_.average) * y_dot;
      }
      mean += m_dot;
    });
    hw = (w - mean / chains()) / spec_.scope;
  }

  std::optional<double> value(const Functional&, In, Batch, std::int64_t) const override { return std::nullopt; }

  bool symmetric() const override { return false; }
  std::int64_t gradients() const override { return static_cast<std::int64_t>(chains()) * spec_.steps; }

 private:
  double chains() const { return spec_.tau == 0 ? 1 : static_cast<double>(2 * draws_.pairs); }

  /// Visits every chain with what adds its noise to y at inner step k.
  template <class Visit>
  void each(Index size, std::int64_t step, Visit visit) const {
    if (spec_.tau == 0) return visit([](int, Vector&) {});
    Stream normals = stream(draws_, step);
    const double deviation = std::sqrt(2 * spec_.tau * spec_.step);
    Matrix xi(size, spec_.steps);
    for (Index k = 0; k < draws_.pairs; ++k) {
      for (double& entry : xi.reshaped()) entry = normals.normal();
      for (const double sign : {1., -1.}) visit([&](int j, Vector& y) { y += sign * deviation * xi.col(j); });
    }
  }

  LocalEntropy spec_;
  Draws draws_;
};

}  // namespace

std::unique_ptr<Smoothing> heat_smoothing(double heat, const Draws& draws) {
  return std::make_unique<HeatSmoothing>(heat, draws);
}

std::unique_ptr<Smoothing> local_entropy(const LocalEntropy& spec, const Draws& draws) {
  return std::make_unique<LocalEntropyChain>(spec, draws);
}

}  // namespace thalweg
