// adjrt/module/format.h - the fixed first bytes of a module file, shared by the writer (compiler) and the loader.
#ifndef ADJRT_MODULE_FORMAT_H
#define ADJRT_MODULE_FORMAT_H

#include <cstdint>

namespace adjrt {

/// Version of the module format. A loader refuses every other version and names both.
inline constexpr std::uint32_t kFormatVersion = 5;

/// "ADJMODUL" in file order: the first eight bytes of a module.
inline constexpr char kMagic[8] = {'A', 'D', 'J', 'M', 'O', 'D', 'U', 'L'};

/// First 64 bytes of a module; all numbers little-endian. The FlatBuffer (runtime/schema/adjm.fbs) starts at byte 64,
/// blobs follow at multiples of ADJ_ALIGNMENT, padding is zero.
struct FileHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t fileSize;
  std::uint64_t tableSize;     ///< bytes of the FlatBuffer
  std::uint64_t tableChecksum; ///< XXH3_64bits of the FlatBuffer
  std::uint64_t reserved2[2];
  std::uint64_t headerChecksum; ///< XXH3_64bits of the 56 bytes before
};
static_assert(sizeof(FileHeader) == 64);

} // namespace adjrt

#endif
