// adjrt/module/Module.h - a loaded module file. Nothing in it is handed out before all of it was verified.
#ifndef ADJRT_MODULE_MODULE_H
#define ADJRT_MODULE_MODULE_H

#include "adjm_generated.h"
#include "adjrt/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace adjrt {

/// Bytes at an address that is a multiple of ADJ_ALIGNMENT, so that the blobs of a module are aligned in memory as in
/// the file.
class AlignedBytes {
public:
  /// `size` bytes, not initialised; fails with ErrorKind::Failed when there is no memory for them.
  static Expected<AlignedBytes> allocate(std::size_t size);

  std::byte *data() { return bytes.get(); }
  const std::byte *data() const { return bytes.get(); }
  std::size_t size() const { return count; }
  std::span<const std::byte> span() const { return {bytes.get(), count}; }

private:
  struct Free {
    void operator()(std::byte *pointer) const;
  };
  std::unique_ptr<std::byte, Free> bytes;
  std::size_t count = 0;
};

/// A verified module (.adjm). The tables' types are those flatc generates from runtime/schema/adjm.fbs (namespace
/// adjrt::fb).
///
/// Verified on loading: header, version, sizes, checksums, padding, the FlatBuffer itself, every ordinal and every
/// address range of the programs at the largest layer and row, the plan, the staging, the parameters, the model's value
/// ids, the ABI version. Not verified here: what native code does (it is trusted), and the CPU features, which the
/// device that runs the code checks.
class Module {
public:
  /// Read and verify the file at `path`. Errors (InvalidInput) name the file and the place in it.
  static Expected<std::unique_ptr<Module>> load(const std::string &path);

  /// Verify a module in memory; `name` stands for the file's name in errors.
  static Expected<std::unique_ptr<Module>> parse(AlignedBytes bytes, std::string name);

  /// The root table. Lives as long as the module. Optional vectors that are absent in the file are null pointers.
  const fb::Module &table() const { return *root; }
  const fb::Plan &plan() const { return *root->plan(); }
  const fb::Model &model() const { return *root->model(); }

  /// The path the module was loaded from.
  const std::string &path() const { return name; }
  std::uint64_t fileBytes() const { return bytes.size(); }

  /// The bytes of blob `index` (which must be below the number of blobs), aligned to ADJ_ALIGNMENT.
  std::span<const std::byte> blob(std::uint32_t index) const;

  /// The program or parameter of that name; null when there is none.
  const fb::Program *program(std::string_view programName) const;
  const fb::Parameter *parameter(std::string_view parameterName) const;

private:
  Module(AlignedBytes bytes, std::string name) : bytes(std::move(bytes)), name(std::move(name)) {}

  AlignedBytes bytes;
  std::string name;
  const fb::Module *root = nullptr;
};

/// Bytes of one element of `dtype`.
std::uint64_t elementBytes(fb::DType dtype);

/// Elements of a parameter (the product of its shape).
std::uint64_t elementCount(const fb::Parameter &parameter);

} // namespace adjrt

#endif
