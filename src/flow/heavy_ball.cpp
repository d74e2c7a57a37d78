#include "thalweg/flow/heavy_ball.hpp"

namespace thalweg {

HeavyBall::HeavyBall(const Flow& descent, double friction)
    : descent_(descent), friction_(friction), n_(descent.size()) {
  require(friction >= 0, "flow.gamma: " + to_text(friction) + " is negative");
  require(!descent.noisy(),
          "flow.gamma: the heavy ball has no noise; take another flow.diffusion than law, or leave it out");
}

void HeavyBall::velocity(Part part, const Instant& at, In y, Out v) const {
  v.head(n_).setZero();
  descent_.velocity(part, at, y.head(n_), v.tail(n_));
  add_motion(part, y.tail(n_), v);
}

void HeavyBall::jvp(Part part, const Instant& at, In y, In w, Out vw) const {
  vw.head(n_).setZero();
  descent_.jvp(part, at, y.head(n_), w.head(n_), vw.tail(n_));
  add_motion(part, w.tail(n_), vw);
}

void HeavyBall::add_motion(Part part, In u, Out x) const {
  if (part != Part::stiff && part != Part::all) return;
  x.head(n_) += u;
  x.tail(n_) -= friction_ * u;
}

/// (a - h b, (1 + h gamma) b - h J a) = (p, q) with the gradient flow's J: (I - h k J) a = p + k q, k = h/(1 + h
/// gamma).
void HeavyBall::solve_stiff(double h, Out x) const {
  const double k = h / (1 + h * friction_);
  Vector a = x.head(n_) + k * x.tail(n_);
  descent_.solve_stiff(h * k, a);
  x.tail(n_) = (a - x.head(n_)) / h;
  x.head(n_) = a;
}

std::optional<double> HeavyBall::batch_energy(const Instant& at, In y) const {
  const auto potential = descent_.batch_energy(at, y.head(n_));
  if (!potential) return std::nullopt;
  Vector momentum = y.tail(n_);
  descent_.lower(momentum);
  return *potential + y.tail(n_).dot(momentum) / 2;
}

}  // namespace thalweg
