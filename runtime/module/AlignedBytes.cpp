#include "adjrt/abi.h"
#include "adjrt/module/Module.h"

#include <cstdlib>

namespace adjrt {

void AlignedBytes::Free::operator()(std::byte *pointer) const { std::free(pointer); }

Expected<AlignedBytes> AlignedBytes::allocate(std::size_t size) {
  AlignedBytes result;
  const std::size_t padded = (size + ADJ_ALIGNMENT - 1) / ADJ_ALIGNMENT * ADJ_ALIGNMENT;
  void *pointer = padded < size ? nullptr : std::aligned_alloc(ADJ_ALIGNMENT, padded == 0 ? ADJ_ALIGNMENT : padded);
  if (!pointer)
    return failed("out of memory: " + std::to_string(size) + " bytes");
  result.bytes.reset(static_cast<std::byte *>(pointer));
  result.count = size;
  return result;
}

} // namespace adjrt
