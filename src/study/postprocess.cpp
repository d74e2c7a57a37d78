#include "thalweg/study/postprocess.hpp"

#include <cstdlib>
#include <optional>

namespace thalweg {
namespace {

namespace fs = std::filesystem;

/// Beside an installed program, or in the source tree it was built from.
fs::path scripts() {
  std::error_code none;
  const fs::path installed = fs::read_symlink("/proc/self/exe", none).parent_path() / "../share/thalweg/postprocess";
  return fs::exists(installed) ? installed : fs::path(THALWEG_POSTPROCESS);
}

std::string quoted(const fs::path& path) {
  std::string safe = "'";
  for (const char c : path.string()) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return safe + "'";
}

/// The first python3 on the path need not be the one that has the packages.
std::optional<std::string> python() {
  for (const std::string candidate : {"python3", "/usr/bin/python3"})
    if (std::system((candidate + " -c 'import matplotlib' >/dev/null 2>&1").c_str()) == 0) return candidate;
  return std::nullopt;
}

}  // namespace

void postprocess(const std::string& script, const fs::path& directory, const Console& console) {
  const auto interpreter = python();
  if (!interpreter) return console.note("no pictures: no python3 here imports matplotlib");
  // The scripts must not be taken for MPI processes of this run.
  const std::string command = "env -u PMIX_RANK -u OMPI_COMM_WORLD_RANK " + *interpreter + " " +
                              quoted(scripts() / script) + " " + quoted(directory) + " >/dev/null";
  if (std::system(command.c_str()) != 0) console.note("no pictures: " + command + " failed");
}

void add_scene(const fs::path& directory) {
  fs::copy_file(scripts() / "view.py", directory / "view.py", fs::copy_options::overwrite_existing);
}

}  // namespace thalweg
