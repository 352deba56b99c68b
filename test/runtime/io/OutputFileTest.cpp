// Output files: nothing is left behind by errors, and an unwritable path is found out at once.
#include "TemporaryFolder.h"
#include "adjrt/io/File.h"

#include <csignal>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace adjrt;
using namespace adjrt::test;
namespace fs = std::filesystem;

namespace {
using OutputFileTest = TemporaryFolder;

std::span<const std::byte> bytesOf(const std::string &text) { return std::as_bytes(std::span(text)); }

TEST_F(OutputFileTest, AppearsWhenCommitted) {
  {
    auto file = OutputFile::create(path("out"));
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE(file->writeAt(2, bytesOf("cd")));
    ASSERT_TRUE(file->writeAt(0, bytesOf("ab")));
    EXPECT_FALSE(fs::exists(path("out")));
    ASSERT_TRUE(file->commit());
  }
  EXPECT_EQ(readBytes("out"), "abcd");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(OutputFileTest, NothingIsLeftWithoutCommit) {
  writeBytes("out", "old");
  {
    auto file = OutputFile::create(path("out"));
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->writeAt(0, bytesOf("new")));
  }
  EXPECT_EQ(readBytes("out"), "old");
  EXPECT_EQ(entries(), 1U);
}

/// What a killed process left is removed by the next one that writes the same file; what is being written stays.
TEST_F(OutputFileTest, LeftoversOfKilledProcessesAreRemoved) {
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto file = OutputFile::create(path("out"));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_TRUE(fs::exists(path("out.partial-" + std::to_string(child) + "-0")));
  writeBytes("out.partial-" + std::to_string(::getpid()) + "-0", "of an earlier process of this id");
  writeBytes("other.partial-1-0", "another file's");
  auto first = OutputFile::create(path("out"));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(entries(), 2U);
  auto second = OutputFile::create(path("out"));
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_TRUE(first->writeAt(0, bytesOf("first")));
  ASSERT_TRUE(second->writeAt(0, bytesOf("second")));
  ASSERT_TRUE(second->commit());
  EXPECT_EQ(readBytes("out"), "second");
  ASSERT_TRUE(first->commit());
  EXPECT_EQ(readBytes("out"), "first");
  EXPECT_EQ(entries(), 2U);
}

TEST_F(OutputFileTest, TooManyAtATime) {
  std::vector<OutputFile> files;
  for (int i = 0; i != 100; ++i) {
    auto file = OutputFile::create(path("out"));
    ASSERT_TRUE(file) << file.error().message;
    files.push_back(std::move(*file));
  }
  expectInvalid(OutputFile::create(path("out")), {"cannot be written", "100 files", ".partial-* are being written"});
}

TEST_F(OutputFileTest, UnwritablePaths) {
  expectInvalid(OutputFile::create(""), {"empty"});
  expectInvalid(OutputFile::create(path("no/such/folder/out")), {"no/such/folder/out", "cannot be written"});
  expectInvalid(OutputFile::create(folder.string()), {"cannot be written", "it is a folder"});
  expectInvalid(OutputFile::create("/proc/out"), {"/proc/out", "cannot be written"});
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  expectInvalid(OutputFile::create(path("pipe")), {"neither a regular file"});
}

TEST_F(OutputFileTest, FollowsLinksAndKeepsDevices) {
  writeBytes("real", "old");
  fs::create_symlink("real", path("link"));
  auto file = OutputFile::create(path("link"));
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->writeAt(0, bytesOf("new")));
  ASSERT_TRUE(file->commit());
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(readBytes("real"), "new");

  auto null = OutputFile::create("/dev/null");
  ASSERT_TRUE(null) << null.error().message;
  ASSERT_TRUE(null->writeAt(0, bytesOf("x")));
  ASSERT_TRUE(null->commit());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(OutputFileTest, FullDisk) {
  auto full = OutputFile::create("/dev/full");
  ASSERT_TRUE(full) << full.error().message;
  expectError(full->writeAt(0, bytesOf("x")), ErrorKind::Failed, {"/dev/full", "cannot be written at byte 0"});
  auto file = OutputFile::create(path("out"));
  ASSERT_TRUE(file);
  expectError(file->reserve(std::uint64_t{1} << 62), ErrorKind::Failed, {"out", "cannot reserve"});
}

TEST_F(OutputFileTest, ReadingPastTheEnd) {
  auto file = InputFile::open(writeBytes("in", "abc"));
  ASSERT_TRUE(file);
  std::string text(4, ' ');
  expectInvalid(file->readAt(0, std::as_writable_bytes(std::span(text))), {"in", "truncated"});
  expectInvalid(readTextFile(path("in"), 2), {"in", "3 bytes, at most 2"});
}
} // namespace
