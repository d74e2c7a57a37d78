#include "audience.hpp"

namespace thalweg {

void Segment::begin(const Instant& at, In y) {
  start_ = {at.time, at.step, {}};
  y0_ = y;
  differentiated_ = false;
}

void Segment::end(double time, In y) {
  t1_ = time;
  y1_ = y;
}

Vector Segment::operator()(double time) {
  if (!differentiated_) {
    v0_.resize(flow_.size());
    v1_.resize(flow_.size());
    flow_.velocity(Part::all, {}, y0_, v0_);
    flow_.velocity(Part::all, {}, y1_, v1_);
    differentiated_ = true;
  }
  const double h = t1_ - start_.time, s = (time - start_.time) / h, r = 1 - s;
  return r * r * (1 + 2 * s) * y0_ + s * s * (1 + 2 * r) * y1_ + h * s * r * (r * v0_ - s * v1_);
}

Audience::Audience(Segment* segment, std::span<const Watch> watches, double tolerance, Index parameters)
    : count_(parameters),
      segment_(segment),
      watches_(watches),
      tolerance_(tolerance),
      next_(watches.size(), 0),
      seen_(watches.size(), 0) {}

void Audience::begin(const Frame& start) {
  for (std::size_t i = 0; i < watches_.size(); ++i) show(i, start);
  resume(start.at.time, seen_);
}

void Audience::resume(double now, std::vector<double> seen) {
  seen_ = std::move(seen);
  for (std::size_t i = 0; i < watches_.size(); ++i)
    while (timed(i, {now, 0, {}})) ++next_[i];
}

/// Whether observer i's count of steps has come round.
bool Audience::counted(std::size_t i, const Instant& now) const {
  const std::int64_t every = watches_[i].when.every;
  return every > 0 && now.step % every == 0;
}

/// Whether the next of observer i's times has come.
bool Audience::timed(std::size_t i, const Instant& now) const {
  const auto& times = watches_[i].when.times;
  return next_[i] < times.size() && times[next_[i]] <= now.time + tolerance_;
}

bool Audience::waits_for(const Instant& now) const {
  for (std::size_t i = 0; i < watches_.size(); ++i)
    if (counted(i, now) || timed(i, now)) return true;
  return false;
}

void Audience::after_step(const Frame& now) {
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    bool due = counted(i, now.at);
    for (; timed(i, now.at); ++next_[i]) {
      const double time = watches_[i].when.times[next_[i]];
      if (segment_ && time < now.at.time - tolerance_)
        between(i, {time, segment_->start().step, {}}, now.work);
      else
        due = true;
    }
    if (due) show(i, now);
  }
}

void Audience::at_end(const Frame& end) {
  for (std::size_t i = 0; i < watches_.size(); ++i)
    if (seen_[i] != end.at.time) show(i, end);
}

void Audience::show(std::size_t i, const Frame& frame) {
  seen_[i] = frame.at.time;
  if (frame.state.size() == count_) return watches_[i].who.see(frame);
  parameters_ = frame.state.head(count_);
  watches_[i].who.see({frame.at, parameters_, frame.work, frame.state});
}

void Audience::between(std::size_t i, const Instant& at, const Work& work) {
  const Vector y = (*segment_)(at.time);
  show(i, {at, y, work, y});
}

}  // namespace thalweg
