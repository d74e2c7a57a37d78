#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <mpi.h>

#include "thalweg/observe/observer.hpp"
#include "thalweg/study/console.hpp"

namespace thalweg {

/// Hands numbered tasks to MPI ranks as they become free and brings messages to rank 0, which works as well. Task
/// numbers come from a counter in rank 0's memory (one-sided), so no rank waits for another to answer.
class Crew {
 public:
  /// Collective. `receive` runs on rank 0 for every message of any rank.
  Crew(std::int64_t tasks, std::function<void(const std::string&)> receive);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// The next task that nobody has, until there is none.
  std::optional<std::int64_t> next();
  /// Brings a message to rank 0, in order for each rank.
  void send(std::string message);
  /// On rank 0: receives what has arrived, at most every ten milliseconds.
  void poll();
  /// Collective: returns when rank 0 has received everything.
  void finish();

 private:
  void receive_one(int source);
  void wait_for_last();

  std::int64_t tasks_;
  std::function<void(const std::string&)> receive_;
  int rank_ = 0, ranks_ = 1;
  MPI_Win window_ = MPI_WIN_NULL;
  std::int64_t* counter_ = nullptr;
  MPI_Request sending_ = MPI_REQUEST_NULL;
  std::string in_flight_;
  std::chrono::steady_clock::time_point polled_{};
};

/// What all ranks do together. Where one of several fails, the others would wait for messages that will not come: it
/// says why and ends them all with exit code 4.
void together(const Console& console, const std::function<void()>& work);

/// Keeps the messages moving while rank 0 works on a run of its own.
class CrewWatch final : public Observer {
 public:
  explicit CrewWatch(Crew& crew) : crew_(crew) {}
  void see(const Frame&) override { crew_.poll(); }

 private:
  Crew& crew_;
};

}  // namespace thalweg
