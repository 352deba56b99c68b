//===- WarpTranspose.cpp - many sums over the threads of a warp at once -----------------------------------------===//
#include "WarpTranspose.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;

namespace adjc::scan {

static Value exchange(KernelBuilder &b, Value value, int64_t distance) {
  return gpu::ShuffleOp::create(b, value, static_cast<int32_t>(distance), 32, gpu::ShuffleMode::XOR).getShuffleResult();
}

TransposedSums sumTransposed(KernelBuilder &b, ValueRange values, Value thread, int64_t count, int64_t stride,
                             int64_t twisted) {
  TransposedSums sums;
  sums.values.assign(values.begin(), values.end());
  sums.first = b.index(0);
  for (int64_t distance = count / 2 * stride; distance >= stride; distance /= 2, --twisted) {
    size_t half = sums.values.size() / 2;
    Value bit = b.remainder(b.div(thread, b.index(distance)), b.index(2));
    Value upper = b.compare(arith::CmpIPredicate::ne, bit, b.index(0));
    if (sums.values.size() % 2 != 0 || half == 0) {
      for (Value &value : sums.values)
        value = b.add(value, exchange(b, value, distance));
      Value lower = b.compare(arith::CmpIPredicate::eq, bit, b.index(0));
      sums.writes = sums.writes ? b.logicalAnd(sums.writes, lower) : lower;
      continue;
    }
    SmallVector<Value> kept;
    for (size_t i = 0; i < half; ++i) {
      Value keep = sums.values[i], send = sums.values[half + i];
      if (twisted <= 0) {
        keep = b.select(upper, sums.values[half + i], sums.values[i]);
        send = b.select(upper, sums.values[i], sums.values[half + i]);
      }
      kept.push_back(b.add(keep, exchange(b, send, distance)));
    }
    sums.first = b.add(sums.first, b.mul(bit, b.index(half)));
    sums.values = std::move(kept);
  }
  return sums;
}

} // namespace adjc::scan
