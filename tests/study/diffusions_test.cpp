#include <gtest/gtest.h>

#include <Eigen/LU>
#include <set>

#include "../network.hpp"
#include "thalweg/energy/dirichlet.hpp"
#include "thalweg/energy/penalised.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {
namespace {

Settings small() {
  Settings s;
  s.data.samples = 12;
  s.data.validation_samples = 1;
  s.data.test_samples = 1;
  s.model.hidden = {3, 2};
  s.flow.nu = .01;
  s.flow.sigma = .02;
  s.flow.power = 2;
  s.flow.mu = .1;
  s.flow.heat = .01;
  s.flow.draws = 2;
  s.flow.entropy.steps = 4;
  s.flow.tau = .01;
  s.stepping.step = .01;
  s.stop.steps = 3;
  return s;
}

/// Every slot alone and every two of them.
std::vector<std::string> slot_pairs() {
  const auto all = names(diffusions());
  std::vector<std::string> pairs = all;
  for (std::size_t a = 0; a < all.size(); ++a)
    for (std::size_t b = a + 1; b < all.size(); ++b) pairs.push_back(all[a] + "+" + all[b]);
  return pairs;
}

/// The first scheme of every kind: family, what is implicit, whose twin, with noise or without.
std::vector<std::string> scheme_kinds() {
  std::set<std::tuple<std::string_view, Part, std::string_view, bool>> seen;
  std::vector<std::string> first;
  for (const SchemeRow& row : schemes())
    if (!row.second_order && seen.insert({row.family, row.implicit, row.twin, row.noisy}).second) first.emplace_back(row.name);
  return first;
}

/// Why the settings cannot be: the key that a refusal has to name, or nothing.
std::string refusal(const Settings& s) {
  const SchemeRow& row = find(schemes(), s.scheme, "scheme.name");
  const auto has = [&](std::string_view slot) { return diffuses(s.flow, slot); };
  if (!row.twin.empty() && !has(row.twin)) return "scheme.name";
  if (has("none") && s.flow.diffusion != "none") return "flow.diffusion";
  if (has("landscape") && has("local-entropy")) return "flow.diffusion";
  if (has("law") && !row.noisy) return "scheme.name";
  // Local entropy has neither an energy in closed form nor a self-adjoint Jacobian.
  if (has("local-entropy") && row.family == "stabilised") return "scheme.stages";
  if (has("local-entropy") && (row.family == "energy-stable" || (row.family == "exponential" && row.implicit == Part::all)))
    return "scheme.name";
  return {};
}

/// -M^-1 (grad S + nu K theta) from functionals and dense matrices, S the objective with its penalty, diffused.
Vector velocity(const Experiment& ex, In theta) {
  const FlowSpec& f = ex.settings.flow;
  const auto has = [&](std::string_view slot) { return diffuses(f, slot); };
  const Learning& problem = *ex.learning;
  const Dirichlet dirichlet(problem.model, problem.data.train.x, true);
  const Penalised both(problem.risk, f.mu / 2, dirichlet);
  const Functional& objective = has("output") ? static_cast<const Functional&>(both) : problem.risk;
  const Draws draws{f.draws, ex.settings.stepping.batch.seed, !ex.scheme.row.continuous};
  Vector g(theta.size());
  if (has("landscape"))
    heat_smoothing(f.heat, draws)->gradient(objective, theta, {}, 1, g);
  else if (has("local-entropy"))
    local_entropy(f.entropy, draws)->gradient(objective, theta, {}, 1, g);
  else
    objective.gradient(theta, {}, g);
  const auto lattice = find(lattices(), f.lattice, "").make(problem.model.layers(), theta.size(), f.seed);
  const Matrix k = test::dense(*lattice), one = Matrix::Identity(k.rows(), k.cols());
  const Matrix smoother = one + (has("gradient") ? f.sigma : 0) * k;
  if (has("weights")) g += f.nu * k * theta;
  return -(smoother * smoother).partialPivLu().solve(g);
}

class EveryTwoDiffusions : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

// Either the flow's velocity is that of the definitions, noise is there where it was asked for, and the scheme takes
// its three steps; or the settings are refused by the key that is to blame.
TEST_P(EveryTwoDiffusions, AreRightOrRefused) {
  const auto& [diffusion, lattice] = GetParam();
  for (const std::string& scheme : scheme_kinds()) {
    Settings s = small();
    s.flow.diffusion = diffusion;
    s.flow.lattice = lattice;
    s.scheme = scheme;
    SCOPED_TRACE(scheme);
    std::string complaint;
    try {
      resolve(s, {{"flow.diffusion", diffusion}});
      const Experiment ex(s);
      const Vector theta = ex.start();
      Vector v(theta.size());
      ex.flow.velocity(Part::all, {0, 1, {}}, theta, v);
      EXPECT_LT(test::distance(v, velocity(ex, theta)), 1e-11);
      EXPECT_EQ(ex.flow.noisy(), diffuses(s.flow, "law"));
      const Outcome outcome = ex.run({});
      EXPECT_EQ(outcome.status, Status::steps) << outcome.message;
      EXPECT_EQ(outcome.end.step, 3);
      EXPECT_TRUE(outcome.y.allFinite());
      EXPECT_NE(outcome.y, theta);
    } catch (const std::invalid_argument& misuse) {
      complaint = misuse.what();
    }
    const std::string key = refusal(s);
    if (key.empty())
      EXPECT_EQ(complaint, "");
    else
      EXPECT_EQ(complaint.find(key + ": "), 0u) << complaint;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, EveryTwoDiffusions,
                         testing::Combine(testing::ValuesIn(slot_pairs()), testing::ValuesIn(names(lattices()))),
                         [](const auto& c) {
                           std::string title = std::get<0>(c.param) + "_" + std::get<1>(c.param);
                           std::replace(title.begin(), title.end(), '+', '_');
                           return test::identifier(title);
                         });

std::unique_ptr<Experiment> experiment(const std::string& diffusion, const std::string& scheme) {
  Settings s = small();
  s.flow.diffusion = diffusion;
  s.scheme = scheme;
  return std::make_unique<Experiment>(s);
}

// The draws of a descent are those of its step; a flow in continuous time has one energy, and steps down on it.
TEST(Diffusions, DrawAfreshForDescentsAlone) {
  for (const std::string slot : {"landscape", "local-entropy"}) {
    const auto moves = [&](const std::string& scheme) {
      const auto ex = experiment(slot, scheme);
      const Vector theta = ex->start();
      Vector one(theta.size()), other(theta.size());
      ex->flow.velocity(Part::all, {0, 1, {}}, theta, one);
      ex->flow.velocity(Part::all, {0, 2, {}}, theta, other);
      return one != other;
    };
    EXPECT_TRUE(moves("sgd")) << slot;
    EXPECT_EQ(moves("rk4"), false) << slot;
  }
}

TEST(Diffusions, OfAnAnalyticLandscapeAreExact) {
  Settings s = small();
  s.model_kind = "double-well";
  s.landscape.dimension = 1;
  s.flow.diffusion = "landscape";
  s.scheme = "smoothed-sgd";
  const Experiment ex(s);
  Vector v(1);
  ex.flow.velocity(Part::all, {}, Vector::Constant(1, .5), v);
  EXPECT_NEAR(v[0], -(.125 + 6 * s.flow.heat * .5 - .5), 1e-15);
  EXPECT_EQ(ex.flow.evaluations(), 1);
  // The recorded loss remains the landscape's own.
  EXPECT_NEAR(ex.objective.value(Vector::Constant(1, .5), {}), .140625, 1e-15);
}

TEST(Diffusions, TakeCollocationPointsFromTheDomain) {
  Settings s = small();
  s.flow.diffusion = "output";
  s.flow.output_points = "uniform";
  s.flow.output_count = 40;
  s.stepping.batch.size = 4;
  const Experiment ex(s);
  const Matrix points = uniform_points(ex.learning->data, 40, s.flow.seed);
  const Dirichlet dirichlet(ex.learning->model, points, false);
  const Vector theta = ex.start();
  Vector v(theta.size()), g(theta.size()), d(theta.size());
  const std::int32_t batch[] = {3, 5};
  ex.flow.velocity(Part::all, {0, 0, batch}, theta, v);
  ex.learning->risk.gradient(theta, batch, g);
  dirichlet.gradient(theta, {}, d);
  EXPECT_LT(test::distance(v, -(g + s.flow.mu / 2 * d)), 1e-14);
}

TEST(Diffusions, RefuseWhatMeansNothing) {
  const auto complaint = [](auto change) -> std::string {
    Settings s = small();
    change(s);
    try {
      resolve(s, {{"flow.diffusion", s.flow.diffusion}});
      const Experiment ex(s);
    } catch (const std::invalid_argument& misuse) {
      return misuse.what();
    }
    return {};
  };
  EXPECT_EQ(complaint([](Settings& s) {
              s.model_kind = "double-well";
              s.flow.diffusion = "output";
            }).find("flow.diffusion: output"),
            0u);
  EXPECT_EQ(complaint([](Settings& s) {
              s.flow.diffusion = "local-entropy";
              s.stop.loss = .1;
            }).find("stop.loss: "),
            0u);
  EXPECT_EQ(complaint([](Settings& s) {
              s.flow.diffusion = "landscape";
              s.stop.loss = .1;
            }).find("stop.loss: "),
            0u);
  EXPECT_EQ(complaint([](Settings& s) {
              s.flow.diffusion = "law";
              s.scheme = "momentum";
            }).find("scheme.name: momentum adds no noise"),
            0u);
}

}  // namespace
}  // namespace thalweg
