#pragma once

#include <span>
#include <vector>

#include "thalweg/integrate/schemes.hpp"

namespace thalweg {

/// The last step as the cubic Hermite polynomial through (t0, y0, v(y0)) and (t1, y1, v(y1)): off the solution by
/// O((t1 - t0)^4). Its two gradients are taken on first use.
class Segment {
 public:
  explicit Segment(const Flow& flow) : flow_(flow) {}

  void begin(const Instant& at, In y);
  void end(double time, In y);
  const Instant& start() const { return start_; }
  double end_time() const { return t1_; }
  Vector operator()(double time);

 private:
  const Flow& flow_;
  Instant start_;
  double t1_ = 0;
  Vector y0_, y1_, v0_, v1_;
  bool differentiated_ = false;
};

/// Shows the observers what their schedules ask for.
class Audience {
 public:
  /// Times closer than `tolerance` are one time. A null segment: nothing lies between two steps. Of a state the first
  /// `parameters` entries are shown as its parameters.
  Audience(Segment* segment, std::span<const Watch> watches, double tolerance, Index parameters);

  void begin(const Frame& start);
  /// The observers have seen what was due up to `now`, each something last at `seen`.
  void resume(double now, std::vector<double> seen);
  /// Whether a step that ends now brings something to see.
  bool waits_for(const Instant& now) const;
  /// Such a step has ended in `now`.
  void after_step(const Frame& now);
  void at_end(const Frame& end);

  /// The time of the last state that each observer was shown.
  const std::vector<double>& seen() const { return seen_; }

 private:
  bool counted(std::size_t i, const Instant& now) const;
  bool timed(std::size_t i, const Instant& now) const;
  void show(std::size_t i, const Frame& frame);
  void between(std::size_t i, const Instant& at, const Work& work);

  Index count_;
  Vector parameters_;
  Segment* segment_;
  std::span<const Watch> watches_;
  double tolerance_;
  std::vector<std::size_t> next_;
  std::vector<double> seen_;
};

}  // namespace thalweg
