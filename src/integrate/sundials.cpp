#include "sundials.hpp"

#include <cmath>

#include <sunlinsol/sunlinsol_pcg.h>
#include <sunlinsol/sunlinsol_spgmr.h>

#include "curvature.hpp"

namespace thalweg::sundials {
namespace {

bool has_gradient(Part part) { return part == Part::slow || part == Part::all; }

/// max_i |x_i| w_i; nan where there is one.
realtype weighted_maximum(N_Vector x, N_Vector w) {
  const realtype *a = N_VGetArrayPointer(x), *b = N_VGetArrayPointer(w);
  realtype largest = 0;
  for (sunindextype i = 0; i < N_VGetLength(x); ++i) {
    const realtype size = std::abs(a[i]) * b[i];
    if (std::isnan(size)) return size;
    if (size > largest) largest = size;
  }
  return largest;
}

SUNContext created() {
  SUNContext raw = nullptr;
  if (SUNContext_Create(nullptr, &raw) != 0) throw std::runtime_error("SUNDIALS has no memory");
  return raw;
}

}  // namespace

Tolerances tolerances(const SchemeSettings& settings) {
  if (!settings.rtol && !settings.atol) return {1e-10, 1e-12};
  const Tolerances given{settings.rtol.value_or(0), settings.atol.value_or(1e-9)};
  require(given.rtol > 0 || given.atol > 0, "scheme.atol: 0 needs a scheme.rtol above 0");
  return given;
}

Integrator::Integrator(const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
    : flow_(flow),
      settings_(settings),
      horizon_(horizon),
      y_(y0),
      context_(created()),
      next_(N_VNew_Serial(y0.size(), context_.get())),
      batches_(settings.batch, flow.samples()) {
  if (!next_) throw std::runtime_error("SUNDIALS has no memory for " + std::to_string(y0.size()) + " parameters");
  next_->ops->nvwrmsnorm = weighted_maximum;  // clones inherit it
  entries(next_.get()) = y0;
}

Advance Integrator::advance() {
  now_.batch = batches_.at(now_.step);
  for (Memo& memo : memos_) memo.y.resize(0);
  finite_ = convex_ = true;
  complaint_.clear();
  const auto [flag, time] = step();
  if (kept_) std::rethrow_exception(std::exchange(kept_, nullptr));
  count(work_);
  Advance result;
  if (flag < 0) {
    const bool diverged = !finite_;
    result = {false,
              title(flag) + (complaint_.empty() ? "" : ": " + complaint_) +
                  (diverged  ? "; the velocity is no longer finite, so try a smaller scheme.step"
                   : convex_ ? "; try a smaller scheme.step or a looser tolerance"
                             : "; the energy is not convex here: try a scheme.step below 1/|its least curvature|"),
              diverged};
  } else if (!(time > now_.time)) {
    result = {false, "the steps have shrunk to nothing at t = " + to_text(time) + "; try a looser tolerance", !finite_};
  } else {
    y_ = entries(next_.get());
    now_.time = time;
    work_.steps = ++now_.step;
  }
  return result;
}

void Integrator::check(int flag) const {
  if (flag < 0) throw std::runtime_error("SUNDIALS: " + title(flag) + ": " + complaint_);
}

LinearSolver Integrator::krylov() const {
  const int side = flow_.stiff() ? SUN_PREC_LEFT : SUN_PREC_NONE;
  // 200 iterations as in PETSc's rows; GMRES keeps as many directions as it takes between two restarts.
  if (flow_.symmetric()) return LinearSolver(SUNLinSol_PCG(next_.get(), side, 200, context_.get()));
  LinearSolver gmres(SUNLinSol_SPGMR(next_.get(), side, 30, context_.get()));
  SUNLinSol_SPGMRSetMaxRestarts(gmres.get(), 6);
  return gmres;
}

template <class Body>
int Integrator::guard(Body body) noexcept {
  if (kept_) return -1;  // CVODE's fixed-point iteration takes any failure for a reason to try a shorter step
  try {
    body();
    return 0;
  } catch (...) {
    kept_ = std::current_exception();
    return -1;
  }
}

int Integrator::evaluate(Part part, double time, N_Vector y, N_Vector v) {
  const int code = guard([&] {
    auto at = entries(y), out = entries(v);
    Memo& memo = memos_[static_cast<int>(part)];
    if (memo.y.size() != at.size() || memo.y != at) {
      flow_.velocity(part, {time, now_.step, now_.batch}, at, out);
      work_.gradients += has_gradient(part);
      memo.y = at;
      memo.v = out;
      finite_ = out.allFinite();
    } else {
      out = memo.v;
    }
  });
  // A failure that a shorter step may mend: left to itself SUNDIALS compares with nan for ever.
  return code == 0 && !finite_ ? 1 : code;
}

int Integrator::product(N_Vector w, N_Vector jw, realtype time, N_Vector y, N_Vector, void* self, N_Vector) {
  auto& me = *static_cast<Integrator*>(self);
  const int code = me.guard([&] {
    auto out = entries(jw);
    me.flow_.jvp(Part::all, {time, me.now_.step, me.now_.batch}, entries(y), entries(w), out);
    ++me.work_.products;
    me.convex_ = positive_along(me.flow_, entries(w), entries(w) - me.gamma() * out);
  });
  return code == 0 && !me.convex_ ? 1 : code;  // a shorter step may mend it
}

int Integrator::precondition(realtype, N_Vector, N_Vector, N_Vector r, N_Vector z, realtype gamma, realtype, int,
                             void* self) {
  return static_cast<Integrator*>(self)->solve_stiff(gamma, r, z);
}

int Integrator::solve_stiff(double gamma, N_Vector r, N_Vector z) {
  return guard([&] {
    auto out = entries(z);
    out = entries(r);
    flow_.solve_stiff(gamma, out);
  });
}

void Integrator::complain(int flag, const char*, const char*, char* text, void* self) {
  if (flag < 0) static_cast<Integrator*>(self)->complaint_ = text;
}

}  // namespace thalweg::sundials
