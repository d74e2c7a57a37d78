#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <string>

namespace thalweg {

/// Where a command talks: results on `out`, notes and progress on `err`.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool notes = true;                       // --quiet turns notes off
  bool progress = false;                   // err is a terminal
  std::function<bool()> interrupted = {};  // Ctrl-C was pressed
  int rank = 0, ranks = 1;                 // of MPI

  void note(const std::string& text) const;
};

/// "12 %, 3 min left" on one line of a terminal, at most five times a second.
class Progress {
 public:
  Progress(const Console& console, std::string what, double total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void at(double done);

 private:
  using Clock = std::chrono::steady_clock;
  const Console& console_;
  std::string what_;
  double total_, first_ = 0;
  Clock::time_point start_ = Clock::now(), shown_{};
  bool dirty_ = false, begun_ = false;
};

/// "4 s", "2 min 5 s", "3 h 10 min".
std::string duration_text(double seconds);

}  // namespace thalweg
