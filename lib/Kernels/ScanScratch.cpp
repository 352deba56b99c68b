//===- ScanScratch.cpp - a group's scratch, and loops over it ---------------------------------------------------===//
#include "ScanScratch.h"

using namespace mlir;

namespace adjc::scan {

/// Half of the smallest common default stack of a thread (8 MiB).
constexpr int64_t cpuLimit = int64_t(4) << 20;
/// Of a thread's own memory on a GPU: the driver sets it aside for every thread that can run at once.
constexpr int64_t gpuLimit = int64_t(16) << 10;

static bool isShared(Value memref) { return cast<MemRefType>(memref.getType()).getMemorySpace() != nullptr; }

Value ScanScratch::make(DimSet dims, Type element, int64_t leading) {
  SmallVector<int64_t> shape = geometry.scratchShape(dims);
  if (leading)
    shape.insert(shape.begin(), leading);
  if (geometry.sharesLanes() && contains(dims, geometry.lane))
    return b.workspace(shape, element);
  bytes += ShapedType::getNumElements(shape) * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  return b.privateWorkspace(shape, element);
}

LogicalResult ScanScratch::check(Operation *op) const {
  int64_t scratchLimit = geometry.threads ? gpuLimit : cpuLimit;
  if (bytes <= scratchLimit)
    return success();
  return op->emitOpError() << "needs " << bytes << " bytes of scratch for the state of one block of lanes, and at most "
                           << scratchLimit << " are lowered; make its state dimensions smaller";
}

/// Loops over all elements of scratch; the last dimension goes in vectors where they fill it, or over the threads that
/// share it.
static void forElements(KernelBuilder &b, Value memref, SmallVectorImpl<Value> &indices,
                        function_ref<void(ValueRange, int64_t)> body) {
  ArrayRef<int64_t> shape = cast<MemRefType>(memref.getType()).getShape();
  size_t dim = indices.size();
  if (shape.empty())
    return body({}, 1);
  bool last = dim + 1 == shape.size();
  if (last && isShared(memref))
    return b.spread(b.index(0), b.index(shape[dim]), [&](Value i) {
      indices.push_back(i);
      body(indices, 1);
      indices.pop_back();
    });
  int64_t width = last && !b.getThreads() && shape.back() % laneCount == 0 ? laneCount : 1;
  b.loop(b.index(0), b.index(shape[dim]), width, [&](Value i) {
    indices.push_back(i);
    if (last)
      body(indices, width);
    else
      forElements(b, memref, indices, body);
    indices.pop_back();
  });
}

static Value zero(KernelBuilder &b, Type element, int64_t width) {
  return b.constant(width == 1 ? element : VectorType::get({width}, element), 0.0);
}

void ScanScratch::fillZero(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<Value> indices;
  forElements(b, memref, indices, [&](ValueRange place, int64_t width) {
    storeLanes(b, zero(b, type.getElementType(), width), memref, place);
  });
  if (isShared(memref))
    b.barrier();
}

void ScanScratch::moveInto(Value total, Value part) {
  auto type = cast<MemRefType>(total.getType());
  SmallVector<Value> indices;
  forElements(b, total, indices, [&](ValueRange place, int64_t width) {
    Value sum = b.add(loadLanes(b, total, place, width), loadLanes(b, part, place, width));
    storeLanes(b, sum, total, place);
    storeLanes(b, zero(b, type.getElementType(), width), part, place);
  });
}

Value loadLanes(KernelBuilder &b, Value memref, ValueRange indices, int64_t width) {
  return Lanes(b, width).load(memref, indices);
}

int64_t getWidth(Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? vector.getNumElements() : 1;
}

void storeLanes(KernelBuilder &b, Value value, Value memref, ValueRange indices) {
  Lanes(b, getWidth(value)).store(value, memref, indices);
}

Value splat(KernelBuilder &b, Value value, int64_t width) {
  return isa<VectorType>(value.getType()) ? value : Lanes(b, width).splat(value);
}

} // namespace adjc::scan
