#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "../network.hpp"
#include "thalweg/flow/heavy_ball.hpp"
#include "thalweg/integrate/integrate.hpp"

namespace thalweg::test {

inline Scheme fixed_step(std::string_view scheme, double step, const BatchPlan& batch = {}) {
  SchemeSettings settings;
  settings.step = step;
  settings.batch = batch;
  return make_scheme(scheme, settings);
}

/// y(end) by the scheme of that name at a fixed step; a run that does not arrive fails the test.
inline Outcome solve(const Flow& flow, std::string_view scheme, double step, In y0, double end = 1,
                     std::span<const Watch> watches = {}, const BatchPlan& batch = {}) {
  Stop stop;
  stop.time = end;
  const Outcome outcome = integrate(flow, fixed_step(scheme, step, batch), y0, stop, watches);
  EXPECT_EQ(outcome.status, Status::time) << scheme << ": " << outcome.message;
  return outcome;
}

/// The message of the std::invalid_argument that `body` throws; empty where it throws none.
template <class Body>
std::string complaint(Body body) {
  try {
    body();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

/// The rows of the table that `wanted` picks.
template <class Wanted>
std::vector<SchemeRow> schemes_where(Wanted wanted) {
  std::vector<SchemeRow> rows;
  std::copy_if(schemes().begin(), schemes().end(), std::back_inserter(rows), wanted);
  return rows;
}

/// Those that take steps of a given length; the others meet the tests of adaptive schemes.
inline std::vector<SchemeRow> fixed_step_schemes() {
  return schemes_where([](const SchemeRow& row) { return row.fixed; });
}

/// The whole of 20 samples, and batches of six where the scheme may see them.
inline std::vector<BatchPlan> batches_for(const SchemeRow& row) {
  std::vector<BatchPlan> plans{{}};
  if (row.batches) plans.push_back({6, "shuffle", 4});
  return plans;
}
/// Those that take any flow.
inline std::vector<SchemeRow> first_order_schemes() {
  return schemes_where([](const SchemeRow& row) { return !row.second_order; });
}

/// A gradient flow as a row of the table takes it: as a heavy ball at rest where it steps flows of second order.
struct Suited {
  Suited(const SchemeRow& row, const Flow& descent, In theta, double friction = .5)
      : ball(descent, friction),
        flow(row.second_order ? static_cast<const Flow&>(ball) : descent),
        start(Vector::Zero(flow.size())) {
    start.head(theta.size()) = theta;
  }

  HeavyBall ball;
  const Flow& flow;
  Vector start;
};

inline std::string scheme_title(const testing::TestParamInfo<SchemeRow>& row) { return identifier(row.param.name); }

/// The slot whose flow a scheme is meant for: the Sobolev metric for its discrete twin, the diffusing weights
/// otherwise.
inline Slots slots_for(const SchemeRow& row, double strength) {
  return row.twin == "gradient" ? Slots{0, strength, 1} : Slots{strength, 0, 1};
}

/// y' = -rate y.
struct Decay {
  Quadratic energy;
  GradientFlow flow{energy, nullptr, {}};

  explicit Decay(double rate) : energy(Matrix::Constant(1, 1, rate)) {}
};

/// Counts what a scheme asks of a flow.
class Counted final : public Flow {
 public:
  struct Calls {
    std::int64_t gradients = 0, products = 0;
  };
  Counted(const Flow& flow, Calls& calls) : flow_(flow), calls_(calls) {}
  Index size() const override { return flow_.size(); }
  Index samples() const override { return flow_.samples(); }
  void velocity(Part part, const Instant& at, In y, Out v) const override {
    calls_.gradients += part == Part::slow || part == Part::all;
    flow_.velocity(part, at, y, v);
  }
  void jvp(Part part, const Instant& at, In y, In w, Out vw) const override {
    calls_.products += part == Part::slow || part == Part::all;
    flow_.jvp(part, at, y, w, vw);
  }
  void solve_stiff(double h, Out x) const override { flow_.solve_stiff(h, x); }
  bool stiff() const override { return flow_.stiff(); }
  bool symmetric() const override { return flow_.symmetric(); }
  bool self_adjoint() const override { return flow_.self_adjoint(); }
  void lower(Out x) const override { flow_.lower(x); }
  void phi_stiff(int k, double h, Out x) const override { flow_.phi_stiff(k, h, x); }
  std::optional<double> energy(In y) const override { return flow_.energy(y); }
  std::optional<double> batch_energy(const Instant& at, In y) const override { return flow_.batch_energy(at, y); }
  std::optional<SecondOrder> second_order() const override {
    const auto order = flow_.second_order();
    if (!order) return std::nullopt;
    if (!force_) force_ = std::make_unique<Counted>(order->force, calls_);
    return SecondOrder{*force_, order->friction};
  }

 private:
  const Flow& flow_;
  Calls& calls_;
  mutable std::unique_ptr<Counted> force_;  // counts too
};

}  // namespace thalweg::test
