#include "thalweg/study/checkpoint.hpp"

#include <fstream>
#include <sstream>

#include "archive.hpp"
#include "thalweg/core/file.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view file_name = "checkpoint.bin";
/// The first bytes: what the file is, and the version of its layout.
constexpr std::string_view title = "thalweg checkpoint 2\n";

std::runtime_error unusable(const fs::path& file, const std::string& why) {
  return std::runtime_error("cannot go on from '" + file.string() + "': " + why +
                            "; --out.overwrite=true begins the run again");
}

/// FNV-1a, 64 bits: notices a byte that changed on the disk.
std::uint64_t digest(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  return hash;
}

template <class Archive, class State>
void pass(Archive& archive, State& s) {
  auto& solve = s.solve.solve;
  auto& work = solve.work;
  archive(solve.time, solve.step, solve.y, solve.vectors, solve.numbers);
  archive(work.steps, work.rejected, work.gradients, work.products, work.nonlinear_iterations, work.linear_iterations,
          work.seconds, work.error, work.carried_energy);
  archive(s.solve.judged.longest, s.solve.judged.tame);
  archive(s.solve.seen, s.solve.wall);
  auto& path = s.record.path;
  archive(s.record.rows, path.y, path.gradient, path.start, path.length, path.gradients, path.changes, path.turns,
          path.count);
  archive(s.path.times, s.path.steps, s.path.states);
}

RunCheckpoint read_checkpoint(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(stream), {}};
  if (all.substr(0, title.size()) != title) throw unusable(file, "another version of thalweg wrote it");
  try {
    Reader header(std::string_view(all).substr(title.size()));
    std::string payload;
    std::uint64_t expected = 0;
    header(expected, payload);
    if (digest(payload) != expected) throw std::runtime_error("its bytes have changed");
    Reader reader(payload);
    RunCheckpoint checkpoint;
    bool begun = false;
    reader(checkpoint.ini, begun);
    if (begun) pass(reader, checkpoint.state.emplace());
    return checkpoint;
  } catch (const std::runtime_error& error) {
    throw unusable(file, error.what());
  }
}

/// The first line of `asked` that `kept` has otherwise.
std::string difference(const std::string& kept, const std::string& asked) {
  std::istringstream a(kept), b(asked);
  std::string old, line;
  while (std::getline(b, line))
    if (!std::getline(a, old) || old != line) return "'" + line + "' where it has '" + old + "'";
  return "fewer keys";
}

}  // namespace

void write_checkpoint(const fs::path& directory, const RunCheckpoint& checkpoint) {
  Writer payload, file;
  payload(checkpoint.ini, checkpoint.state.has_value());
  if (checkpoint.state) pass(payload, *checkpoint.state);
  file(digest(payload.bytes()), payload.bytes());
  replace_file(directory / file_name, std::string(title) + file.bytes());
}

void remove_checkpoint(const fs::path& directory) { fs::remove(directory / file_name); }

std::optional<RunCheckpoint> unfinished_run(const Settings& settings, const std::string& ini) {
  const fs::path directory = settings.out_dir, file = directory / file_name;
  if (settings.out_dir.empty() || settings.overwrite || !fs::exists(file)) return std::nullopt;
  RunCheckpoint checkpoint = read_checkpoint(file);
  require(checkpoint.ini == ini,
          "out.dir: " + directory.string() +
              " holds an unfinished run of other settings: " + difference(checkpoint.ini, ini) +
              "; repeat its command to go on, take another directory or add --out.overwrite=true");
  return checkpoint;
}

}  // namespace thalweg
