#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/study/console.hpp"
#include "thalweg/study/experiment.hpp"

namespace thalweg {

/// An error of a discrete dynamics against its continuous limit, at one value of the small parameter.
struct LimitPoint {
  std::string series;  // what is compared with what
  double parameter = 0;
  double error = 0;           // nan where a solve did not get there
  double standard_error = 0;  // of a sampled error; 0 where nothing is sampled
};

/// A row of the continuum limits: the errors over the ladder limit.steps.
struct LimitKind {
  std::string_view name, what, rate;
  std::span<const std::string_view> schemes;  // which it solves with
  /// Collective over the ranks of the console; the points are complete on rank 0. Throws std::invalid_argument where
  /// the experiment has no such limit.
  std::vector<LimitPoint> (*measure)(const Experiment&, std::span<const double> steps, const Console&);
};
std::span<const LimitKind> limit_kinds();

/// Collective: what `solve` gives for each of the numbered tasks, which the ranks are handed as they become free. All
/// on rank 0, unless interrupted; nothing on the others.
std::map<std::int64_t, std::vector<double>> handed_out(std::int64_t tasks, const Console& console,
                                                       const std::function<std::vector<double>(std::int64_t)>& solve);

/// Descent against the flow; the theta methods against the flow and against the modified one.
std::vector<LimitPoint> step_limit(const Experiment& experiment, std::span<const double> steps, const Console& console);
std::vector<LimitPoint> modified_limit(const Experiment& experiment, std::span<const double> steps,
                                       const Console& console);
/// Stochastic gradient descent against its stochastic modified equations.
std::vector<LimitPoint> noise_limit(const Experiment& experiment, std::span<const double> steps,
                                    const Console& console);

/// E + c |grad E|^2, with c = (1 - 2 theta) h/4 the functional whose flow a theta method of step h follows to second
/// order (Barrett, Dherin 2021 at theta = 0). Value and gradient are exact; its own product, which would need third
/// derivatives of E, is the central difference of its gradient.
class Modified final : public Functional {
 public:
  Modified(const Functional& functional, double c) : functional_(functional), c_(c) {}

  Index size() const override { return functional_.size(); }
  Index samples() const override { return functional_.samples(); }
  double value(In y, Batch batch) const override;
  double gradient(In y, Batch batch, Out g) const override;
  void hvp(In y, Batch batch, In w, Out hw) const override;

 private:
  const Functional& functional_;
  double c_;
};

/// Exact means of a quadratic under noisy descent. f(w) = (w - gamma)'H(w - gamma)/2 - tr H/2 with gamma ~ N(0, I)
/// has E f = w'H w/2; in an eigenvector of eigenvalue h from w0 after k steps of eta (Li, Tai, E 2019):
struct QuadraticMoments {
  double descent;  // E h w^2/2 of w <- w - eta h (w - gamma)
  double first;    // of dX = -h X dt + sqrt(eta) h dW
  double second;   // of dX = -(h + eta h^2/2) X dt + sqrt(eta) h dW
};
QuadraticMoments quadratic_moments(double h, double w0, double eta, std::int64_t k);

}  // namespace thalweg
