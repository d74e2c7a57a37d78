#include "thalweg/study/console.hpp"

#include <cmath>
#include <ostream>

#include "thalweg/core/core.hpp"

namespace thalweg {

void Console::note(const std::string& text) const {
  if (notes) err << text << '\n' << std::flush;
}

Progress::Progress(const Console& console, std::string what, double total)
    : console_(console), what_(std::move(what)), total_(total) {}

Progress::~Progress() {
  if (dirty_) console_.err << "\r\033[K" << std::flush;
}

void Progress::at(double done) {
  if (!console_.progress || !console_.notes) return;
  const auto now = Clock::now();
  if (!begun_) {
    begun_ = true;
    first_ = done;  // what an earlier session did says nothing about this one's speed
    start_ = now;
  }
  if (now - shown_ < std::chrono::milliseconds(200)) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = (done - first_) / seconds;
  console_.err << "\r\033[K" << what_ << ' ' << std::lround(100 * done / total_) << " %";
  if (rate > 0) console_.err << ", " << duration_text((total_ - done) / rate) << " left";
  console_.err << std::flush;
  dirty_ = true;
}

std::string duration_text(double seconds) {
  const auto s = std::lround(seconds);
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return std::to_string(s / 60) + " min " + std::to_string(s % 60) + " s";
  return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " min";
}

}  // namespace thalweg
