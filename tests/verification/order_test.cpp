#include <gtest/gtest.h>

#include <cmath>

#include "../network.hpp"
#include "thalweg/integrate/integrate.hpp"

namespace thalweg {
namespace {

constexpr double end_time = 1;

Vector solve(const Flow& flow, const std::string& scheme, double step, In y0) {
  SchemeSettings settings;
  settings.step = step;
  Stop stop;
  stop.time = end_time;
  const Outcome outcome = integrate(flow, make_scheme(scheme, settings), y0, stop);
  EXPECT_EQ(outcome.status, Status::time) << outcome.message;
  EXPECT_DOUBLE_EQ(outcome.end.time, end_time);
  return outcome.y;
}

/// Every row of the table that states an order: a row is added, this test meets it.
class SchemeOrder : public testing::TestWithParam<SchemeRow> {};

TEST_P(SchemeOrder, ShowsOnATanhNetworkWithDiffusion) {
  const SchemeRow& row = GetParam();
  if (row.order == 0) GTEST_SKIP() << row.name << " is no discretisation of the flow";
  ModelSpec spec;
  spec.hidden = {8, 8};
  const test::Network net(spec, 2, 40);
  // nu lambda reaches 0.005 * 2 * 4 * 8^2 = 2.6: both parts of the split matter and both are resolved.
  const GradientFlow flow(net.risk, net.lattice.get(), row.twin == "gradient" ? Slots{0, .01} : Slots{.005, 0}, 3);
  const Vector y0 = net.model.start(1);
  const Vector exact = solve(flow, "rk5dp", 1. / 1024, y0);
  const double coarse = row.order > 3 ? 1. / 16 : 1. / 32;
  double errors[3];
  for (int k = 0; k < 3; ++k) errors[k] = (solve(flow, std::string(row.name), coarse / (1 << k), y0) - exact).norm();
  const double order = std::log2(errors[1] / errors[2]);
  // The next term of the error expansion is one power of the step smaller: 15 % at these steps.
  EXPECT_NEAR(order, row.order, .15 * row.order + .1) << errors[0] << " " << errors[1] << " " << errors[2];
}

INSTANTIATE_TEST_SUITE_P(Table, SchemeOrder, testing::ValuesIn(schemes().begin(), schemes().end()),
                         [](const auto& scheme) {
                           std::string name(scheme.param.name);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace thalweg
