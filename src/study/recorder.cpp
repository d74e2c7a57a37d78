#include "thalweg/study/recorder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "thalweg/core/table.hpp"
#include "thalweg/flow/gradient_flow.hpp"
#include "thalweg/integrate/sharpness.hpp"

namespace thalweg {

namespace {

/// Of a recorded sharpness. At a per cent Lanczos may stop at the second of two close eigenvalues, which shows as a
/// dip.
constexpr double probe_tolerance = 1e-3;

}  // namespace

struct Moment {
  const Recorder& recorder;
  const Instant& at;
  const Vector &y, &state;
  const Work& work;
  double loss = 0;
  Vector gradient{};
  std::optional<std::vector<int>> on_train{}, on_test{};

  const Recorder::Path& path() const { return recorder.record_.path; }
  const Dataset& data() const { return recorder.learning_->data; }
  double energy() const { return recorder.flow_.energy(state).value_or(nan); }
  double dirichlet() const { return recorder.dirichlet_->value(y, {}); }
  /// Of the Hessian of L.
  double sharpness() const {
    return thalweg::sharpness(GradientFlow(recorder.objective_, nullptr, {}), Part::all, at, y, probe_tolerance).value;
  }
  /// The step that begins here times the sharpness that it feels; nan where the scheme adapts it.
  double step_sharpness() const {
    const auto& [row, settings] = recorder.scheme_;
    if (settings.rtol || settings.atol || !recorder.flow_.self_adjoint()) return nan;
    return StepSizes(settings.schedule, settings.step)(at.step) *
           thalweg::sharpness(recorder.flow_, felt_part(row.implicit), at, y, probe_tolerance).value;
  }

  std::vector<int> predict(const Samples& samples) const {
    return decide(recorder.learning_->loss, recorder.learning_->model.predict(y, samples.x));
  }
  const std::vector<int>& train() {
    if (!on_train) on_train = predict(data().train);
    return *on_train;
  }
  const std::vector<int>& test() {
    if (!on_test) on_test = predict(data().test);
    return *on_test;
  }

  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
};

namespace {

constexpr double nan = Moment::nan;

double ratio(double part, double whole) { return whole > 0 ? part / whole : nan; }

double accuracy(const std::vector<int>& predicted, const Samples& samples) {
  double right = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) right += predicted[i] == samples.clean[i];
  return ratio(right, static_cast<double>(predicted.size()));
}

double memorised(Moment& m) {
  const Samples& s = m.data().train;
  double flipped = 0, reproduced = 0;
  for (std::size_t i = 0; i < s.label.size(); ++i) {
    if (s.label[i] == s.clean[i]) continue;
    ++flipped;
    reproduced += m.train()[i] == s.label[i];
  }
  return ratio(reproduced, flipped);
}

double worst_fragment(Moment& m) {
  const Samples& s = m.data().test;
  std::map<int, std::pair<double, double>> right_of;
  for (std::size_t i = 0; i < s.fragment.size(); ++i) {
    auto& [right, all] = right_of[s.fragment[i]];
    right += m.test()[i] == s.clean[i];
    ++all;
  }
  double worst = nan;
  for (const auto& [fragment, counts] : right_of) worst = std::fmin(worst, counts.first / counts.second);
  return worst;
}

constexpr Probe rows[] = {
    {"loss", "loss", "L, of a network on the training set with its noisy labels", [](Moment& m) { return m.loss; }},
    {"energy", "loss", "E: the energy that the flow lowers", [](Moment& m) { return m.energy(); }},
    {"modified_energy", "loss", "what a sav scheme lowers in place of E, at the end of the step; only there for these",
     [](Moment& m) { return m.work.carried_energy.value_or(nan); }, false, false, true, true},
    {"test_loss", "loss", "mean loss on the test set with clean labels",
     [](Moment& m) { return m.recorder.test_loss(m.y); }, true},
    {"grad_norm", "loss/parameter", "|grad L|, of a network on the whole training set",
     [](Moment& m) { return m.gradient.norm(); }},
    {"train_accuracy", "1", "share of training samples classified as their clean label",
     [](Moment& m) { return accuracy(m.train(), m.data().train); }, true},
    {"validation_accuracy", "1", "the same on the validation set",
     [](Moment& m) { return accuracy(m.predict(m.data().validation), m.data().validation); }, true},
    {"test_accuracy", "1", "the same on the test set", [](Moment& m) { return accuracy(m.test(), m.data().test); },
     true},
    {"memorised", "1", "share of flipped training labels that the model reproduces; nan where none is flipped",
     memorised, true},
    {"worst_fragment", "1", "lowest test accuracy over the fragments", worst_fragment, true},
    {"dirichlet", "1/data unit^2", "D: mean of |grad_x f|^2 over the training points, f the logits",
     [](Moment& m) { return m.dirichlet(); }, true},
    {"path_length", "parameter", "sum |theta_k+1 - theta_k| over recorded states",
     [](Moment& m) { return m.path().length; }, false, false, true},
    {"path_ratio", "1", "path_length / |theta - theta_0|",
     [](Moment& m) { return ratio(m.path().length, (m.y - m.path().start).norm()); }, false, false, true},
    {"roughness", "1", "sum |g_k+1 - g_k| / sum |g_k| of the full gradient over recorded states",
     [](Moment& m) { return ratio(m.path().changes, m.path().gradients); }, false, false, true},
    {"turning", "1", "mean of 1 - cos(g_k, g_k+1) of the full gradient over recorded states",
     [](Moment& m) { return ratio(m.path().turns, m.path().count - 1); }, false, false, true},
    {"sharpness", "loss/parameter^2",
     "largest eigenvalue of the Hessian of L within 0.1 %, by Lanczos: 10 to 60 products a record, only where named",
     [](Moment& m) { return m.sharpness(); }, false, true},
    {"step_sharpness", "1",
     "step x largest eigenvalue of what the scheme treats explicitly, as costly, only where named",
     [](Moment& m) { return m.step_sharpness(); }, false, true},
};

/// 1 - cos of the angle between a and b, free of cancellation: |a/|a| - b/|b||^2 / 2.
double turn(const Vector& a, const Vector& b) { return (a.normalized() - b.normalized()).squaredNorm() / 2; }

}  // namespace

