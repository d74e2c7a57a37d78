#include "thalweg/study/reference.hpp"

#include <algorithm>

namespace thalweg {
namespace {

/// A state with the first two derivatives of the path through it, in units of a step h.
struct Knot {
  Vector y, v, a;

  Knot(const Flow& flow, const Vector& state, double h) : y(state), v(state.size()), a(state.size()) {
    flow.velocity(Part::all, {}, y, v);
    flow.jvp(Part::all, {}, y, v, a);
    v *= h;
    a *= h * h;
  }
};

/// Bytes that the steps of a reference may take.
constexpr double most_memory = 1e9;

}  // namespace

Reference::Reference(const Flow& flow, const Scheme& scheme, In y0, double end,
                     const std::function<bool()>& interrupted)
    : flow_(flow) {
  const double state = 8 * static_cast<double>(flow.size()) + 100;
  Stop stop;
  stop.time = end;
  stop.steps = static_cast<std::int64_t>(most_memory / state);
  stop.interrupted = interrupted;
  const Watch watch{{{}, 1}, path_};
  outcome_ = integrate(flow, scheme, y0, stop, {&watch, 1});
}

Vector Reference::at(double time) const {
  const auto& times = path_.times;
  const auto next = std::upper_bound(times.begin() + 1, times.end() - 1, time) - times.begin();
  const auto k = static_cast<std::size_t>(next);
  const double h = times[k] - times[k - 1], s = (time - times[k - 1]) / h, r = 1 - s;
  const Knot left(flow_, path_.states[k - 1], h), right(flow_, path_.states[k], h);
  const double r3 = r * r * r, s3 = s * s * s;
  return r3 * (1 + 3 * s + 6 * s * s) * left.y + s3 * (1 + 3 * r + 6 * r * r) * right.y +
         r3 * s * (1 + 3 * s) * left.v - s3 * r * (1 + 3 * r) * right.v + r3 * s * s / 2 * left.a +
         s3 * r * r / 2 * right.a;
}

}  // namespace thalweg
