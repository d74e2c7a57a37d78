#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

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

/// Owns the state of a solve: y, time, step and whatever history a scheme keeps.
class Stepper {
 public:
  virtual ~Stepper() = default;
  /// One step, never past the horizon.
  virtual Advance advance() = 0;
  virtual const Instant& now() const = 0;
  virtual const Vector& state() const = 0;
  virtual const Work& work() const = 0;
};

/// A row of the table of schemes. Families keep their rows in files of their own; schemes() joins them.
struct SchemeRow {
  std::string_view name, family, what;
  int order;                   // of the global error; 0: not a discretisation of the flow
  Part implicit = Part::none;  // what it treats implicitly; the right-hand side is the complement
  bool adaptive = false;       // has an error estimate
  bool continuous = true;      // states between two steps mean something, so that recording may interpolate
  bool second_order = false;   // takes a flow of second order for what it is, and no other
  std::string_view twin = {};  // the diffusion whose discrete twin it is; empty: any
  std::unique_ptr<Stepper> (*make)(const Flow&, const SchemeSettings&, In y0, double horizon) = nullptr;
  /// Throws std::invalid_argument on settings that the scheme cannot have; null: it takes all.
  void (*check)(const SchemeSettings&) = nullptr;
  /// Stable on y' = -lambda y, lambda > 0, while step x lambda stays below; null: no bound, or none that is known.
  double (*limit)(const SchemeSettings&) = nullptr;
};
std::span<const SchemeRow> schemes();

/// The rows of one family each.
std::span<const SchemeRow> petsc_schemes();
std::span<const SchemeRow> petsc_second_order_schemes();
std::span<const SchemeRow> descents();

/// Schemes of PETSc that are unusable on these flows, or silently wrong.
std::span<const Refusal> refused_schemes();

struct Scheme {
  const SchemeRow& row;
  SchemeSettings settings;
};

/// The row of that name with these settings; throws std::invalid_argument where they do not go together.
Scheme make_scheme(std::string_view name, const SchemeSettings& settings);

}  // namespace thalweg
