#include "thalweg/integrate/descent.hpp"

#include <algorithm>
#include <chrono>

namespace thalweg {
namespace {

/// The bookkeeping that all descents share: time, batch, counters; `Move` is one step of size eta.
template <class Move>
class Descent final : public Stepper {
 public:
  Descent(const Flow& flow, const SchemeSettings& settings, In y0, double horizon, Move move)
      : flow_(flow),
        batches_(settings.batch, flow.samples()),
        step_(settings.step),
        horizon_(horizon),
        move_(std::move(move)),
        y_(y0),
        v_(y0.size()) {}

  Advance advance() override {
    const auto start = std::chrono::steady_clock::now();
    now_.batch = batches_.at(now_.step);
    // Times are multiples of the step, free of accumulated rounding; a rest below 1e-9 of a step is rounding.
    const double next = step_ * static_cast<double>(now_.step + 1);
    const bool last = next > horizon_ - 1e-9 * step_;
    move_(flow_, now_, last ? horizon_ - now_.time : step_, y_, v_);
    now_.time = last ? horizon_ : next;
    ++now_.step;
    ++work_.steps;
    ++work_.gradients;
    work_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return {};
  }
  const Instant& now() const override { return now_; }
  const Vector& state() const override { return y_; }
  const Work& work() const override { return work_; }

 private:
  const Flow& flow_;
  Batches batches_;
  double step_, horizon_;
  Move move_;
  Instant now_;
  Work work_;
  Vector y_, v_;
};

template <class Move>
std::unique_ptr<Stepper> descent(const Flow& flow, const SchemeSettings& settings, In y0, double horizon, Move move) {
  return std::make_unique<Descent<Move>>(flow, settings, y0, horizon, std::move(move));
}

}  // namespace

std::unique_ptr<Stepper> explicit_descent(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return descent(flow, settings, y0, horizon, [](const Flow& f, const Instant& at, double eta, Vector& y, Vector& v) {
    f.velocity(Part::all, at, y, v);
    y += eta * v;
  });
}

std::unique_ptr<Stepper> semi_implicit_descent(const Flow& flow, const SchemeSettings& settings, In y0,
                                               double horizon) {
  return descent(flow, settings, y0, horizon, [](const Flow& f, const Instant& at, double eta, Vector& y, Vector& v) {
    f.velocity(Part::slow, at, y, v);
    y = y / eta + v;
    f.solve_stiff(1 / eta, y);
  });
}

std::unique_ptr<Stepper> heavy_ball_descent(const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  const double beta = settings.momentum;
  require(beta >= 0 && beta < 1, "scheme.momentum: " + to_text(beta) + " is not in [0, 1)");
  return descent(flow, settings, y0, horizon,
                 [beta, u = Vector(Vector::Zero(y0.size()))](const Flow& f, const Instant& at, double eta, Vector& y,
                                                             Vector& v) mutable {
                   f.velocity(Part::all, at, y, v);
                   u = beta * u + eta * v;
                   y += u;
                 });
}

namespace {

constexpr SchemeRow rows[] = {
    {.name = "sgd",
     .family = "descent",
     .what = "theta - eta g, batch gradients",
     .order = 1,
     .continuous = false,
     .make = explicit_descent},
    {.name = "momentum",
     .family = "descent",
     .what = "heavy ball: u <- beta u - eta g, theta + u",
     .order = 0,
     .continuous = false,
     .make = heavy_ball_descent},
    {.name = "diffusion-sgd",
     .family = "descent",
     .what = "solve (I + eta nu K) theta+ = theta - eta g",
     .order = 1,
     .implicit = Part::stiff,
     .continuous = false,
     .twin = "weights",
     .make = semi_implicit_descent},
    {.name = "laplacian-sgd",
     .family = "descent",
     .what = "theta - eta (I + sigma K)^-m g",
     .order = 1,
     .continuous = false,
     .twin = "gradient",
     .make = explicit_descent},
};

}  // namespace

std::span<const SchemeRow> descents() { return rows; }

}  // namespace thalweg
