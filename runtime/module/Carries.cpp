// The plan's carries are per stack; a boundary is listed layer by layer.
#include "adjrt/module/Carries.h"

namespace adjrt {
namespace {

CarryPlace placeOf(const fb::Carry &carry, std::uint32_t layer, std::int64_t batch) {
  CarryPlace place;
  place.name = carry.name() ? carry.name()->str() : "";
  place.layer = layer;
  place.dtype = carry.dtype();
  place.shape.push_back(batch);
  if (carry.shape())
    place.shape.insert(place.shape.end(), carry.shape()->begin(), carry.shape()->end());
  place.offset = carry.offset() + layer * carry.layer_stride();
  place.bytes = elementBytes(place.dtype);
  for (std::int64_t size : place.shape)
    place.bytes *= static_cast<std::uint64_t>(size);
  return place;
}

} // namespace

std::vector<CarryPlace> listCarries(const Module &module) {
  std::vector<CarryPlace> places;
  const auto *carries = module.plan().carries();
  const flatbuffers::uoffset_t count = carries ? carries->size() : 0;
  for (flatbuffers::uoffset_t first = 0, end = 0; first < count; first = end) {
    // The carries of one stack lie within one layer's stride of each other.
    const fb::Carry &head = *carries->Get(first);
    for (end = first + 1; end < count; ++end) {
      const fb::Carry &next = *carries->Get(end);
      if (head.layer_stride() == 0 || next.layer_stride() != head.layer_stride() || next.layers() != head.layers() ||
          next.offset() >= head.offset() + head.layer_stride())
        break;
    }
    for (std::uint32_t layer = 0; layer < head.layers(); ++layer)
      for (flatbuffers::uoffset_t i = first; i < end; ++i)
        places.push_back(placeOf(*carries->Get(i), layer, module.plan().batch()));
  }
  return places;
}

} // namespace adjrt
