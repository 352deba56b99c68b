#include "adjc/Plan/Sizes.h"

#include "adj/AdjAttributes.h"

using namespace mlir;

namespace adjc {

int64_t countAt(const DimensionCount &count, const ShardSizes &sizes) {
  using Unit = DimensionCount::Unit;
  int64_t value = count.unit == Unit::Batch    ? sizes.batch
                  : count.unit == Unit::Tokens ? sizes.tokens
                  : count.unit == Unit::Rows   ? sizes.rows
                                               : 1;
  return value / count.block + (value % count.block != 0);
}

SmallVector<DimensionCount> dynamicDimensions(RankedTensorType type) {
  using Unit = DimensionCount::Unit;
  SmallVector<DimensionCount> counts;
  auto blocks = dyn_cast_or_null<adj::BlocksAttr>(type.getEncoding());
  for (int64_t size : type.getShape()) {
    if (!ShapedType::isDynamic(size))
      continue;
    if (blocks && blocks.getUnit() != "tokens")
      counts.push_back({Unit::Rows, blocks.getSize()});
    else if (counts.empty())
      counts.push_back({Unit::Batch, 1});
    else
      counts.push_back({Unit::Tokens, blocks ? blocks.getSize() : 1});
  }
  return counts;
}

uint64_t elementBytes(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    return 2 * elementBytes(complex.getElementType());
  return (element.getIntOrFloatBitWidth() + 7) / 8;
}

FailureOr<uint64_t> bytesOf(RankedTensorType type, const ShardSizes &sizes) {
  uint64_t bytes = elementBytes(type.getElementType());
  SmallVector<DimensionCount> counts = dynamicDimensions(type);
  size_t next = 0;
  for (int64_t size : type.getShape()) {
    if (ShapedType::isDynamic(size))
      size = countAt(counts[next++], sizes);
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes) || bytes >> 63)
      return failure();
  }
  return bytes;
}

unsigned countLeadingDynamic(ArrayRef<int64_t> shape) {
  return static_cast<unsigned>(llvm::find_if_not(shape, ShapedType::isDynamic) - shape.begin());
}

int64_t contiguousRowStride(ArrayRef<int64_t> shape) {
  unsigned rows = countLeadingDynamic(shape);
  if (rows == 0)
    return shape.empty() || ShapedType::isDynamic(shape.back()) ? 1 : shape.back();
  int64_t stride = 1;
  for (int64_t size : shape.drop_front(rows))
    stride *= ShapedType::isDynamic(size) ? 1 : size;
  return stride;
}

} // namespace adjc
