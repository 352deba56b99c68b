// adjrt/io/File.h - files read and written with pread and pwrite: nothing is mapped, so the resident set holds no file.
#ifndef ADJRT_IO_FILE_H
#define ADJRT_IO_FILE_H

#include "adjrt/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace adjrt {

/// A regular file open for reading.
class InputFile {
public:
  /// Opens `path`. Errors (InvalidInput): no such file, not a regular file, not readable.
  static Expected<InputFile> open(const std::string &path);

  InputFile(InputFile &&other) noexcept;
  InputFile &operator=(InputFile &&other) noexcept;
  ~InputFile();

  [[nodiscard]] const std::string &path() const { return name; }
  /// Size in bytes when the file was opened.
  [[nodiscard]] std::uint64_t size() const { return bytes; }
  /// Fills `destination` with the bytes from `offset` on. Errors: the file ends before (InvalidInput), or cannot be
  /// read (Failed).
  [[nodiscard]] Status readAt(std::uint64_t offset, std::span<std::byte> destination) const;

private:
  InputFile(std::string path, int descriptor, std::uint64_t size)
      : name(std::move(path)), descriptor(descriptor), bytes(size) {}

  std::string name;
  int descriptor = -1;
  std::uint64_t bytes = 0;
};

/// A file that appears under its name only when it is complete: written under a temporary name in the same folder,
/// renamed by commit(), removed when destroyed before. What a killed process left of the same file is removed by the
/// next create().
class OutputFile {
public:
  /// Makes the temporary file: an unwritable `path` is an error here, before any work is done for it. A character
  /// device
  /// (/dev/null) is written directly. Errors (InvalidInput): the folder is missing or not writable, `path` is a folder
  /// or read-only.
  static Expected<OutputFile> create(const std::string &path);

  OutputFile(OutputFile &&other) noexcept;
  OutputFile &operator=(OutputFile &&other) noexcept;
  ~OutputFile();

  [[nodiscard]] const std::string &path() const { return name; }
  /// Claims `size` bytes on the disk, where the file system can. Error (Failed): not enough room.
  [[nodiscard]] Status reserve(std::uint64_t size) const;
  /// Writes `source` at `offset`.
  [[nodiscard]] Status writeAt(std::uint64_t offset, std::span<const std::byte> source) const;
  /// Flushes the file and gives it its name. Call once, last.
  [[nodiscard]] Status commit();

private:
  OutputFile(std::string path, std::string target, std::string temporary, int descriptor)
      : name(std::move(path)), target(std::move(target)), temporary(std::move(temporary)), descriptor(descriptor) {}
  void discard();

  std::string name;      ///< as the user wrote it, for messages
  std::string target;    ///< `name` with symbolic links followed
  std::string temporary; ///< empty when written directly
  int descriptor = -1;
};

/// A file of a command line; the path may be empty (not given).
struct NamedPath {
  const char *option;
  std::string path;
};

/// Error (InvalidInput): a file that will be written is also read, or written twice.
Status checkDistinct(std::span<const NamedPath> written, std::span<const NamedPath> read);

/// The whole of a (small) file as text. Errors: as InputFile, or larger than `limit` bytes.
Expected<std::string> readTextFile(const std::string &path, std::uint64_t limit);

} // namespace adjrt

#endif
