//===- Lanes.cpp - loops over channels, laneCount at a time -----------------------------------------------------===//
#include "adjc/Kernels/KernelBuilder.h"
#include "adjc/Kernels/KernelGrid.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace adjc;

Value adjc::combine(KernelBuilder &b, Reduction kind, Value x, Value y) {
  return kind == Reduction::Sum ? b.add(x, y) : b.max(x, y);
}

Type Lanes::type(Type element) const { return width == 1 ? element : VectorType::get({width}, element); }

Value Lanes::splat(Value scalar) const {
  return width == 1 ? scalar : Value(vector::BroadcastOp::create(b, cast<VectorType>(type(scalar.getType())), scalar));
}

Value Lanes::constant(double value) const { return b.constant(type(b.getF32Type()), value); }

Value Lanes::load(Value memref, ValueRange indices) const {
  if (width == 1)
    return b.load(memref, indices);
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  return b.extended(vector::LoadOp::create(b, cast<VectorType>(type(element)), memref, indices, /*nontemporal=*/false,
                                           alignment(element)));
}

void Lanes::store(Value value, Value memref, ValueRange indices) const {
  if (width == 1)
    return b.store(value, memref, indices);
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  vector::StoreOp::create(b, b.rounded(value, element), memref, indices, /*nontemporal=*/false, alignment(element));
}

llvm::MaybeAlign Lanes::alignment(Type element) const {
  if (!aligned)
    return {};
  return llvm::Align(std::min<int64_t>(widestAccess, width * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8)));
}

/// The end of the part of [lo, hi) that vectors cover.
static Value getVectorEnd(KernelBuilder &b, Value lo, Value hi, bool multiple) {
  if (multiple)
    return hi;
  Value count = b.sub(hi, lo);
  return b.add(lo, b.mul(b.div(count, b.index(laneCount)), b.index(laneCount)));
}

void adjc::forLanes(KernelBuilder &b, Value lo, Value hi, bool multiple,
                    function_ref<void(const Lanes &, Value)> body) {
  if (b.getThreads())
    return b.spread(lo, hi, [&](Value i) { body(Lanes(b, 1), i); });
  Value end = getVectorEnd(b, lo, hi, multiple);
  b.loop(lo, end, laneCount, [&](Value i) { body(Lanes(b, laneCount), i); });
  if (multiple)
    return;
  // At most laneCount - 1 iterations: optimising them further only costs compile time.
  b.scalarLoop(end, hi, [&](Value i) { body(Lanes(b, 1), i); });
}

Value adjc::reduceVector(KernelBuilder &b, Reduction kind, Value vector) {
  for (int64_t width = cast<VectorType>(vector.getType()).getNumElements() / 2; width >= 1; width /= 2) {
    auto half = [&](int64_t first) -> Value {
      return vector::ShuffleOp::create(b, vector, vector, llvm::to_vector(llvm::seq(first, first + width)));
    };
    Value low = half(0), high = half(width);
    vector = combine(b, kind, low, high);
  }
  return vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{0});
}

SmallVector<Value> adjc::reduceLanes(KernelBuilder &b, Value lo, Value hi, bool multiple, Reduction kind,
                                     unsigned count, function_ref<SmallVector<Value>(const Lanes &, Value)> body) {
  constexpr int64_t chunk = 64 * laneCount;
  double neutral = kind == Reduction::Sum ? 0.0 : -std::numeric_limits<double>::infinity();
  Lanes wide(b, laneCount), scalar(b, 1);
  auto step = [&](const Lanes &lanes, Value i, ValueRange carried) {
    SmallVector<Value> next = body(lanes, i);
    for (auto [value, previous] : llvm::zip(next, carried))
      value = combine(b, kind, previous, value);
    return next;
  };
  if (b.getThreads()) {
    SmallVector<Value> inits(count, scalar.constant(neutral));
    SmallVector<Value> mine = b.loop(b.add(lo, b.threadNumber()), hi, b.getThreads(), inits,
                                     [&](Value i, ValueRange carried) { return step(scalar, i, carried); });
    return reduceThreads(b, kind, mine);
  }
  Value end = getVectorEnd(b, lo, hi, multiple);
  SmallVector<Value> zeros(count, wide.constant(neutral));
  SmallVector<Value> vectors = b.loop(lo, end, chunk, zeros, [&](Value first, ValueRange totals) {
    Value last = b.min(b.add(first, b.index(chunk)), end);
    SmallVector<Value> partial =
        b.loop(first, last, laneCount, zeros, [&](Value i, ValueRange carried) { return step(wide, i, carried); });
    for (auto [value, total] : llvm::zip(partial, totals))
      value = combine(b, kind, total, value);
    return partial;
  });
  SmallVector<Value> results;
  for (Value vector : vectors)
    results.push_back(reduceVector(b, kind, vector));
  if (multiple)
    return results;
  return b.scalarLoop(end, hi, results, [&](Value i, ValueRange carried) { return step(scalar, i, carried); });
}
