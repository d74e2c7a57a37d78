#include <gtest/gtest.h>

#include <cmath>

#include <Eigen/Eigenvalues>

#include "../network.hpp"
#include "thalweg/flow/heavy_ball.hpp"
#include "thalweg/integrate/integrate.hpp"

namespace thalweg {
namespace {

/// A flow with the state at `end` that `start` leads to.
struct Problem {
  const Flow& flow;
  double end;
  Vector start, exact;
};

Vector solve(const Problem& problem, std::string_view scheme, double step) {
  SchemeSettings settings;
  settings.step = step;
  Stop stop;
  stop.time = problem.end;
  const Outcome outcome = integrate(problem.flow, make_scheme(scheme, settings), problem.start, stop);
  EXPECT_EQ(outcome.status, Status::time) << outcome.message;
  EXPECT_DOUBLE_EQ(outcome.end.time, problem.end);
  return outcome.y;
}

/// A tanh network. nu lambda reaches 0.005 * 2 * 4 * 8^2 = 2.6: both parts of the split matter, both are resolved.
struct TanhNetwork {
  test::Network net{{{8, 8}, "tanh", "logistic", "standard", 0, 0}, 2, 40};
  GradientFlow weights{net.risk, net.lattice.get(), {.005, 0}, 3}, gradient{net.risk, net.lattice.get(), {0, .01}, 3};

  HeavyBall undamped{weights, 0}, damped{weights, 2};

  Problem problem(const Flow& flow) const {
    Vector start = Vector::Zero(flow.size());
    start.head(net.model.size()) = net.model.start(1);
    // Eighth order: its error is rounding.
    const Vector exact = solve({flow, 1, start, {}}, "rk8vr", 1. / 128);
    return {flow, 1, start, exact};
  }
};

/// y' = -(A + nu K) y with nu |K| = 30 and |A| = 4, which do not commute.
struct StiffSplit {
  static constexpr double nu = 8, end = .25;
  Matrix slow = 4 * test::definite(6, 1);
  test::Quadratic energy{slow};
  std::unique_ptr<Lattice> lattice = test::flat_lattice("chain", 6);
  GradientFlow flow{energy, lattice.get(), {nu, 0, 1}};
  HeavyBall undamped{flow, 0};
  Vector start = test::normals(6, 2);

  /// f(rates) start.
  template <class Function>
  Vector flown(const Matrix& rates, Function f) const {
    const Eigen::SelfAdjointEigenSolver<Matrix> modes(rates);
    const Vector factors = modes.eigenvalues().unaryExpr(f);
    return modes.eigenvectors() * factors.asDiagonal() * modes.eigenvectors().transpose() * start;
  }
  Matrix stiff() const { return nu * test::dense(*lattice); }
  static double decay(double rate) { return std::exp(-end * rate); }

  Problem problem() const { return {flow, end, start, flown(slow + stiff(), decay)}; }
  /// From rest: cos(sqrt(A + nu K) t), and its derivative.
  Problem swing() const {
    Vector rest = Vector::Zero(12), exact(12);
    rest.head(6) = start;
    exact << flown(slow + stiff(), [](double rate) { return std::cos(end * std::sqrt(rate)); }),
        flown(slow + stiff(), [](double rate) { return -std::sqrt(rate) * std::sin(end * std::sqrt(rate)); });
    return {undamped, end, rest, exact};
  }
};

/// The order of the error at the finest of the steps 2^-first .. 2^-last whose error is no rounding: of the arithmetic,
/// or of implicit steps, solved to eight digits of their residual.
void expect_order(const SchemeRow& row, int expected, const Problem& problem, int first, int last) {
  const double rounding = row.implicit == Part::all ? 5e-8 : 2e-14 * problem.start.norm();
  std::vector<double> errors;
  for (int k = first; k <= last; ++k) {
    const double error = (solve(problem, row.name, std::ldexp(1, -k)) - problem.exact).norm();
    if (error < rounding) break;
    errors.push_back(error);
  }
  if (errors.empty()) return;  // exact
  ASSERT_GE(errors.size(), 2u);
  const double order = std::log2(errors[errors.size() - 2] / errors.back());
  // The next term of the error expansion is a power of the step smaller: 15 % at these steps; where the leading one is
  // small by design (pairs of high order), the next still outweighs it and the error falls faster.
  EXPECT_GT(order, .85 * expected - .1) << testing::PrintToString(errors);
  EXPECT_LT(order, (expected < 5 ? 1.15 : 1.25) * expected + .1) << testing::PrintToString(errors);
}

/// Every row of the table that states an order: a row is added, this test meets it.
class SchemeOrder : public testing::TestWithParam<SchemeRow> {
 protected:
  void SetUp() override {
    if (GetParam().order == 0) GTEST_SKIP() << GetParam().name << " is no discretisation of the flow";
  }
};

TEST_P(SchemeOrder, ShowsOnATanhNetworkWithDiffusion) {
  static const TanhNetwork tanh;
  static const Problem first = tanh.problem(tanh.weights), sobolev = tanh.problem(tanh.gradient),
                       second = tanh.problem(tanh.undamped);
  const SchemeRow& row = GetParam();
  const Problem& problem = row.second_order ? second : row.twin == "gradient" ? sobolev : first;
  expect_order(row, row.order, problem, 2, 8);
}

TEST_P(SchemeOrder, ShowsOnAStiffSplit) {
  static const StiffSplit split;
  // From the coarsest step below 1/8 at which step x sharpness, 34 at a step of 1, is within the scheme's limit.
  int first = 3;
  while (GetParam().limit && std::ldexp(34, -first) > GetParam().limit({})) ++first;
  expect_order(GetParam(), GetParam().order, GetParam().second_order ? split.swing() : split.problem(), first, 11);
}

// Friction beside the symplectic step makes a Strang splitting of the whole.
TEST_P(SchemeOrder, ShowsWithFriction) {
  if (!GetParam().second_order) GTEST_SKIP() << GetParam().name << " has no friction of its own";
  static const TanhNetwork tanh;
  static const Problem damped = tanh.problem(tanh.damped);
  expect_order(GetParam(), std::min(GetParam().order, 2), damped, 2, 8);
}

INSTANTIATE_TEST_SUITE_P(Table, SchemeOrder, testing::ValuesIn(schemes().begin(), schemes().end()),
                         [](const auto& scheme) { return test::identifier(scheme.param.name); });

// A scheme that dropped a part of the split would be this far from the solution at any step.
TEST(StiffSplit, HasPartsThatBothDecideTheSolution) {
  const StiffSplit split;
  const Vector exact = split.problem().exact;
  EXPECT_GT((split.flown(split.slow, split.decay) - exact).norm(), .1);
  EXPECT_GT((split.flown(split.stiff(), split.decay) - exact).norm(), .1);
}

}  // namespace
}  // namespace thalweg
