#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/core/table.hpp"
#include "thalweg/integrate/batches.hpp"
#include "thalweg/integrate/step_schedule.hpp"
#include "thalweg/observe/observer.hpp"

namespace thalweg {

/// How the step follows from error estimates.
struct Adaptor {
  std::string_view name, what;
};
std::span<const Adaptor> adaptors();
std::span<const Refusal> refused_adaptors();

struct SchemeSettings {
  double step = 0.1;           // training time a step spans; the first guess of an adaptive scheme
  std::optional<double> rtol;  // given: adaptive, local error below atol + rtol |y| in the largest component
  std::optional<double> atol;
  std::string adapt = "basic";  // how PETSc's schemes choose the next step: a row of adaptors()
  double theta = 0.5;           // of `theta`: weight of the new state, in [0, 1]
  std::optional<int> stages;    // where their number is free; not given: the scheme's own
  BatchPlan batch;
  // Of descents alone.
  double momentum = 0.9;            // beta of `momentum` and `nesterov`, in [0, 1)
  double beta1 = .9, beta2 = .999;  // memories of `adam`, in [0, 1)
  double epsilon = 1e-8;            // of `adam`, > 0
  double rho = .05;                 // radius of `sam`
  std::optional<double> clip;       // largest norm of a direction, > 0
  double decay = 0;                 // decoupled, 1/time; step * decay < 1
  StepSchedule schedule;
};

/// How one step went; a failure says why.
struct Advance {
  bool ok = true;
  std::string message = {};
  bool diverged = false;
};

/// A solve between two steps: all that decides how it goes on. `vectors` and `numbers` are the scheme's own, in an
/// order of its choice: a momentum, a multistep history, a controller's step. Randomness needs none: it is a function
/// of the step, as the batch is.
struct Snapshot {
  double time = 0;
  std::int64_t step = 0;
  Work work;
  Vector y;
  std::vector<Vector> vectors = {};
  std::vector<double> numbers = {};
};

/// Owns the state of a solve: y, time, step and whatever history a scheme keeps.
class Stepper {
 public:
  virtual ~Stepper() = default;
  /// One step, never past the horizon.
  virtual Advance advance() = 0;
  virtual const Instant& now() const = 0;
  virtual const Vector& state() const = 0;
  virtual const Work& work() const = 0;
  virtual Snapshot snapshot() const = 0;
  /// Goes on from a snapshot; *this was just made with the arguments that made the stepper of the snapshot, but for the
  /// start, which is the snapshot's y. From here on both take the same steps and count the same work, bit for bit.
  virtual void resume(const Snapshot& snapshot) = 0;
  /// Whether a snapshot leaves history out, which resume() begins anew as a function of the snapshot alone; checkpoints
  /// then decide the steps.
  virtual bool restarts() const { return false; }
};

/// A row of the table of schemes. Families keep their rows in files of their own; schemes() joins them.
struct SchemeRow {
  std::string_view name, family, what;
  int order;                    // of the global error; 0: it varies, or this is no discretisation of the flow
  Part implicit = Part::none;   // what it treats implicitly; the right-hand side is the complement
  bool adaptive = false;        // has an error estimate
  bool fixed = true;            // takes steps of a given length; else a tolerance alone decides
  bool batches = true;          // each step may see another batch: it keeps no velocities of past steps
  bool continuous = true;       // states between two steps mean something, so that recording may interpolate
  bool linearises = false;      // takes Jacobian-vector products though nothing is implicit
  bool noisy = false;           // takes the noise of a flow; the others refuse a flow that has any
  bool second_order = false;    // takes a flow of second order for what it is, and no other
  bool carries_energy = false;  // lowers an energy of its own in E's place, which Work tells
  std::string_view twin = {};   // the diffusion whose discrete twin it is; empty: any
  std::unique_ptr<Stepper> (*make)(const Flow&, const SchemeSettings&, In y0, double horizon) = nullptr;
  /// Throws std::invalid_argument on settings that the scheme cannot have; null: it takes all.
  void (*check)(const SchemeSettings&) = nullptr;
  /// Stable on y' = -lambda y, lambda > 0, while step x lambda stays below; null: no bound, or none that is known.
  double (*limit)(const SchemeSettings&) = nullptr;
};
std::span<const SchemeRow> schemes();

/// The rows of one family each.
std::span<const SchemeRow> petsc_schemes();
std::span<const SchemeRow> sundials_schemes();  // where the library was there at configuration
std::span<const SchemeRow> petsc_second_order_schemes();
std::span<const SchemeRow> descents();
std::span<const SchemeRow> stabilised_schemes();
std::span<const SchemeRow> exponential_schemes();
std::span<const SchemeRow> energy_stable_schemes();
std::span<const SchemeRow> stochastic_schemes();

/// Schemes of PETSc that are unusable on these flows, or silently wrong.
std::span<const Refusal> refused_schemes();

struct Scheme {
  const SchemeRow& row;
  SchemeSettings settings;
};

/// The tolerance of a scheme that cannot take fixed steps, where none is given.
inline constexpr double default_rtol = 1e-6;

/// The row of that name with these settings; throws std::invalid_argument where they do not go together.
Scheme make_scheme(std::string_view name, const SchemeSettings& settings);

/// Throws std::invalid_argument where the scheme cannot run on the flow.
void require_fits(const Scheme& scheme, const Flow& flow);

}  // namespace thalweg
