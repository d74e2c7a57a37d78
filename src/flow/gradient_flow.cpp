#include "thalweg/flow/gradient_flow.hpp"

#include <cmath>

#include "thalweg/core/phi.hpp"

namespace thalweg {
namespace {

constexpr Diffusion rows[] = {
    {"none", "nothing: the plain gradient flow", "theta' = -grad L"},
    {"weights", "the weight field: a stiff term of the energy", "theta' = -grad L - nu K theta"},
    {"gradient", "the gradient: a Sobolev metric", "(I + sigma K)^m theta' = -grad L"},
    {"output", "the learned function over x: a term of the energy, D = mean_x |grad_x f|^2",
     "theta' = -grad L - (mu/2) grad D"},
    {"landscape", "the objective over parameter space, for heat time s: u_s = Laplacian u, u(0) = L",
     "theta' = -grad (G_s * L)"},
    {"local-entropy", "its viscous cousin: u_t = -|grad u|^2/2 + (tau/2) Laplacian u, u(0) = L, t = gamma",
     "theta' = tau grad ln (G_(tau gamma/2) * exp(-L/tau))"},
    {"law", "the density of theta: rho_t = div(rho grad L) + tau Laplacian rho",
     "dtheta = -grad L dt + sqrt(2 tau) dW"},
};

bool has(Part part, Part wanted) { return part == Part::all || part == wanted; }

/// K y, one scratch vector a thread, so that flows stay const and calls allocate nothing.
Vector& scratch(Index size) {
  thread_local Vector memory;
  if (memory.size() != size) memory.resize(size);
  return memory;
}

}  // namespace

std::span<const Diffusion> diffusions() { return rows; }

GradientFlow::GradientFlow(const Functional& objective, const Lattice* lattice, const Slots& slots, double scale)
    : objective_(objective), lattice_(lattice), slots_(slots), scale_(scale) {
  require(slots.nu >= 0, "flow.nu: " + to_text(slots.nu) + " is negative");
  require(slots.sigma >= 0, "flow.sigma: " + to_text(slots.sigma) + " is negative");
  require(slots.power == 1 || slots.power == 2, "flow.power: " + std::to_string(slots.power) + " is neither 1 nor 2");
  require(slots.tau >= 0, "flow.tau: " + to_text(slots.tau) + " is negative");
  require(lattice || (slots.nu == 0 && slots.sigma == 0), "a diffusion needs a lattice");
  require(!lattice || lattice->size() == objective.size(), "the lattice and the objective differ in size");
}

void GradientFlow::velocity(Part part, const Instant& at, In y, Out v) const {
  if (has(part, Part::slow)) {
    if (slots_.smoothing)
      slots_.smoothing->gradient(objective_, y, at.batch, at.step, v);
    else
      objective_.gradient(y, at.batch, v);
    v *= -scale_;
  } else {
    v.setZero();
  }
  if (has(part, Part::stiff)) subtract_diffusion(y, v);
  if (part != Part::none) raise(v);
}

void GradientFlow::jvp(Part part, const Instant& at, In y, In w, Out vw) const {
  if (has(part, Part::slow)) {
    if (slots_.smoothing)
      slots_.smoothing->hvp(objective_, y, at.batch, at.step, w, vw);
    else
      objective_.hvp(y, at.batch, w, vw);
    vw *= -scale_;
  } else {
    vw.setZero();
  }
  if (has(part, Part::stiff)) subtract_diffusion(w, vw);
  if (part != Part::none) raise(vw);
}

void GradientFlow::subtract_diffusion(In y, Out v) const {
  if (!stiff()) return;
  Vector& ky = scratch(size());
  lattice_->apply(y, ky);
  v -= slots_.nu * ky;
}

void GradientFlow::raise(Out g) const {
  if (slots_.sigma == 0) return;
  for (int k = 0; k < slots_.power; ++k) lattice_->solve(slots_.sigma, g);
}

void GradientFlow::lower(Out x) const {
  for (int k = 0; slots_.sigma > 0 && k < slots_.power; ++k) {
    Vector& kx = scratch(size());
    lattice_->apply(x, kx);
    x += slots_.sigma * kx;
  }
}

/// I + h nu M^-1 K = M^-1 (M + h nu K), and (1 + sigma l)^m + h nu l = prod_k (1 + c_k l) with real c_k >= 0, so that
/// the inverse is M times one or two lattice solves.
void GradientFlow::solve_stiff(double h, Out x) const {
  if (!stiff()) return;
  const double s = slots_.sigma, q = h * slots_.nu;
  lower(x);
  if (s == 0 || slots_.power == 1) {
    lattice_->solve(s + q, x);
    return;
  }
  // c_1 + c_2 = 2 s + q and c_1 c_2 = s^2; the smaller root from the product, free of cancellation.
  const double large = (2 * s + q + std::sqrt(q * (4 * s + q))) / 2;
  lattice_->solve(large, x);
  lattice_->solve(s * s / large, x);
}

/// The eigenvalue of J = -nu M^-1 K is -nu l/(1 + sigma l)^m where K's is l.
void GradientFlow::phi_stiff(int k, double h, Out x) const {
  if (!stiff()) {
    x *= phi(k, 0);
    return;
  }
  const auto rate = [this](double l) { return slots_.nu * l / std::pow(1 + slots_.sigma * l, slots_.power); };
  lattice_->transform([=](double l) { return phi(k, -h * rate(l)); }, x);
}

std::optional<double> GradientFlow::batch_energy(const Instant& at, In y) const {
  auto e = slots_.smoothing ? slots_.smoothing->value(objective_, y, at.batch, at.step)
                            : std::optional(objective_.value(y, at.batch));
  if (!e) return e;
  *e *= scale_;
  if (stiff()) {
    Vector& ky = scratch(size());
    lattice_->apply(y, ky);
    *e += slots_.nu / 2 * y.dot(ky);
  }
  return e;
}

void GradientFlow::colour(Out xi) const {
  xi *= std::sqrt(2 * slots_.tau);
  if (slots_.sigma == 0) return;
  if (slots_.power == 2)
    lattice_->solve(slots_.sigma, xi);
  else
    lattice_->transform([this](double l) { return 1 / std::sqrt(1 + slots_.sigma * l); }, xi);
}

}  // namespace thalweg
