// Reading files by position.
#include "adjrt/io/File.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace adjrt;

Expected<InputFile> InputFile::open(const std::string &path) {
  // O_NONBLOCK: a named pipe must be refused, not waited for.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return invalidInput(path + ": cannot be opened: " + std::strerror(errno));
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return invalidInput(path + ": is not a regular file");
  }
  return InputFile(path, descriptor, static_cast<std::uint64_t>(status.st_size));
}

InputFile::InputFile(InputFile &&other) noexcept
    : name(std::move(other.name)), descriptor(std::exchange(other.descriptor, -1)), bytes(other.bytes) {}

InputFile &InputFile::operator=(InputFile &&other) noexcept {
  std::swap(name, other.name);
  std::swap(descriptor, other.descriptor);
  std::swap(bytes, other.bytes);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor >= 0)
    ::close(descriptor);
}

Status InputFile::readAt(std::uint64_t offset, std::span<std::byte> destination) const {
  if (offset > bytes || destination.size() > bytes - offset)
    return invalidInput(name + ": is truncated: bytes " + std::to_string(offset) + " to " +
                        std::to_string(offset + destination.size()) + " are needed, the file has " +
                        std::to_string(bytes));
  while (!destination.empty()) {
    ssize_t got = ::pread(descriptor, destination.data(), destination.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return failed(name + ": cannot be read at byte " + std::to_string(offset) + ": " + std::strerror(errno));
    if (got == 0)
      return invalidInput(name + ": became shorter while it was read");
    destination = destination.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Expected<std::string> adjrt::readTextFile(const std::string &path, std::uint64_t limit) {
  ADJ_ASSIGN_OR_RETURN(InputFile file, InputFile::open(path));
  if (file.size() > limit)
    return invalidInput(path + ": has " + std::to_string(file.size()) + " bytes, at most " + std::to_string(limit) +
                        " are expected");
  std::string text(file.size(), '\0');
  ADJ_RETURN_IF_ERROR(file.readAt(0, std::as_writable_bytes(std::span(text))));
  return text;
}
