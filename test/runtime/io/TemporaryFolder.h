// A folder of its own for a test, removed with it, and the plainest ways to put bytes into files.
#ifndef ADJC_TEST_RUNTIME_IO_TEMPORARYFOLDER_H
#define ADJC_TEST_RUNTIME_IO_TEMPORARYFOLDER_H

#include "adjrt/support/Status.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace adjrt::test {

class TemporaryFolder : public ::testing::Test {
protected:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "adjrt-test-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() override { std::filesystem::remove_all(folder); }

  [[nodiscard]] std::string path(const std::string &name) const { return (folder / name).string(); }

  std::string writeBytes(const std::string &name, const std::string &bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  [[nodiscard]] std::string readBytes(const std::string &name) const {
    std::ostringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
  }
  /// Entries of the folder: after an error nothing may be left behind.
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }

  std::filesystem::path folder;
};

/// The call failed with this kind, and its message contains every one of `parts`.
template <typename Result>
void expectError(const Result &result, ErrorKind kind, const std::vector<std::string> &parts) {
  ASSERT_FALSE(result.has_value()) << "expected an error with: " << (parts.empty() ? "" : parts.front());
  EXPECT_EQ(result.error().kind, kind) << result.error().message;
  for (const std::string &part : parts)
    EXPECT_NE(result.error().message.find(part), std::string::npos)
        << "'" << part << "' is not in: " << result.error().message;
}
template <typename Result> void expectInvalid(const Result &result, const std::vector<std::string> &parts) {
  expectError(result, ErrorKind::InvalidInput, parts);
}

} // namespace adjrt::test

#endif
