#include "thalweg/integrate/descent.hpp"

namespace thalweg {
namespace {

/// The bookkeeping that all descents share: time, batch, counters.
class Descent final : public Stepper {
 public:
  Descent(Chain chain, const Flow& flow, const SchemeSettings& settings, In y0, double horizon)
      : chain_(std::move(chain)),
        flow_(flow),
        batches_(settings.batch, flow.samples()),
        sizes_(settings.schedule, settings.step),
        horizon_(horizon),
        y_(y0),
        v_(y0.size()) {
    sizes_.require_reaching(horizon);
  }

  Advance advance() override {
    now_.batch = batches_.at(now_.step);
    const double eta = sizes_(now_.step);
    // Times of equal steps are multiples, free of accumulated rounding; a rest below 1e-9 of a step is rounding.
    const double next = sizes_.constant() ? eta * static_cast<double>(now_.step + 1) : now_.time + eta;
    const bool last = next > horizon_ - 1e-9 * eta;
    Move move{flow_, now_, last ? horizon_ - now_.time : eta, y_, v_, work_};
    for (const auto& transform : chain_) transform->apply(move);
    now_.time = last ? horizon_ : next;
    ++now_.step;
    ++work_.steps;
    return {};
  }
  const Instant& now() const override { return now_; }
  const Vector& state() const override { return y_; }
  const Work& work() const override { return work_; }

  Snapshot snapshot() const override {
    Snapshot all{now_.time, now_.step, work_, y_};
    for (const auto& transform : chain_)
      for (const Vector* kept : transform->memory()) all.vectors.push_back(*kept);
    return all;
  }
  void resume(const Snapshot& from) override {
    now_ = {from.time, from.step, {}};
    work_ = from.work;
    y_ = from.y;
    auto next = from.vectors.begin();
    for (const auto& transform : chain_)
      for (Vector* kept : transform->memory()) *kept = *next++;
  }

