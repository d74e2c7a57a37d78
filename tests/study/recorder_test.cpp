#include "thalweg/study/recorder.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

#include "thalweg/study/config.hpp"
#include "thalweg/study/experiment.hpp"
#include "thalweg/study/methods.hpp"

namespace thalweg {
namespace {

Settings small(const std::string& keys) {
  Settings s;
  apply_keys(s,
             "data.samples=30 data.validation_samples=10 "
             "data.test_samples=10 model.hidden=4,3 scheme.batch=0 " +
                 keys);
  s.stop.steps = 3;
  resolve(s, {});
  return s;
}

Recorder recorded(const Experiment& experiment) {
  Recorder recorder = experiment.recorder();
  const Watch watch[] = {{{}, recorder}};
  experiment.run(watch);
  return recorder;
}

/// The largest eigenvalue of a matrix given by its product with a vector.
template <class Apply>
double largest(Index n, Apply apply) {
  Matrix a(n, n);
  for (Index j = 0; j < n; ++j) apply(Vector::Unit(n, j), a.col(j));
  return Eigen::EigenSolver<Matrix>(a).eigenvalues().real().maxCoeff();
}

TEST(Recorder, LeavesCostlyProbesOutUnlessNamed) {
  const Experiment all(small(""));
  const Recorder recorder = recorded(all);
  for (const Probe& probe : probes())
    EXPECT_EQ(recorder.records(probe.name), !probe.costly && !probe.own) << probe.name;
}

// At steps far too long for an explicit scheme E goes up and down; what the scheme carries in its place only falls, and
// starts as E.
TEST(Recorder, ShowsTheEnergyThatAnAuxiliaryVariableLowers) {
  for (const std::string scheme : {"sav-euler", "sav-crank-nicolson"}) {
    Settings settings =
        small("record.probes=energy,modified_energy scheme.step=40 flow.diffusion=weights flow.nu=0.01 scheme.name=" +
              scheme);
    settings.stop.steps = 20;
    const Experiment ex(settings);
    Recorder recorder = ex.recorder();
    const Watch watch[] = {{{{}, 1}, recorder}};
    ex.run(watch);
    const auto& rows = recorder.rows();
    ASSERT_EQ(rows.size(), 21u);
    EXPECT_NEAR(rows[0][4], rows[0][3], 1e-14) << scheme;
    int rises = 0;
    for (std::size_t k = 1; k < rows.size(); ++k) {
      EXPECT_LT(rows[k][4], rows[k - 1][4]) << scheme << " step " << k;
      rises += rows[k][3] > rows[k - 1][3];
    }
    EXPECT_GT(rises, 0) << scheme;
  }
}

TEST(Recorder, KnowsNoModifiedEnergyOfOtherSchemes) {
  const Experiment ex(small("record.probes=modified_energy scheme.name=rk4"));
  try {
    ex.recorder();
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()).find("record.probes: modified_energy is of schemes that carry"), 0u);
  }
}

// Lanczos stops within 0.1 %, from below.
TEST(Recorder, MeasuresSharpnessAsADenseEigenvalue) {
  const Experiment ex(
      small("record.probes=sharpness,step_sharpness scheme.name=laplacian-sgd "
            "scheme.step=0.3 "
            "flow.diffusion=gradient flow.lattice=ring flow.sigma=2"));
  const Recorder recorder = recorded(ex);
  const Vector y = ex.run({}).y;
  const Index n = y.size();
  const double hessian = largest(n, [&](In w, Out hw) { ex.objective.hvp(y, {}, w, hw); });
  const double felt = largest(n, [&](In w, Out jw) {
    ex.flow.jvp(Part::all, {}, y, w, jw);
    jw *= -1;
  });
  EXPECT_NEAR(recorder.last("sharpness"), hessian, 1e-3 * hessian);
  EXPECT_NEAR(recorder.last("step_sharpness"), .3 * felt, 1e-3 * .3 * felt);
  EXPECT_LT(felt, .9 * hessian);
}

// A diffusion that is solved for limits no step.
TEST(Recorder, CountsWhatIsTreatedExplicitlyAsFelt) {
  const std::string probes = "record.probes=step_sharpness flow.diffusion=weights flow.nu=0.1 ";
  const Experiment implicit(small(probes + "scheme.name=diffusion-sgd")), plain(small(probes + "scheme.name=sgd"));
  const double split = recorded(implicit).rows()[0].back(), whole = recorded(plain).rows()[0].back();
  EXPECT_GT(whole, 2 * split);
}

// The full step comes with the last step of the warm-up.
TEST(Recorder, FollowsTheScheduleOfTheStep) {
  const std::string probes = "record.probes=sharpness,step_sharpness record.every=1 scheme.step=0.2 ";
  const Experiment ex(small(probes + "scheme.warmup=2"));
  const Recorder recorder = recorded(ex);
  for (const auto& row : recorder.rows())
    EXPECT_NEAR(row[4], (row[1] == 0 ? .1 : .2) * row[3], 2e-3 * row[4]) << "step " << row[1];
}

}  // namespace
}  // namespace thalweg
