#include "thalweg/core/file.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>

namespace thalweg {

void replace_file(const std::filesystem::path& file, std::string_view content) {
  replace_file(
      file, [&](std::ostream& stream) { stream.write(content.data(), static_cast<std::streamsize>(content.size())); });
}

void replace_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write) {
  auto partial = file;
  partial += ".partial";
  errno = 0;
  std::ofstream stream(partial, std::ios::binary);
  write(stream);
  stream.close();
  std::error_code failure;
  if (!stream) failure.assign(errno != 0 ? errno : EIO, std::generic_category());
  if (!failure) std::filesystem::rename(partial, file, failure);
  if (!failure) return;
  std::error_code ignored;  // the first failure is the one to report
  std::filesystem::remove(partial, ignored);
  throw std::system_error(failure, "cannot write '" + file.string() + "'");
}

}  // namespace thalweg
