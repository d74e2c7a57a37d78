#pragma once

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#include <sundials/sundials_linearsolver.h>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg::sundials {

template <auto destroy>
struct Destroy {
  template <class Object>
  void operator()(Object* object) const {
    destroy(object);
  }
};
inline void free_context(SUNContext raw) { SUNContext_Free(&raw); }
using Context = std::unique_ptr<std::remove_pointer_t<SUNContext>, Destroy<free_context>>;
using NVector = std::unique_ptr<_generic_N_Vector, Destroy<N_VDestroy>>;
using LinearSolver = std::unique_ptr<_generic_SUNLinearSolver, Destroy<SUNLinSolFree>>;

inline Eigen::Map<Vector> entries(N_Vector v) { return {N_VGetArrayPointer(v), static_cast<Index>(N_VGetLength(v))}; }

/// What the integrators of SUNDIALS have in common: y' = v(y) through their callbacks, and the count of the work.
///
/// SUNDIALS measures in a weighted root mean square, which would dilute one stiff direction among many parameters. Here
/// its vectors return max_i |x_i| w_i instead, w = 1/(rtol |y| + atol): a step is accepted where each component of its
/// error is below atol + rtol |y|, as in PETSc's rows, and Newton's and the linear solver's tests are tied to that.
class Integrator : public Stepper {
 public:
  Integrator(const Flow& flow, const SchemeSettings& settings, In y0, double horizon);

  Advance advance() final;
  const Instant& now() const final { return now_; }
  const Vector& state() const final { return y_; }
  const Work& work() const final { return work_; }

 protected:
  /// One step of the library from now_ and y_ into next_: its flag, negative where it failed, and the new time.
  virtual std::pair<int, double> step() = 0;
  /// The name of a flag.
  virtual std::string title(int flag) const = 0;
  /// Of I - gamma J, the matrix of the implicit equation at hand.
  virtual double gamma() const = 0;
  /// Adds what the library alone has counted: rejections, iterations.
  virtual void count(Work& work) = 0;

  bool adaptive() const { return settings_.rtol || settings_.atol; }
  /// Throws std::runtime_error on the flag of a setting: only memory can be short.
  void check(int flag) const;
  /// PCG where the flow is symmetric, else GMRES, preconditioned by the stiff part.
  LinearSolver krylov() const;

  /// Callbacks; `self` is the integrator.
  template <Part part>
  static int velocity(realtype time, N_Vector y, N_Vector v, void* self) {
    return static_cast<Integrator*>(self)->evaluate(part, time, y, v);
  }
  static int product(N_Vector w, N_Vector jw, realtype time, N_Vector y, N_Vector v, void* self, N_Vector spare);
  static int precondition(realtype time, N_Vector y, N_Vector v, N_Vector r, N_Vector z, realtype gamma, realtype delta,
                          int side, void* self);
  static void complain(int flag, const char* module, const char* function, char* text, void* self);
  /// z <- (I - gamma J_stiff)^-1 r.
  int solve_stiff(double gamma, N_Vector r, N_Vector z);

  const Flow& flow_;
  const SchemeSettings settings_;
  const double horizon_;
  Instant now_;
  Work work_;
  Vector y_;
  Context context_;
  NVector next_;

 private:
  /// The velocity that a part was last asked for: the library asks twice where a step begins.
  struct Memo {
    Vector y, v;
  };
  int evaluate(Part part, double time, N_Vector y, N_Vector v);
  template <class Body>
  int guard(Body body) noexcept;

  Batches batches_;
  Memo memos_[4];
  bool finite_ = true;
  bool convex_ = true;  // false: the last product has shown that the implicit equation is not
  std::string complaint_;
  std::exception_ptr kept_;
};

/// An integrator's tolerances: those of the settings, or, for fixed steps, what keeps the algebraic error below that of
/// any scheme in the table.
struct Tolerances {
  double rtol, atol;
};
Tolerances tolerances(const SchemeSettings& settings);

}  // namespace thalweg::sundials
