#include <limits>

#include "../network.hpp"
#include "rows.hpp"
#include "thalweg/integrate/integrate.hpp"

namespace thalweg::bench {
namespace {

constexpr Index samples = 1000;
constexpr double forever = std::numeric_limits<double>::infinity();

const Unit unit{"us/step", 1e-6};

struct Glance final : Observer {
  void see(const Frame&) override {}
};

/// A scheme at work on 2-32-32-1.
class Run {
 public:
  Run(const std::string& scheme, const Slots& slots, Index batch, const std::string& lattice)
      : plan_{.size = batch},
        net_({.hidden = {32, 32}}, 2, samples, lattice),
        flow_(net_.risk, net_.lattice.get(), slots),
        theta_(net_.model.start(5)),
        g_(theta_.size()),
        scheme_(make_scheme(scheme, settings())),
        stepper_(scheme_.row.make(flow_, scheme_.settings, theta_, forever)) {
    Batches batches(plan_, samples);
    for (std::int64_t step = 0; step < steps(); ++step) {
      const Batch b = batches.at(step);
      epoch_.emplace_back(b.begin(), b.end());
    }
  }

  /// Steps that see every sample once.
  std::int64_t steps() const { return plan_.size == 0 ? 1 : (samples + plan_.size - 1) / plan_.size; }

  /// An epoch of steps: a shuffle, the short last batch and all.
  void advance() {
    for (std::int64_t step = 0; step < steps(); ++step) stepper_->advance();
  }

  /// A whole run of so many epochs with all that a driver does besides, an observer after each.
  void drive(int epochs) {
    Stop stop;
    stop.steps = epochs * steps();
    stop.interrupted = [] { return false; };
    const Watch watch[] = {{{{}, steps()}, glance_}};
    integrate(flow_, scheme_, theta_, stop, watch);
  }

  /// The bare gradients of an epoch's batches.
  void gradients() {
    for (const auto& batch : epoch_) net_.risk.gradient(theta_, batch, g_);
  }

 private:
  SchemeSettings settings() const {
    SchemeSettings s;
    s.step = 1e-3;
    s.batch = plan_;
    return s;
  }

  BatchPlan plan_;
  test::Network net_;
  GradientFlow flow_;
  Vector theta_, g_;
  Scheme scheme_;
  std::unique_ptr<Stepper> stepper_;
  Glance glance_;
  std::vector<std::vector<std::int32_t>> epoch_;
};

Result over_gradients(const std::string& scheme, Index batch, double stages) {
  Run run(scheme, {}, batch, "neurons");
  return compare([&] { run.advance(); }, {{[&] { run.gradients(); }, stages}}).per(static_cast<double>(run.steps()));
}

/// A step of a run long enough to hide its beginning.
Result over_gradients_in_a_run(Index batch) {
  Run run("sgd", {}, batch, "neurons");
  const int epochs = static_cast<int>(256 / run.steps());
  return compare([&] { run.drive(epochs); }, {{[&] { run.gradients(); }, static_cast<double>(epochs)}})
      .per(static_cast<double>(epochs * run.steps()));
}

/// A descent with diffusion.
struct Smoothed {
  std::string scheme, lattice;
  Slots slots;
  Index batch;
  double reach;

  Result over_plain_step() const {
    Run run(scheme, slots, batch, lattice), plain("sgd", {}, batch, lattice);
    return compare([&] { run.advance(); }, {{[&] { plain.advance(); }, 1}}).per(static_cast<double>(run.steps()));
  }
};

std::string on(Index batch) { return batch == 0 ? ", N = 1000" : ", batch " + std::to_string(batch); }

}  // namespace

std::vector<Row> step_rows() {
  std::vector<Row> rows;
  for (const Index batch : {Index{0}, Index{32}})
    rows.push_back(
        {"sgd step" + on(batch), "gradient", 1.1, unit, [batch] { return over_gradients("sgd", batch, 1); }});
  for (const Index batch : {Index{0}, Index{32}})
    rows.push_back(
        {"sgd step in a run" + on(batch), "gradient", 1.1, unit, [batch] { return over_gradients_in_a_run(batch); }});
  for (const auto& [scheme, gradients] :
       {std::pair<std::string, double>{"momentum", 1}, {"nesterov", 1}, {"adam", 1}, {"sam", 2}})
    rows.push_back({scheme + " step" + on(32), gradients == 1 ? "gradient" : "2 gradients", 1.3, unit,
                    [scheme, gradients] { return over_gradients(scheme, 32, gradients); }});
  for (const std::string lattice : {"neurons", "chain", "ring"})
    for (const auto& [batch, reach] : {std::pair<Index, double>{0, 1.02}, {32, 1.35}})
      for (const Smoothed& s : {Smoothed{"diffusion-sgd", lattice, {.nu = 1e-3}, batch, reach},
                                Smoothed{"laplacian-sgd", lattice, {.sigma = 1}, batch, reach}})
        rows.push_back(
            {s.scheme + " " + lattice + on(batch), "sgd step", s.reach, unit, [s] { return s.over_plain_step(); }});
  rows.push_back({"rk4 step of PETSc" + on(0), "4 gradients", 1.05, unit, [] { return over_gradients("rk4", 0, 4); }});
  return rows;
}

}  // namespace thalweg::bench
