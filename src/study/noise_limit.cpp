#include <algorithm>
#include <cmath>
#include <map>

#include "thalweg/core/random.hpp"
#include "thalweg/study/limits.hpp"

namespace thalweg {
namespace {

/// Steps of the stochastic modified equations to one of the descent. Their drift is solved to order four, so that what
/// is left is the noise taken from the beginning of a step, an error of eta/substeps times the noise's own size eta.
constexpr int substeps = 4;

/// Members of an ensemble that are handed out together.
constexpr int chunk = 16;

/// One run of an ensemble: moves y over one descent step eta.
class Walk {
 public:
  Walk(const Experiment& ex, std::uint64_t member) : flow_(ex.flow), plan_(ex.settings.stepping.batch) {
    plan_.seed += member;
    y_ = ex.start();
    v_.resize(y_.size());
  }
  virtual ~Walk() = default;
  virtual void advance(double eta) = 0;
  const Vector& state() const { return y_; }

 protected:
  const Flow& flow_;
  BatchPlan plan_;
  Vector y_, v_;
  std::int64_t step_ = 0;
};

class Descent final : public Walk {
 public:
  Descent(const Experiment& ex, std::uint64_t member) : Walk(ex, member), batches_(plan_, flow_.samples()) {}
  void advance(double eta) override {
    flow_.velocity(Part::all, {0, step_, batches_.at(step_)}, y_, v_);
    y_ += eta * v_;
    ++step_;
  }

 private:
  Batches batches_;
};

/// Stochastic variance amplified gradient (Li, Malladi, Arora 2021): l steps of eta/l along
/// (1 + s)/2 g_1 + (1 - s)/2 g_2 with s = sqrt(2 l - 1) and two independent batches. Mean and covariance over eta are
/// those of one step of descent; l = 1 is descent, l -> infinity the equation of order one.
class Amplified final : public Walk {
 public:
  Amplified(const Experiment& ex, std::uint64_t member)
      : Walk(ex, member),
        parts_(ex.settings.limit.amplification),
        other_(y_.size()),
        batches_(doubled(), flow_.samples()) {}
  void advance(double eta) override {
    const double s = std::sqrt(2.0 * parts_ - 1);
    for (int k = 0; k < parts_; ++k, ++step_) {
      const Batch both = batches_.at(step_);
      flow_.velocity(Part::all, {0, step_, both.first(both.size() / 2)}, y_, v_);
      flow_.velocity(Part::all, {0, step_, both.subspan(both.size() / 2)}, y_, other_);
      y_ += eta / parts_ * ((1 + s) / 2 * v_ + (1 - s) / 2 * other_);
    }
  }

 private:
  BatchPlan doubled() const {
    BatchPlan plan = plan_;
    plan.size *= 2;
    return plan;
  }

  int parts_;
  Vector other_;
  Batches batches_;
};

/// dX = b(X) dt + sqrt(eta) Sigma(X)^(1/2) dW with Sigma = Cov(g_i)/batch over the samples, its root times a normal
/// vector as (batch N)^(-1/2) sum_i (g_i - g) xi_i. Order one: b = v; order two: b = v - (eta/2) J v.
template <int order>
class Equation final : public Walk {
 public:
  Equation(const Experiment& ex, std::uint64_t member) : Walk(ex, member), noise_(y_.size()), one_(y_.size()) {}
  void advance(double eta) override {
    const double h = eta / substeps;
    for (int k = 0; k < substeps; ++k, ++step_) {
      draw_noise();
      move(h, eta);
      y_ += std::sqrt(h * eta) * noise_;
    }
  }

 private:
  void draw_noise() {
    const auto samples = static_cast<std::int32_t>(flow_.samples());
    Stream draw(plan_.seed, Purpose::noise, static_cast<std::uint64_t>(step_));
    flow_.velocity(Part::all, {}, y_, v_);
    noise_.setZero();
    for (std::int32_t i = 0; i < samples; ++i) {
      flow_.velocity(Part::all, {0, step_, {&i, 1}}, y_, one_);
      noise_ += draw.normal() * (one_ - v_);
    }
    noise_ /= std::sqrt(static_cast<double>(plan_.size) * samples);
  }

  Vector drift(In y, double eta) const {
    Vector v(y.size()), jv(y.size());
    flow_.velocity(Part::all, {}, y, v);
    if constexpr (order == 2) {
      flow_.jvp(Part::all, {}, y, v, jv);
      v -= eta / 2 * jv;
    }
    return v;
  }

  /// The classical Runge-Kutta step.
  void move(double h, double eta) {
    const Vector k1 = drift(y_, eta), k2 = drift(y_ + h / 2 * k1, eta), k3 = drift(y_ + h / 2 * k2, eta),
                 k4 = drift(y_ + h * k3, eta);
    y_ += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  }

  Vector noise_, one_;
};

template <class Kind>
std::unique_ptr<Walk> make(const Experiment& ex, std::uint64_t member) {
  return std::make_unique<Kind>(ex, member);
}

constexpr std::unique_ptr<Walk> (*walks[])(const Experiment&, std::uint64_t) = {make<Descent>, make<Amplified>,
                                                                                make<Equation<1>>, make<Equation<2>>};
constexpr std::size_t kinds = std::size(walks);

/// What is compared: the walk of the first against that of the second.
struct Series {
  const char* name;
  std::size_t walk, limit;
};
constexpr Series series[] = {{"sgd-order1", 0, 2}, {"sgd-order2", 0, 3}, {"svag-order1", 1, 2}};

/// Sums of E and of its square at the shared times.
using Sums = std::vector<double>;

/// The ensembles of all walks at all steps, their chunks handed to the ranks as these become free.
class Ensembles {
 public:
  Ensembles(const Experiment& ex, std::span<const double> steps, const Console& console)
      : ex_(ex), steps_(steps), console_(console), chunks_((ex.settings.limit.runs + chunk - 1) / chunk) {}

