// Writing files that appear only when complete.
#include "adjrt/io/File.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace adjrt;

/// What follows the target's name while its file is written, and how many of a process may be written at a time.
static constexpr const char *kPartial = ".partial-";
static constexpr int kMostPartial = 100;

static tl::unexpected<Error> cannotWrite(const std::string &path, const std::string &why) {
  return invalidInput(path + ": cannot be written: " + why + "; give a path in a folder that you can write to");
}

/// A file under construction is locked; a lock ends with its process. So one that can be locked was left by a process
/// that was killed: it is removed.
static void removeLeftovers(const std::filesystem::path &target) {
  std::error_code error;
  const std::string prefix = target.filename().string() + kPartial;
  for (std::filesystem::directory_iterator entry(target.parent_path().empty() ? "." : target.parent_path(), error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().rfind(prefix, 0) != 0)
      continue;
    int descriptor = ::open(entry->path().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
      continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      ::unlink(entry->path().c_str());
    ::close(descriptor);
  }
}

/// Locks a file just created; false when another process took it for a leftover in between.
static bool lockNew(int descriptor) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
    return errno != EWOULDBLOCK; // a file system without locks: nobody else can lock it either
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

Expected<OutputFile> OutputFile::create(const std::string &path) {
  if (path.empty())
    return invalidInput("the output path is empty: give a file name");
  std::string target = path;
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode))
      return cannotWrite(path, "it is a folder");
    if (::access(path.c_str(), W_OK) != 0)
      return cannotWrite(path, std::strerror(errno));
    if (S_ISCHR(status.st_mode)) {
      int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      if (descriptor < 0)
        return cannotWrite(path, std::strerror(errno));
      return OutputFile(path, path, "", descriptor);
    }
    if (!S_ISREG(status.st_mode))
      return cannotWrite(path, "it is neither a regular file nor a character device");
    std::error_code error; // a rename must replace what a link points to, not the link
    if (auto followed = std::filesystem::canonical(path, error); !error)
      target = followed.string();
  }
  removeLeftovers(target);
  for (int attempt = 0; attempt != kMostPartial; ++attempt) {
    std::string temporary = target + kPartial + std::to_string(::getpid()) + "-" + std::to_string(attempt);
    int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) {
      if (lockNew(descriptor))
        return OutputFile(path, target, temporary, descriptor);
      ::close(descriptor);
    } else if (errno != EEXIST) {
      return cannotWrite(path, std::strerror(errno));
    }
  }
  return cannotWrite(path, std::to_string(kMostPartial) + " files " + target + kPartial + "* are being written");
}

OutputFile::OutputFile(OutputFile &&other) noexcept
    : name(std::move(other.name)), target(std::move(other.target)), temporary(std::exchange(other.temporary, {})),
      descriptor(std::exchange(other.descriptor, -1)) {}

OutputFile &OutputFile::operator=(OutputFile &&other) noexcept {
  std::swap(name, other.name);
  std::swap(target, other.target);
  std::swap(temporary, other.temporary);
  std::swap(descriptor, other.descriptor);
  return *this;
}

OutputFile::~OutputFile() { discard(); }

void OutputFile::discard() {
  if (descriptor >= 0)
    ::close(std::exchange(descriptor, -1));
  if (!temporary.empty())
    ::unlink(std::exchange(temporary, {}).c_str());
}

Status OutputFile::reserve(std::uint64_t size) const {
  if (temporary.empty() || size == 0)
    return {};
  // Not posix_fallocate: where the file system has no reservation, that writes every block.
  if (::fallocate(descriptor, 0, 0, static_cast<off_t>(size)) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
    return failed(name + ": cannot reserve " + std::to_string(size) + " bytes: " + std::strerror(errno) +
                  "; make room or choose another disk");
  return {};
}

Status OutputFile::writeAt(std::uint64_t offset, std::span<const std::byte> source) const {
  while (!source.empty()) {
    ssize_t put = ::pwrite(descriptor, source.data(), source.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return failed(name + ": cannot be written at byte " + std::to_string(offset) + ": " + std::strerror(errno));
    source = source.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Status OutputFile::commit() {
  if (temporary.empty()) {
    discard();
    return {};
  }
  // Flushed first: a name must never lead to a file whose data a crash can still take away.
  if (::fdatasync(descriptor) != 0)
    return failed(name + ": cannot be flushed to the disk: " + std::strerror(errno));
  if (::rename(temporary.c_str(), target.c_str()) != 0)
    return failed(name + ": cannot be given its name: " + std::strerror(errno));
  temporary.clear();
  discard();
  return {};
}
