#include "thalweg/study/node_values.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <ostream>
#include <stdexcept>

#include "thalweg/study/crew.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;

template <class Value>
void append(std::string& bytes, const Value& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class Value>
Value read_at(std::string_view bytes, std::size_t at) {
  Value value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The file of finished chunks: the question, then records of a chunk's number, its values and their digest. A record
/// that a kill has cut short fails its digest; it and what follows are dropped.
class ChunkFile {
 public:
  ChunkFile(const NodeTask& task, const fs::path& file, std::uint64_t question) : task_(task), file_(file) {
    result_.values.resize(task.nodes * task.columns);
    done_.resize((task.nodes + task.chunk - 1) / task.chunk, false);
    const std::size_t good = load(question);
    if (good == 0) {
      std::ofstream(file, std::ios::binary) << std::string(reinterpret_cast<const char*>(&question), sizeof question);
    } else {
      fs::resize_file(file, good);
    }
    stream_.open(file, std::ios::binary | std::ios::app);
    if (!stream_) throw std::runtime_error("cannot write '" + file.string() + "'");
  }

  std::vector<std::int64_t> pending() const {
    std::vector<std::int64_t> left;
    for (std::size_t c = 0; c < done_.size(); ++c)
      if (!done_[c]) left.push_back(static_cast<std::int64_t>(c));
    return left;
  }

  /// A message: a chunk's number and its values.
  void keep(const std::string& message) {
    place(message);
    result_.computed += nodes_of(read_at<std::int64_t>(message, 0));
    std::string record = message;
    append(record, digest(message));
    stream_ << record << std::flush;
    if (!stream_) throw std::runtime_error("cannot write '" + file_.string() + "'");
  }

  NodeValues result() {
    result_.complete = pending().empty();
    return std::move(result_);
  }

 private:
  std::size_t nodes_of(std::int64_t chunk) const {
    return std::min(task_.chunk, task_.nodes - static_cast<std::size_t>(chunk) * task_.chunk);
  }

  void place(std::string_view message) {
    const auto chunk = read_at<std::int64_t>(message, 0);
    done_[static_cast<std::size_t>(chunk)] = true;
    std::memcpy(result_.values.data() + static_cast<std::size_t>(chunk) * task_.chunk * task_.columns,
                message.data() + sizeof chunk, nodes_of(chunk) * task_.columns * sizeof(double));
  }

  /// The length of what answers the same question.
  std::size_t load(std::uint64_t question) {
    std::ifstream stream(file_, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    if (bytes.size() < sizeof question || read_at<std::uint64_t>(bytes, 0) != question) return 0;
    std::size_t at = sizeof question;
    while (at + sizeof(std::int64_t) <= bytes.size()) {
      const auto chunk = read_at<std::int64_t>(bytes, at);
      if (chunk < 0 || static_cast<std::size_t>(chunk) >= done_.size()) break;
      const std::size_t length = sizeof chunk + nodes_of(chunk) * task_.columns * sizeof(double);
      if (at + length + sizeof question > bytes.size()) break;
      const std::string_view message(bytes.data() + at, length);
      if (digest(message) != read_at<std::uint64_t>(bytes, at + length)) break;
      place(message);
      result_.kept += nodes_of(chunk);
      at += length + sizeof question;
    }
    return at;
  }

  const NodeTask& task_;
  fs::path file_;
  NodeValues result_;
  std::vector<bool> done_;
  std::ofstream stream_;
};

std::string measured(const NodeTask& task, std::int64_t chunk) {
  const std::size_t first = static_cast<std::size_t>(chunk) * task.chunk;
  const std::size_t count = std::min(task.chunk, task.nodes - first);
  std::vector<double> values(count * task.columns);
  for (std::size_t i = 0; i < count; ++i) task.measure(first + i, values.data() + i * task.columns);
  std::string message;
  append(message, chunk);
  message.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  return message;
}

}  // namespace

std::uint64_t digest(std::string_view bytes, std::uint64_t before) {
  for (const char c : bytes) before = (before ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return before;
}

NodeValues measure_nodes(const NodeTask& task, const fs::path& file, std::uint64_t question, const Console& console) {
  std::optional<ChunkFile> chunks;
  std::vector<std::int64_t> pending;
  together(console, [&] {
    if (console.rank == 0) {
      chunks.emplace(task, file, question);
      pending = chunks->pending();
    }
    auto count = static_cast<std::int64_t>(pending.size());
    MPI_Bcast(&count, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
    pending.resize(static_cast<std::size_t>(count));
    MPI_Bcast(pending.data(), static_cast<int>(count), MPI_INT64_T, 0, MPI_COMM_WORLD);
    Progress progress(console, "surface", static_cast<double>(count));
    double received = 0;
    Crew crew(count, [&](const std::string& message) {
      chunks->keep(message);
      progress.at(++received);
    });
    while (!console.interrupted || !console.interrupted()) {
      const auto next = crew.next();
      if (!next) break;
      crew.send(measured(task, pending[static_cast<std::size_t>(*next)]));
      crew.poll();
    }
    crew.finish();
  });
  return chunks ? chunks->result() : NodeValues{};
}

}  // namespace thalweg
