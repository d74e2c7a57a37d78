// The gradient flow of a landscape of one's own, by three schemes of the table.
//   own_landscape
#include <cstdio>

#include "thalweg/core/petsc.hpp"
#include "thalweg/flow/gradient_flow.hpp"
#include "thalweg/integrate/integrate.hpp"

using namespace thalweg;

/// E(x, y) = (x² - 1)²/4 + 10 y²: two wells and a stiff direction.
class DoubleWell final : public Functional {
 public:
  Index size() const override { return 2; }
  double value(In p, Batch) const override {
    const double w = p[0] * p[0] - 1;
    return w * w / 4 + 10 * p[1] * p[1];
  }
  double gradient(In p, Batch batch, Out g) const override {
    g[0] = p[0] * (p[0] * p[0] - 1);
    g[1] = 20 * p[1];
    return value(p, batch);
  }
  void hvp(In p, Batch, In w, Out hw) const override {
    hw[0] = (3 * p[0] * p[0] - 1) * w[0];
    hw[1] = 20 * w[1];
  }
};

int main() {
  const petsc::Session session;
  const DoubleWell landscape;
  const Vector start = Vector::Constant(2, 0.5);

  const DerivativeGap gap = derivative_gap(landscape, start, Vector::Ones(2));
  std::printf("derivatives agree with differences to %.0e and %.0e\n", gap.gradient, gap.product);

  const GradientFlow flow(landscape, nullptr, {});
  SchemeSettings settings;
  settings.step = 0.05;
  Stop stop;
  stop.time = 4;
  for (const char* name : {"forward-euler", "rk4", "crank-nicolson"}) {
    const Outcome end = integrate(flow, make_scheme(name, settings), start, stop);
    std::printf("%-15s x = %.9f  E = %.3e  %lld gradients\n", name, end.y[0], *flow.energy(end.y),
                static_cast<long long>(end.work.gradients));
  }
  return 0;
}
