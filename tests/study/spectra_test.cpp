#include "thalweg/study/spectra.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

namespace thalweg {
namespace {

Settings small(const std::string& diffusion, const std::string& scheme) {
  Settings s;
  s.data.samples = 40;
  s.data.validation_samples = s.data.test_samples = 1;
  s.model.hidden = {8, 8};
  s.flow.diffusion = diffusion;
  s.flow.nu = .02;
  s.flow.sigma = .3;
  s.flow.power = 2;
  s.scheme = scheme;
  s.stop.time = 1;
  return s;
}

/// The largest eigenvalue of minus the Jacobian of that part, from its columns.
double dense_sharpness(const Experiment& ex, Part part, const Vector& y) {
  Matrix jacobian(y.size(), y.size());
  for (Index j = 0; j < y.size(); ++j) ex.flow.jvp(part, {}, y, Vector::Unit(y.size(), j), jacobian.col(j));
  return (-Eigen::EigenSolver<Matrix>(jacobian, false).eigenvalues().real()).maxCoeff();
}

// M^-1 A is not symmetric but has the real eigenvalues of A v = lambda M v.
TEST(FeltSharpness, IsTheLargestEigenvalueOfTheExplicitPart) {
  for (const std::string diffusion : {"none", "weights", "gradient", "weights+gradient"})
    for (const auto& [scheme, part] :
         {std::pair{"rk4", Part::all}, {"arkimex3", Part::slow}, {"backward-euler", Part::all}}) {
      const Experiment ex(small(diffusion, scheme));
      const Vector y = ex.start();
      const Eigenpairs felt = felt_sharpness(ex, y, 1e-8);
      const double exact = dense_sharpness(ex, part, y);
      ASSERT_EQ(felt.values.size(), 1);
      EXPECT_NEAR(felt.values[0], exact, 1e-8 * exact) << diffusion << " " << scheme;
    }
}

TEST(StabilityLimit, KnowsTheStepUnlessItAdapts) {
  SchemeSettings settings;
  settings.step = .3;
  EXPECT_EQ(stability_limit(make_scheme("sgd", settings)).step, .3);
  EXPECT_NEAR(stability_limit(make_scheme("sgd", settings)).limit, 2, 1e-12);
  settings.rtol = 1e-3;
  EXPECT_TRUE(std::isnan(stability_limit(make_scheme("rk5dp", settings)).step));
}

TEST(Spread, TakesBothEnds) {
  EXPECT_EQ(spread(11, 3), (std::vector<std::size_t>{0, 5, 10}));
  EXPECT_EQ(spread(2, 5), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(spread(7, 1), (std::vector<std::size_t>{6}));
  EXPECT_EQ(spread(0, 4), std::vector<std::size_t>{});
}

}  // namespace
}  // namespace thalweg
