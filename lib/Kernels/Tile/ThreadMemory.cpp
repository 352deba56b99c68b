//===- ThreadMemory.cpp - shared memory of which each thread has its own part -----------------------------------===//
#include "ThreadMemory.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <numeric>

using namespace mlir;

namespace adjc::scan {

ThreadMemory::ThreadMemory(KernelBuilder &b, int64_t slots, int64_t threads, int64_t count)
    : b(b), count(count), width(std::gcd(count, int64_t(4))),
      memory(b.workspace({slots, count / width, threads, width}, b.getF32Type())) {}

void ThreadMemory::write(Value slot, Value thread, ArrayRef<Value> values) {
  auto type = VectorType::get({width}, b.getF32Type());
  for (int64_t i = 0; i < count; i += width) {
    auto vector = vector::FromElementsOp::create(b, type, values.slice(i, width));
    vector::StoreOp::create(b, vector, memory, ValueRange{slot, b.index(i / width), thread, b.index(0)},
                            /*nontemporal=*/false, llvm::MaybeAlign(4 * width));
  }
}

SmallVector<Value> ThreadMemory::read(Value slot, Value thread) {
  auto type = VectorType::get({width}, b.getF32Type());
  SmallVector<Value> values;
  for (int64_t i = 0; i < count; i += width) {
    Value vector = vector::LoadOp::create(b, type, memory, ValueRange{slot, b.index(i / width), thread, b.index(0)},
                                          /*nontemporal=*/false, llvm::MaybeAlign(4 * width));
    for (int64_t j = 0; j < width; ++j)
      values.push_back(vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{j}));
  }
  return values;
}

} // namespace adjc::scan