 private:
  Chain chain_;
  const Flow& flow_;
  Batches batches_;
  StepSizes sizes_;
  double horizon_;
  Instant now_;
  Work work_;
  Vector y_, v_;
};

using Link = std::unique_ptr<Transform> (*)(const SchemeSettings&);

/// The chain of a row: where the gradient is taken, how its direction is turned, how the step is taken; null: not at
/// all. Options of the settings take their places between them.
template <Part part, Link probe, Link turn, Link step>
std::unique_ptr<Stepper> make(const Flow& flow, const SchemeSettings& s, In y0, double horizon) {
  Chain chain;
  chain.push_back(gradient(part));
  if constexpr (probe != nullptr) chain.push_back(probe(s));
  if (s.clip) chain.push_back(clip(*s.clip));
  if constexpr (turn != nullptr) chain.push_back(turn(s));
  if (s.decay > 0) chain.push_back(decay(s.decay));
  chain.push_back(step(s));
  return descent(std::move(chain), flow, s, y0, horizon);
}

std::unique_ptr<Transform> probe_uphill(const SchemeSettings& s) { return ascent(s.rho); }
std::unique_ptr<Transform> scale_by_adam(const SchemeSettings& s) { return adam(s.beta1, s.beta2, s.epsilon); }
std::unique_ptr<Transform> plainly(const SchemeSettings&) { return explicit_step(); }
std::unique_ptr<Transform> noisily(const SchemeSettings& s) { return langevin_step(s.batch.seed); }
std::unique_ptr<Transform> implicitly(const SchemeSettings&) { return implicit_step(); }
std::unique_ptr<Transform> by_heavy_ball(const SchemeSettings& s) { return heavy_ball_step(s.momentum); }
std::unique_ptr<Transform> by_nesterov(const SchemeSettings& s) { return nesterov_step(s.momentum); }

/// What decay leaves of the 2 in |1 - eta decay - z| < 1.
double room(const SchemeSettings& s) { return 2 - s.step * s.decay; }

// Limits of momentum: both roots of x^2 - (1 + beta - z) x + beta, and of x^2 - (1 + beta)(1 - z) x + beta (1 - z) for
// Nesterov's, lie in the unit circle until one of them is -1 (Jury); decay replaces 1 - z by 1 - eta decay - z.
constexpr SchemeRow rows[] = {
    {.name = "sgd",
     .family = "descent",
     .what = "theta - eta g, batch gradients",
     .order = 1,
     .continuous = false,
     .make = make<Part::all, nullptr, nullptr, plainly>,
     .limit = room},
    {.name = "momentum",
     .family = "descent",
     .what = "heavy ball: u <- beta u - eta g, theta + u",
     .order = 0,
     .continuous = false,
     .make = make<Part::all, nullptr, nullptr, by_heavy_ball>,
     .limit = [](const SchemeSettings& s) { return (1 + s.momentum) * room(s); }},
    {.name = "nesterov",
     .family = "descent",
     .what = "Nesterov's momentum: u <- beta u - eta g, theta + beta u - eta g",
     .order = 0,
     .continuous = false,
     .make = make<Part::all, nullptr, nullptr, by_nesterov>,
     .limit = [](const SchemeSettings& s) { return (1 + s.momentum) * room(s) / (1 + 2 * s.momentum); }},
    {.name = "adam",
     .family = "descent",
     .what = "running mean of g over the root of that of g^2, both freed of their start",
     .order = 0,
     .continuous = false,
     .make = make<Part::all, nullptr, scale_by_adam, plainly>},
    {.name = "sam",
     .family = "descent",
     .what = "sharpness-aware: theta - eta g(theta + rho g/|g|), two gradients a step",
     .order = 0,
     .continuous = false,
     .make = make<Part::all, probe_uphill, nullptr, plainly>},
    {.name = "diffusion-sgd",
     .family = "descent",
     .what = "solve (I + eta nu K) theta+ = theta - eta g",
     .order = 1,
     .implicit = Part::stiff,
     .continuous = false,
     .twin = "weights",
     .make = make<Part::slow, nullptr, nullptr, implicitly>,
     .limit = room},
    {.name = "laplacian-sgd",
     .family = "descent",
     .what = "theta - eta (I + sigma K)^-m g",
     .order = 1,
     .continuous = false,
     .twin = "gradient",
     .make = make<Part::all, nullptr, nullptr, plainly>,
     .limit = room},
    {.name = "smoothed-sgd",
     .family = "descent",
     .what = "theta - eta g, g the mean over antithetic draws about theta, fresh ones each step",
     .order = 1,
     .continuous = false,
     .twin = "landscape",
     .make = make<Part::all, nullptr, nullptr, plainly>,
     .limit = room},
    {.name = "entropy-sgd",
     .family = "descent",
     .what = "theta - eta (theta - <theta'>)/gamma, the mean along an inner Langevin chain, fresh noise each step",
     .order = 1,
     .continuous = false,
     .twin = "local-entropy",
     .make = make<Part::all, nullptr, nullptr, plainly>,
     .limit = room},
    {.name = "langevin",
     .family = "descent",
     .what = "theta - eta g + sqrt(2 tau eta) xi",
     .order = 1,
     .continuous = false,
     .noisy = true,
     .twin = "law",
     .make = make<Part::all, nullptr, nullptr, noisily>,
     .limit = room},
};

void require_share(const char* key, double value) {
  require(value >= 0 && value < 1, std::string(key) + ": " + to_text(value) + " is not in [0, 1)");
}

}  // namespace

std::unique_ptr<Stepper> descent(Chain chain, const Flow& flow, const SchemeSettings& settings, In y0, double horizon) {
  return std::make_unique<Descent>(std::move(chain), flow, settings, y0, horizon);
}

void require_descent_options(const SchemeRow& row, const SchemeSettings& s) {
  const auto only_descents = [&](bool given, const char* key) {
    require(!given || row.family == rows[0].family,
            std::string(key) + ": " + std::string(row.name) + " is no descent, see `list schemes`");
  };
  only_descents(s.clip.has_value(), "scheme.clip");
  only_descents(s.decay != 0, "scheme.decay");
  only_descents(s.schedule.kind != StepSchedule{}.kind, "scheme.schedule");
  only_descents(s.schedule.warmup != 0, "scheme.warmup");
  if (row.family != rows[0].family) return;
  StepSizes(s.schedule, s.step);
  require(!s.clip || *s.clip > 0, "scheme.clip: " + to_text(s.clip.value_or(0)) + " is not positive");
  require(s.decay >= 0, "scheme.decay: " + to_text(s.decay) + " is negative");
  require(s.step * s.decay < 1, "scheme.decay: times scheme.step " + to_text(s.step) + " it is " +
                                    to_text(s.step * s.decay) + ", not below 1: a step would turn the weights around");
  require_share("scheme.momentum", s.momentum);
  require_share("scheme.beta1", s.beta1);
  require_share("scheme.beta2", s.beta2);
  require(s.epsilon > 0, "scheme.epsilon: " + to_text(s.epsilon) + " is not positive");
  require(s.rho >= 0, "scheme.rho: " + to_text(s.rho) + " is negative");
}

std::span<const SchemeRow> descents() { return rows; }

}  // namespace thalweg