std::span<const Probe> probes() { return rows; }

Recorder::Recorder(const Learning* learning, const Functional& objective, const Flow& flow, const Scheme& scheme,
                   std::span<const std::string> wanted)
    : learning_(learning), objective_(objective), flow_(flow), scheme_(scheme), columns_{"time", "step", "gradients"} {
  if (learning && learning->data.test.size() > 0)
    test_risk_.emplace(learning->model, learning->data.test, learning->loss);
  if (learning) dirichlet_.emplace(learning->model, learning->data.train.x, true);
  for (const Probe& probe : probes()) {
    const bool named = std::find(wanted.begin(), wanted.end(), probe.name) != wanted.end();
    require(!named || learning || !probe.data,
            "record.probes: " + std::string(probe.name) +
                " needs a network on data, model.kind=mlp, not an analytic landscape");
    require(!named || scheme.row.carries_energy || !probe.own,
            "record.probes: " + std::string(probe.name) + " is of schemes that carry an energy of their own, not of " +
                std::string(scheme.row.name) + "; take energy, or sav-euler or sav-crank-nicolson as scheme.name");
    const bool possible = (learning || !probe.data) && (scheme.row.carries_energy || !probe.own);
    if (!named && !(wanted.empty() && possible && !probe.costly)) continue;
    probes_.push_back(&probe);
    columns_.emplace_back(probe.name);
  }
}

void Recorder::see(const Frame& frame) {
  Moment moment{*this, frame.at, frame.y, frame.state, frame.work};
  moment.gradient.resize(frame.y.size());
  moment.loss = objective_.gradient(frame.y, {}, moment.gradient);
  follow(moment);
  record_.rows.push_back(
      {frame.at.time, static_cast<double>(frame.at.step), static_cast<double>(frame.work.gradients)});
  const bool finite = std::isfinite(moment.loss);
  for (const Probe* probe : probes_) record_.rows.back().push_back(finite ? probe->measure(moment) : nan);
}

void Recorder::follow(Moment& moment) {
  Path& path = record_.path;
  if (path.count == 0) {
    path.start = moment.y;
  } else {
    path.length += (moment.y - path.y).norm();
    path.changes += (moment.gradient - path.gradient).norm();
    path.turns += turn(moment.gradient, path.gradient);
  }
  path.gradients += moment.gradient.norm();
  path.y = moment.y;
  path.gradient = moment.gradient;
  ++path.count;
}

double Recorder::test_loss(In y) const { return test_risk_ ? test_risk_->value(y, {}) : nan; }

bool Recorder::records(std::string_view column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

double Recorder::last(std::string_view column) const {
  const auto it = std::find(columns_.begin(), columns_.end(), column);
  if (it == columns_.end() || record_.rows.empty()) return nan;
  return record_.rows.back()[static_cast<std::size_t>(it - columns_.begin())];
}

double Recorder::best_accuracy() const {
  const auto of = [&](std::string_view name) { return std::find(columns_.begin(), columns_.end(), name); };
  const auto validation = of("validation_accuracy"), test = of("test_accuracy");
  if (validation == columns_.end() || test == columns_.end()) return nan;
  double best = -1, there = nan;
  for (const auto& row : record_.rows)
    if (const double v = row[static_cast<std::size_t>(validation - columns_.begin())]; v > best) {
      best = v;
      there = row[static_cast<std::size_t>(test - columns_.begin())];
    }
  return there;
}

}  // namespace thalweg
