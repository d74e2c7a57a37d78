#pragma once

#include <optional>
#include <string>

#include "thalweg/integrate/integrate.hpp"

namespace thalweg {

/// Judges a run when it has ended: whether its steps were longer than the scheme is stable for. A training loss that
/// saturates hides that, since its states need not leave any bound.
class Verdict {
 public:
  Verdict(const Flow& flow, const Scheme& scheme, In y0);

  /// Keeps of the run what a judgement needs: its longest step and, now and then, a copy of a state that is still tame.
  void follow(const Stepper& stepper);
  const Checkpoint::Judged& judged() const { return judged_; }
  /// Goes on from what a run had kept at that time.
  void resume(double time, Checkpoint::Judged judged);

  /// A noise-free run over the whole set with fixed steps has diverged where its energy ended above the start's and the
  /// scheme either was beyond its limit or claims to follow the flow, which never raises it. Costs two energies; where
  /// something is wrong, two sharpnesses of at most 100 products more.
  void judge(Outcome& outcome) const;

 private:
  bool whole_set() const;
  bool by_fixed_steps() const;
  /// Whether the scheme may be unstable; one that treats everything implicitly is not, unless its row states a limit.
  bool limited() const;
  /// step x sharpness at the start or the last tame state, whichever is larger; nothing where it has no meaning.
  std::optional<double> load() const;
  bool too_long(std::optional<double> load) const;
  std::string diagnosis(std::optional<double> load) const;

  const Flow& flow_;
  const Scheme& scheme_;
  Vector start_;
  double time_ = 0;
  Checkpoint::Judged judged_;
};

}  // namespace thalweg
