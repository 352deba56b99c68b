// adjrt/io/Safetensors.h - .safetensors files: read as f32 from f32, bf16 or f16, written as f32; streamed, never whole
// in memory.
#ifndef ADJRT_IO_SAFETENSORS_H
#define ADJRT_IO_SAFETENSORS_H

#include "adjrt/io/File.h"
#include "adjrt/io/Tensor.h"
#include "adjrt/support/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adjrt {

/// One tensor of a file. `dtype` as the format spells it ("F32", "BF16").
struct SafetensorsEntry {
  TensorSpec tensor;
  std::string dtype;
  std::uint64_t begin = 0; ///< byte of the file where the data begins
  std::uint64_t end = 0;
};

/// A verified file: every byte after the header belongs to exactly one tensor.
class SafetensorsFile {
public:
  /// Reads and verifies the header. Errors (InvalidInput) name file and tensor: truncated, trailing bytes, a header
  /// that is no JSON or too long, duplicate names, unknown dtypes, sizes that overflow or do not fit the shape, gaps or
  /// overlaps.
  static Expected<SafetensorsFile> open(const std::string &path);

  [[nodiscard]] const std::string &path() const { return file.path(); }
  /// In the order of their data.
  [[nodiscard]] const std::vector<SafetensorsEntry> &entries() const { return tensors; }
  /// The entry of that name, or null.
  [[nodiscard]] const SafetensorsEntry *find(const std::string &name) const;
  /// Reads the elements of a tensor from element `first` on, converted to f32. Errors: a dtype other than f32, bf16,
  /// f16; elements past the tensor's end.
  [[nodiscard]] Status read(const SafetensorsEntry &entry, std::span<float> destination, std::uint64_t first = 0) const;

private:
  SafetensorsFile(InputFile file, std::vector<SafetensorsEntry> tensors)
      : file(std::move(file)), tensors(std::move(tensors)) {}

  InputFile file;
  std::vector<SafetensorsEntry> tensors;
};

/// Writes f32 tensors of known names and shapes, in any order, one at a time.
class SafetensorsWriter {
public:
  /// Checks that `path` can be written (see OutputFile) and lays out the file. `tensors` have unique names and shapes
  /// that do not overflow.
  static Expected<SafetensorsWriter> create(const std::string &path, std::vector<TensorSpec> tensors);

  /// Writes elements of tensor `index` of the list given to create(), from element `first` on. Error: past its end.
  [[nodiscard]] Status write(std::size_t index, std::span<const float> values, std::uint64_t first = 0);
  /// Gives the file its name. Error: fewer elements were written than a tensor has.
  [[nodiscard]] Status commit();

private:
  SafetensorsWriter(OutputFile file, std::vector<TensorSpec> tensors)
      : file(std::move(file)), tensors(std::move(tensors)) {}

  OutputFile file;
  std::vector<TensorSpec> tensors;
  std::vector<std::uint64_t> offsets; ///< of each tensor's data, and the end
  std::vector<std::uint64_t> written; ///< bytes of each tensor
};

} // namespace adjrt

#endif
