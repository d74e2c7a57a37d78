#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/energy/dirichlet.hpp"
#include "thalweg/integrate/schemes.hpp"
#include "thalweg/observe/observer.hpp"
#include "thalweg/study/learning.hpp"

namespace thalweg {

/// All that a probe may look at when a state is recorded.
struct Moment;

/// A measure of a recorded state: a column of metrics.csv.
struct Probe {
  std::string_view name, unit, what;
  double (*measure)(Moment&);
  bool data = false;    // needs a network on data
  bool costly = false;  // recorded only where it is named
  bool path = false;    // of the states so far, not of the last one
  bool own = false;     // of schemes that carry an energy of their own
};
std::span<const Probe> probes();

/// Records probes of a training run, one row a recorded state, beginning with time, step and gradients.
class Recorder final : public Observer {
 public:
  /// All references must outlive it. `learning` may be null; `wanted` is empty for all probes there can be then, but
  /// for costly ones.
  /// Throws std::invalid_argument that names a wanted probe which needs data or a scheme that are not there.
  Recorder(const Learning* learning, const Functional& objective, const Flow& flow, const Scheme& scheme,
           std::span<const std::string> wanted);

  void see(const Frame& frame) override;

  /// The recorded path, from which the next row's measures follow.
  struct Path {
    Vector y, gradient;
    double length = 0, gradients = 0, changes = 0, turns = 0;
    Vector start;
    int count = 0;
  };
  /// All that has been recorded: a recorder of the same run that resumes from it goes on as this one.
  struct Record {
    std::vector<std::vector<double>> rows;
    Path path;
  };
  const Record& record() const { return record_; }
  void resume(Record record) { record_ = std::move(record); }

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::vector<double>>& rows() const { return record_.rows; }
  bool records(std::string_view column) const;
  /// The last row's value of a column; nan where it was not recorded.
  double last(std::string_view column) const;
  /// Test accuracy at the recorded state with the best validation accuracy (the first of equals).
  double best_accuracy() const;
  /// Mean loss on the test set; nan where there is none.
  double test_loss(In y) const;

 private:
  friend struct Moment;
  void follow(Moment& moment);

  const Learning* learning_;
  const Functional& objective_;
  std::optional<Risk> test_risk_;
  std::optional<Dirichlet> dirichlet_;  // on the training points
  const Flow& flow_;
  const Scheme& scheme_;
  std::vector<const Probe*> probes_;
  std::vector<std::string> columns_;
  Record record_;
};

}  // namespace thalweg
