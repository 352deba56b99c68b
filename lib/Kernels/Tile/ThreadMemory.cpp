//===- ThreadMemory.cpp - shared memory of which each thread has its own part -----------------------------------===//
#include "ThreadMemory.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <numeric>

using namespace mlir;

namespace adjc::scan {

ThreadMemory::ThreadMemory(KernelBuilder &b, int64_t slots, int64_t threads, int64_t count, Type element)
    : b(&b), count(count), type(VectorType::get({std::gcd(count, int64_t(4))}, element)),
      memory(b.workspace({slots, count / type.getNumElements(), threads, type.getNumElements()}, element)) {}

SmallVector<Value> ThreadMemory::indices(Value slot, int64_t vector, Value thread) const {
  return {slot, b->index(vector), thread, b->index(0)};
}

llvm::MaybeAlign ThreadMemory::alignment() const {
  return llvm::MaybeAlign(type.getNumElements() * type.getElementTypeBitWidth() / 8);
}

void ThreadMemory::writeVectors(Value slot, Value thread, ValueRange vectors) const {
  for (auto [number, vector] : llvm::enumerate(vectors))
    vector::StoreOp::create(*b, vector, memory, indices(slot, number, thread), /*nontemporal=*/false, alignment());
}

SmallVector<Value> ThreadMemory::readVectors(Value slot, Value thread) const {
  SmallVector<Value> vectors;
  for (int64_t number = 0; number < count / type.getNumElements(); ++number)
    vectors.push_back(
        vector::LoadOp::create(*b, type, memory, indices(slot, number, thread), /*nontemporal=*/false, alignment()));
  return vectors;
}

void ThreadMemory::write(Value slot, Value thread, ValueRange values) const {
  SmallVector<Value> vectors;
  for (int64_t i = 0; i < count; i += type.getNumElements())
    vectors.push_back(vector::FromElementsOp::create(*b, type, values.slice(i, type.getNumElements())));
  writeVectors(slot, thread, vectors);
}

SmallVector<Value> ThreadMemory::read(Value slot, Value thread) const {
  SmallVector<Value> values;
  for (Value vector : readVectors(slot, thread))
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      values.push_back(vector::ExtractOp::create(*b, vector, ArrayRef<int64_t>{i}));
  return values;
}

Value ThreadMemory::readAt(Value slot, Value thread, Value place) const {
  SmallVector<Value> at = indices(slot, 0, thread);
  at.back() = place;
  return b->load(memory, at);
}

} // namespace adjc::scan
