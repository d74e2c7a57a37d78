#include "thalweg/core/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace thalweg {
namespace {

namespace fs = std::filesystem;

/// A directory of its own that disappears with the test.
class ReplaceFile : public testing::Test {
 protected:
  ReplaceFile() : directory_(testing::TempDir() + "thalweg_file_XXXXXX") {
    if (!mkdtemp(directory_.data())) throw std::runtime_error("no temporary directory");
  }
  ~ReplaceFile() override { fs::remove_all(directory_); }

  fs::path path(const std::string& name) const { return fs::path(directory_) / name; }
  auto entries() const { return std::distance(fs::directory_iterator(directory_), {}); }

 private:
  std::string directory_;
};

std::string rest(std::ifstream& stream) { return {std::istreambuf_iterator<char>(stream), {}}; }

std::string content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return rest(stream);
}

/// No file grows beyond so many bytes while it lives: writing more fails as it does on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(ReplaceFile, KeepsEveryByte) {
  const std::string bytes("a\r\nb\0c\n\xff", 8);
  replace_file(path("f"), bytes);
  EXPECT_EQ(content(path("f")), bytes);
}

TEST_F(ReplaceFile, LeavesNothingOfALongerPredecessorNorOfItsOwnWork) {
  replace_file(path("f"), "a long content");
  replace_file(path("f"), "short");
  EXPECT_EQ(content(path("f")), "short");
  replace_file(path("f"), "");
  EXPECT_EQ(content(path("f")), "");
  EXPECT_EQ(entries(), 1);
}

// Whoever has the old file open keeps all of it: the new one is another file that took its name.
TEST_F(ReplaceFile, NeverShowsAReaderAMixture) {
  replace_file(path("f"), "the old content");
  std::ifstream reader(path("f"));
  replace_file(path("f"), "new");
  EXPECT_EQ(rest(reader), "the old content");
}

TEST_F(ReplaceFile, KeepsTheOldContentWhereTheDiskRefusesTheNew) {
  replace_file(path("f"), "old");
  {
    const FileSizeLimit limit(1000);
    EXPECT_THROW(replace_file(path("f"), std::string(100000, 'x')), std::system_error);
  }
  EXPECT_EQ(content(path("f")), "old");
  EXPECT_EQ(entries(), 1);
}

TEST_F(ReplaceFile, SaysWhichFileAndWhyItFailed) {
  const fs::path file = path("missing") / "f";
  try {
    replace_file(file, "x");
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
  }
}

TEST_F(ReplaceFile, DoesNotReplaceADirectory) {
  fs::create_directory(path("d"));
  EXPECT_THROW(replace_file(path("d"), "x"), std::system_error);
  EXPECT_TRUE(fs::is_directory(path("d")));
  EXPECT_EQ(entries(), 1);
}

}  // namespace
}  // namespace thalweg
