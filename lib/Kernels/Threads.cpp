//===- Threads.cpp - how the threads of a GPU block share a group's work ----------------------------------------===//
#include "adjc/Kernels/KernelBuilder.h"
#include "adjc/Kernels/KernelGrid.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace adjc;

static constexpr int64_t warp = warpThreads;

Value KernelBuilder::threadNumber() { return gpu::ThreadIdOp::create(*this, gpu::Dimension::x); }

void KernelBuilder::barrier() {
  if (threads)
    gpu::BarrierOp::create(*this);
}

void KernelBuilder::once(function_ref<void()> body) {
  if (!threads)
    return body();
  ifThen(compare(arith::CmpIPredicate::eq, threadNumber(), index(0)), body);
}

void KernelBuilder::spread(Value lo, Value hi, function_ref<void(Value)> body) {
  if (threads)
    loop(add(lo, threadNumber()), hi, threads, body);
  else
    loop(lo, hi, 1, body);
}

SmallVector<Value> adjc::reduceWarp(KernelBuilder &b, Reduction kind, ValueRange values) {
  SmallVector<Value> results(values);
  // Both threads of a pair compute the same sum, so all threads of a warp end with the same bits.
  for (int32_t distance = warp / 2; distance >= 1; distance /= 2)
    for (Value &value : results) {
      auto other = gpu::ShuffleOp::create(b, value, distance, warp, gpu::ShuffleMode::XOR);
      value = combine(b, kind, value, other.getShuffleResult());
    }
  return results;
}

SmallVector<Value> adjc::reduceThreads(KernelBuilder &b, Reduction kind, ValueRange values) {
  SmallVector<Value> results = reduceWarp(b, kind, values);
  int64_t warps = b.getThreads() / warp;
  if (warps == 1)
    return results;
  Value perWarp = b.workspace({static_cast<int64_t>(values.size()), warps}, b.getF32Type());
  Value thread = b.threadNumber();
  // Readers of the time before are done.
  b.barrier();
  b.ifThen(b.compare(arith::CmpIPredicate::eq, b.remainder(thread, b.index(warp)), b.index(0)), [&] {
    for (auto [number, value] : llvm::enumerate(results))
      b.store(value, perWarp, {b.index(number), b.div(thread, b.index(warp))});
  });
  b.barrier();
  for (auto [number, value] : llvm::enumerate(results)) {
    value = b.load(perWarp, {b.index(number), b.index(0)});
    for (int64_t other = 1; other < warps; ++other)
      value = combine(b, kind, value, b.load(perWarp, {b.index(number), b.index(other)}));
  }
  return results;
}
