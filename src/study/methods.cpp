#include "thalweg/study/methods.hpp"

#include <cmath>

#include <boost/math/tools/roots.hpp>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {
namespace {

constexpr Method method_rows[] = {
    {"sgd", "plain stochastic gradient descent", "scheme.name=sgd flow.diffusion=none", "1"},
    {"momentum", "heavy ball", "scheme.name=momentum flow.diffusion=none", "1/(1 - beta)"},
    {"nesterov", "Nesterov's momentum", "scheme.name=nesterov flow.diffusion=none", "1/(1 - beta)"},
    {"adam", "adaptive moments: its step does not scale with the gradient, so that it has no gain to match",
     "scheme.name=adam flow.diffusion=none", "1"},
    {"sam", "sharpness-aware minimisation: two gradients a step", "scheme.name=sam flow.diffusion=none", "1", 2},
    {"diffusion-sgd", "heat flow of the weights over the neurons, implicit",
     "scheme.name=diffusion-sgd flow.diffusion=weights flow.lattice=neurons", "trace((I + eta nu K)^-1)/P"},
    {"laplacian-sgd", "Laplacian smoothing of the gradient on the ring",
     "scheme.name=laplacian-sgd flow.diffusion=gradient flow.lattice=ring", "trace((I + sigma K)^-m)/P"},
    {"laplacian-sgd-permuted", "the same on a permuted ring: the control",
     "scheme.name=laplacian-sgd flow.diffusion=gradient flow.lattice=permuted", "trace((I + sigma K)^-m)/P"},
    {"laplacian-sgd-neurons", "Sobolev gradient over the neurons",
     "scheme.name=laplacian-sgd flow.diffusion=gradient flow.lattice=neurons", "trace((I + sigma K)^-m)/P"},
    {"output", "heat flow of the learned function: its Dirichlet energy on the batch is part of the objective",
     "scheme.name=sgd flow.diffusion=output", "1"},
    {"smoothed-sgd", "heat flow of the loss over parameter space: gradients at antithetic draws, 2 flow.draws a step",
     "scheme.name=smoothed-sgd flow.diffusion=landscape", "1"},
    {"entropy-sgd", "local entropy of the loss by an inner Langevin chain",
     "scheme.name=entropy-sgd flow.diffusion=local-entropy", "1"},
    {"langevin", "heat flow of the law of the weights: noise at the temperature flow.tau",
     "scheme.name=langevin flow.diffusion=law", "1"},
    {"langevin-sobolev", "the same in the Sobolev metric over the neurons, noise included",
     "scheme.name=langevin flow.diffusion=law+gradient flow.lattice=neurons", "trace((I + sigma K)^-m)/P"},
    {"gradient-flow", "the plain flow by Dormand-Prince",
     "scheme.name=rk5dp scheme.rtol=1e-3 flow.diffusion=none scheme.batch=0", "1"},
    {"weights-flow", "the weights flow by additive Runge-Kutta",
     "scheme.name=arkimex3 scheme.rtol=1e-3 flow.diffusion=weights flow.lattice=neurons scheme.batch=0", "1"},
    {"gradient-metric-flow", "the Sobolev flow by Dormand-Prince",
     "scheme.name=rk5dp scheme.rtol=1e-3 flow.diffusion=gradient flow.lattice=neurons scheme.batch=0", "1"},
};

constexpr Matching matching_rows[] = {
    {"equal-step", "the same step, the same batches, the same number of gradients"},
    {"equal-effective-step",
     "each step divided by the method's mean gain on a white gradient, the same number of gradients"},
    {"tuned", "each step the one of study.tuning with the best validation accuracy at the end, for every seed anew"},
};

/// The mean gain of one step of that size: trace(A)/P for a step along A g, A = (M + eta nu K)^-1 in the metric M.
double gain(const Settings& s, const Eigen::ArrayXd& k, double step) {
  Eigen::ArrayXd inverse = Eigen::ArrayXd::Ones(k.size());
  if (diffuses(s.flow, "gradient")) inverse = (1 + s.flow.sigma * k).pow(s.flow.power);
  if (s.scheme == "diffusion-sgd") inverse += step * s.flow.nu * k;
  const bool accumulates = s.scheme == "momentum" || s.scheme == "nesterov";
  return inverse.inverse().mean() / (accumulates ? 1 - s.stepping.momentum : 1);
}

}  // namespace

std::span<const Method> methods() { return method_rows; }
std::span<const Matching> matchings() { return matching_rows; }

void apply_keys(Settings& settings, std::string_view assignments) {
  for (const auto& assignment : split_list(std::string(assignments), ' ')) {
    const auto sign = assignment.find('=');
    require(sign != std::string::npos, "'" + assignment + "' is not of the form section.key=value");
    set_key(settings, assignment.substr(0, sign), assignment.substr(sign + 1));
  }
}

double matched_step(const Settings& s, const Experiment& experiment) {
  const Eigen::ArrayXd k = experiment.lattice ? experiment.lattice->eigenvalues() : Vector(Vector::Zero(1));
  const double wanted = s.stepping.step;
  const auto excess = [&](double step) { return step * gain(s, k, step) - wanted; };
  std::uintmax_t iterations = 100;
  const auto [low, high] = boost::math::tools::bracket_and_solve_root(
      excess, wanted / gain(s, k, wanted), 2.0, true, boost::math::tools::eps_tolerance<double>(40), iterations);
  return (low + high) / 2;
}

}  // namespace thalweg
