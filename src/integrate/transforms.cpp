#include "thalweg/integrate/transforms.hpp"

#include <cmath>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

/// Memory of a transform, zero before the first step.
Vector& started(Vector& memory, Index size) {
  if (memory.size() != size) memory.setZero(size);
  return memory;
}

class Gradient final : public Transform {
 public:
  explicit Gradient(Part part) : part_(part) {}
  void apply(Move& m) override {
    m.flow.velocity(part_, m.at, m.y, m.v);
    ++m.work.gradients;
  }

 private:
  Part part_;
};

class LangevinStep final : public Transform {
 public:
  explicit LangevinStep(std::uint64_t seed) : seed_(seed) {}
  void apply(Move& m) override {
    m.y += m.eta * m.v;
    if (!m.flow.noisy()) return;
    Stream draw(seed_, Purpose::noise, static_cast<std::uint64_t>(m.at.step));
    noise_.resize(m.y.size());
    for (double& xi : noise_) xi = draw.normal();
    m.flow.colour(noise_);
    m.y += std::sqrt(m.eta) * noise_;
  }

 private:
  std::uint64_t seed_;
  Vector noise_;
};

class Ascent final : public Transform {
 public:
  explicit Ascent(double rho) : rho_(rho) {}
  void apply(Move& m) override {
    const double norm = m.v.norm();
    if (norm == 0) return;
    worst_ = m.y - rho_ / norm * m.v;
    m.flow.velocity(Part::all, m.at, worst_, m.v);
    ++m.work.gradients;
  }

 private:
  double rho_;
  Vector worst_;
};

class Clip final : public Transform {
 public:
  explicit Clip(double norm) : norm_(norm) {}
  void apply(Move& m) override {
    if (const double norm = m.v.norm(); norm > norm_) m.v *= norm_ / norm;
  }

 private:
  double norm_;
};

class Adam final : public Transform {
 public:
  Adam(double beta1, double beta2, double epsilon) : beta1_(beta1), beta2_(beta2), epsilon_(epsilon) {}
  void apply(Move& m) override {
    auto mean = started(mean_, m.v.size()).array(), square = started(square_, m.v.size()).array();
    auto v = m.v.array();
    const auto k = static_cast<double>(m.at.step + 1);
    const double bias1 = 1 - std::pow(beta1_, k), bias2 = 1 - std::pow(beta2_, k);
    mean = beta1_ * mean + (1 - beta1_) * v;
    square = beta2_ * square + (1 - beta2_) * v.square();
    v = 1 / bias1 * mean / (1 / std::sqrt(bias2) * square.sqrt() + epsilon_);
  }
  std::vector<Vector*> memory() override { return {&mean_, &square_}; }

 private:
  double beta1_, beta2_, epsilon_;
  Vector mean_, square_;
};

class Decay final : public Transform {
 public:
  explicit Decay(double rate) : rate_(rate) {}
  void apply(Move& m) override { m.y *= 1 - m.eta * rate_; }

 private:
  double rate_;
};

class ExplicitStep final : public Transform {
 public:
  void apply(Move& m) override { m.y += m.eta * m.v; }
};

class ImplicitStep final : public Transform {
 public:
  void apply(Move& m) override {
    m.y += m.eta * m.v;
    m.flow.solve_stiff(m.eta, m.y);
  }
};

class HeavyBallStep final : public Transform {
 public:
  explicit HeavyBallStep(double beta) : beta_(beta) {}
  void apply(Move& m) override {
    Vector& u = started(u_, m.v.size());
    u = beta_ * u + m.eta * m.v;
    m.y += u;
  }
  std::vector<Vector*> memory() override { return {&u_}; }

 private:
  double beta_;
  Vector u_;
};

class NesterovStep final : public Transform {
 public:
  explicit NesterovStep(double beta) : beta_(beta) {}
  void apply(Move& m) override {
    Vector& u = started(u_, m.v.size());
    u = beta_ * u + m.eta * m.v;
    m.y += beta_ * u + m.eta * m.v;
  }
  std::vector<Vector*> memory() override { return {&u_}; }

 private:
  double beta_;
  Vector u_;
};

}  // namespace

std::unique_ptr<Transform> gradient(Part part) { return std::make_unique<Gradient>(part); }
std::unique_ptr<Transform> ascent(double rho) { return std::make_unique<Ascent>(rho); }
std::unique_ptr<Transform> clip(double norm) { return std::make_unique<Clip>(norm); }
std::unique_ptr<Transform> adam(double beta1, double beta2, double epsilon) {
  return std::make_unique<Adam>(beta1, beta2, epsilon);
}
std::unique_ptr<Transform> decay(double rate) { return std::make_unique<Decay>(rate); }
std::unique_ptr<Transform> explicit_step() { return std::make_unique<ExplicitStep>(); }
std::unique_ptr<Transform> langevin_step(std::uint64_t seed) { return std::make_unique<LangevinStep>(seed); }
std::unique_ptr<Transform> implicit_step() { return std::make_unique<ImplicitStep>(); }
std::unique_ptr<Transform> heavy_ball_step(double beta) { return std::make_unique<HeavyBallStep>(beta); }
std::unique_ptr<Transform> nesterov_step(double beta) { return std::make_unique<NesterovStep>(beta); }

}  // namespace thalweg
