//===- Link.cpp - an object becomes a shared object, by lld in process ------------------------------------------===//
#include "CodeGeneration.h"
#include "lld/Common/Driver.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace adjc;

namespace {
/// A folder of our own in the system's place for temporary files, removed when this goes out of scope.
class TemporaryFolder {
public:
  std::error_code create() { return llvm::sys::fs::createUniqueDirectory("adjc", path); }
  ~TemporaryFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }
  std::string file(llvm::StringRef name) const {
    llvm::SmallString<128> result(path);
    llvm::sys::path::append(result, name);
    return std::string(result);
  }

private:
  llvm::SmallString<128> path;
};
} // namespace

llvm::Expected<std::vector<char>> adjc::linkSharedObject(llvm::ArrayRef<char> object) {
  // lld keeps its state in globals.
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  TemporaryFolder folder;
  if (std::error_code error = folder.create())
    return llvm::createStringError(error, "cannot make a temporary folder: " + error.message() +
                                              "; set TMPDIR to a folder that can be written");
  std::string input = folder.file("kernels.o"), output = folder.file("kernels.so");
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(input, error);
    if (!error) {
      stream.write(object.data(), object.size());
      stream.close();
      error = stream.error();
      stream.clear_error();
    }
    if (error)
      return llvm::createStringError(error, "cannot write " + input + ": " + error.message());
  }
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const char *arguments[] = {
      "ld.lld",      "-shared", "--no-undefined", "--build-id=none", "--threads=1", "-z", "now", "-z", "noexecstack",
      "--strip-all", "-o",      output.c_str(),   input.c_str()};
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return llvm::createStringError("linking the kernels failed: " + messages);
  auto buffer = llvm::MemoryBuffer::getFile(output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), "cannot read " + output + ": " + buffer.getError().message());
  return std::vector<char>((*buffer)->getBufferStart(), (*buffer)->getBufferEnd());
}