  std::vector<LimitPoint> points() {
    const auto tasks = static_cast<std::int64_t>(steps_.size() * kinds) * chunks_;
    const auto results = handed_out(tasks, console_, [this](std::int64_t task) { return solve(task); });
    if (static_cast<std::int64_t>(results.size()) < tasks) return {};
    return compared(results);
  }

 private:
  Sums solve(std::int64_t task) const {
    const auto member = static_cast<int>(task % chunks_) * chunk;
    const auto kind = static_cast<std::size_t>(task / chunks_) % kinds;
    const double step = steps_[static_cast<std::size_t>(task / chunks_) / kinds];
    const int times = ex_.settings.record.count;
    const double interval = *ex_.settings.stop.time / times;
    Sums sums(2 * static_cast<std::size_t>(times), 0);
    for (int m = member; m < std::min(member + chunk, ex_.settings.limit.runs); ++m) {
      const auto walk = walks[kind](ex_, static_cast<std::uint64_t>(m));
      for (int j = 0; j < times; ++j) {
        for (auto k = std::llround(interval / step); k > 0; --k) walk->advance(step);
        const double e = ex_.flow.energy(walk->state()).value_or(std::nan(""));
        sums[2 * static_cast<std::size_t>(j)] += e;
        sums[2 * static_cast<std::size_t>(j) + 1] += e * e;
      }
    }
    return sums;
  }

  std::vector<LimitPoint> compared(const std::map<std::int64_t, Sums>& results) const {
    // Sums in the order of the members, whoever solved them.
    std::vector<Sums> totals(steps_.size() * kinds, Sums(2 * static_cast<std::size_t>(ex_.settings.record.count), 0));
    for (const auto& [task, sums] : results) {
      Sums& total = totals[static_cast<std::size_t>(task / chunks_)];
      for (std::size_t j = 0; j < sums.size(); ++j) total[j] += sums[j];
    }
    std::vector<LimitPoint> points;
    for (const Series& s : series)
      for (std::size_t i = 0; i < steps_.size(); ++i) {
        const Sums &a = totals[i * kinds + s.walk], &b = totals[i * kinds + s.limit];
        LimitPoint worst{s.name, steps_[i], 0, 0};
        for (std::size_t j = 0; j < a.size(); j += 2) {
          const double difference = std::abs(a[j] - b[j]) / members();
          if (difference < worst.error) continue;
          worst.error = difference;
          worst.standard_error = std::sqrt((variance(a, j) + variance(b, j)) / members());
        }
        points.push_back(worst);
      }
    return points;
  }

  double members() const { return ex_.settings.limit.runs; }
  double variance(const Sums& sums, std::size_t j) const {
    const double mean = sums[j] / members();
    return std::max(0.0, sums[j + 1] / members() - mean * mean) * members() / (members() - 1);
  }

  const Experiment& ex_;
  std::span<const double> steps_;
  const Console& console_;
  std::int64_t chunks_;
};

/// Largest errors of E f over the steps, exactly.
std::vector<LimitPoint> quadratic_limit(const Experiment& ex, std::span<const double> steps) {
  const Index n = ex.objective.size();
  const Vector start = Vector::Ones(n);  // in the eigenvectors
  std::vector<LimitPoint> first, second;
  for (const double step : steps) {
    LimitPoint one{"sgd-order1", step, 0, 0}, two{"sgd-order2", step, 0, 0};
    for (std::int64_t k = 0; k <= std::llround(*ex.settings.stop.time / step); ++k) {
      double descent = 0, by_first = 0, by_second = 0;
      for (Index i = 0; i < n; ++i) {
        const double h =
            n == 1 ? 1 : std::pow(ex.settings.landscape.condition, static_cast<double>(i) / static_cast<double>(n - 1));
        const QuadraticMoments m = quadratic_moments(h, start[i], step, k);
        descent += m.descent;
        by_first += m.first;
        by_second += m.second;
      }
      one.error = std::max(one.error, std::abs(descent - by_first));
      two.error = std::max(two.error, std::abs(descent - by_second));
    }
    first.push_back(one);
    second.push_back(two);
  }
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

std::vector<LimitPoint> noise_limit(const Experiment& ex, std::span<const double> steps, const Console& console) {
  const Settings& s = ex.settings;
  if (s.model_kind == "quadratic" && s.flow.diffusion == "none")
    return console.rank == 0 ? quadratic_limit(ex, steps) : std::vector<LimitPoint>();
  require(ex.learning != nullptr, "model.kind: " + s.model_kind +
                                      " has no samples to draw from; noise takes mlp, and quadratic in closed form");
  const BatchPlan& batch = s.stepping.batch;
  require(batch.size > 0 && 2 * batch.size < ex.objective.samples(),
          "scheme.batch: " + std::to_string(batch.size) + " is not between 1 and half of the training samples");
  require(batch.sampling == "replacement",
          "scheme.sampling: " + batch.sampling + " draws dependent batches; take replacement");
  return Ensembles(ex, steps, console).points();
}

}  // namespace thalweg
