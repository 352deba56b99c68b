// The JSON header of a .safetensors file.
#ifndef ADJRT_IO_SAFETENSORSHEADER_H
#define ADJRT_IO_SAFETENSORSHEADER_H

#include "adjrt/io/Safetensors.h"

#include <string_view>

namespace adjrt {

/// Parses and verifies a header whose data section starts at byte `dataBegin` of the file and has `dataSize` bytes. The
/// entries come in the order of their data. Errors do not name the file.
Expected<std::vector<SafetensorsEntry>> parseSafetensorsHeader(std::string_view json, std::uint64_t dataBegin,
                                                               std::uint64_t dataSize);

/// The JSON text for f32 tensors packed in the order of `tensors`, padded with spaces to a multiple of 8 bytes;
/// `offsets` receives the offset of each tensor in the data section, and its end. Errors: a name twice, or not UTF-8;
/// an overflow.
Expected<std::string> printSafetensorsHeader(const std::vector<TensorSpec> &tensors,
                                             std::vector<std::uint64_t> &offsets);

} // namespace adjrt

#endif
