#include "thalweg/study/crew.hpp"

#include <ostream>

namespace thalweg {
namespace {

constexpr int message_tag = 1, done_tag = 2;

}  // namespace

Crew::Crew(std::int64_t tasks, std::function<void(const std::string&)> receive)
    : tasks_(tasks), receive_(std::move(receive)) {
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
  const MPI_Aint bytes = rank_ == 0 ? sizeof(std::int64_t) : 0;
  MPI_Win_allocate(bytes, sizeof(std::int64_t), MPI_INFO_NULL, MPI_COMM_WORLD, &counter_, &window_);
  if (rank_ == 0) *counter_ = 0;
  MPI_Barrier(MPI_COMM_WORLD);
}

Crew::~Crew() { MPI_Win_free(&window_); }

std::optional<std::int64_t> Crew::next() {
  const std::int64_t one = 1;
  std::int64_t mine = 0;
  MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window_);
  MPI_Fetch_and_op(&one, &mine, MPI_INT64_T, 0, 0, MPI_SUM, window_);
  MPI_Win_unlock(0, window_);
  if (mine >= tasks_) return std::nullopt;
  return mine;
}

void Crew::wait_for_last() { MPI_Wait(&sending_, MPI_STATUS_IGNORE); }

void Crew::send(std::string message) {
  if (rank_ == 0) return receive_(message);
  wait_for_last();
  in_flight_ = std::move(message);
  MPI_Isend(in_flight_.data(), static_cast<int>(in_flight_.size()), MPI_CHAR, 0, message_tag, MPI_COMM_WORLD,
            &sending_);
}

void Crew::receive_one(int source) {
  MPI_Status status;
  MPI_Probe(source, message_tag, MPI_COMM_WORLD, &status);
  int size = 0;
  MPI_Get_count(&status, MPI_CHAR, &size);
  std::string message(static_cast<std::size_t>(size), '\0');
  MPI_Recv(message.data(), size, MPI_CHAR, source, message_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  receive_(message);
}

void Crew::poll() {
  if (rank_ != 0 || ranks_ == 1) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - polled_ < std::chrono::milliseconds(10)) return;
  polled_ = now;
  for (;;) {
    int arrived = 0;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, message_tag, MPI_COMM_WORLD, &arrived, &status);
    if (!arrived) return;
    receive_one(status.MPI_SOURCE);
  }
}

void Crew::finish() {
  if (rank_ != 0) {
    wait_for_last();
    MPI_Send(nullptr, 0, MPI_CHAR, 0, done_tag, MPI_COMM_WORLD);
    return;
  }
  for (int left = ranks_ - 1; left > 0;) {
    MPI_Status status;
    MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == message_tag) {
      receive_one(status.MPI_SOURCE);
    } else {
      // Messages of one rank arrive in order, so this was its last.
      MPI_Recv(nullptr, 0, MPI_CHAR, status.MPI_SOURCE, done_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      --left;
    }
  }
}

void together(const Console& console, const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& problem) {
    if (console.ranks == 1) throw;
    console.err << "thalweg: " << problem.what() << '\n' << std::flush;
    MPI_Abort(MPI_COMM_WORLD, 4);
  }
}

}  // namespace thalweg
