//===- KernelBuilder.h - short spellings for the loops and arithmetic of kernels ----------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_KERNELBUILDER_H
#define ADJC_KERNELS_KERNELBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/Support/Alignment.h"
#include <functional>

namespace adjc {

/// Channels that one vector operation of a kernel covers. The targets split or pad it to their own width. Fixed, so
/// that the order of a sum is the same on every CPU.
inline constexpr int64_t laneCount = 16;

/// A builder of scf, arith, math, memref and vector operations for kernel bodies. Arithmetic takes index, integer or
/// float operands, scalars or vectors; both operands of one type.
class KernelBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using Value = mlir::Value;

  Value index(int64_t value);
  /// A float or integer constant of `type` (a scalar type or a vector of one).
  Value constant(mlir::Type type, double value);
  Value f32(double value) { return constant(getF32Type(), value); }

  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  /// Floats, or non-negative integers.
  Value div(Value a, Value b);
  /// a * b + c; the target may contract it.
  Value mulAdd(Value a, Value b, Value c) { return add(mul(a, b), c); }
  Value neg(Value a);
  /// The larger (smaller) of two indices, or of two floats.
  Value max(Value a, Value b);
  Value min(Value a, Value b);
  /// ceil(a / b) of a non-negative index.
  Value ceilDiv(Value a, int64_t b);
  Value remainder(Value a, Value b);
  Value compare(mlir::arith::CmpIPredicate predicate, Value a, Value b);
  Value logicalAnd(Value a, Value b);
  Value logicalOr(Value a, Value b);
  Value select(Value condition, Value a, Value b);

  /// What is stored in bf16 is f32 here: loads extend, stores round to nearest even (docs/precision.md).
  Value load(Value memref, mlir::ValueRange indices);
  void store(Value value, Value memref, mlir::ValueRange indices);
  /// bf16 elements, a scalar or a vector, as f32; anything else as it is.
  Value extended(Value value);
  /// f32 elements in bf16 where `element` is that; anything else as it is.
  Value rounded(Value value, mlir::Type element);
  /// A workspace of the group, of static shape, uninitialised: on the thread's stack, or in a GPU block's shared
  /// memory.
  Value workspace(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  /// The same for each thread of the group alone.
  Value privateWorkspace(llvm::ArrayRef<int64_t> shape, mlir::Type element);

  /// The group is run by a GPU block of `count` threads from here on (KernelTarget::Gpu); 0 is the CPU.
  void setThreads(int64_t count) { threads = count; }
  int64_t getThreads() const { return threads; }
  /// The thread's number in its block. GPU only.
  Value threadNumber();
  /// Bytes of shared memory that the group's workspaces take.
  int64_t getSharedBytes() const { return sharedBytes; }
  /// Waits for all threads of the group: what they wrote is seen after it. Every thread must come here. Nothing on the
  /// CPU.
  void barrier();
  /// Runs `body` in one thread of the group: for what is written outside of loops over lanes.
  void once(llvm::function_ref<void()> body);
  /// for (i = lo; i < hi; ++i) body(i), where each iteration is run by one thread of the group: always the same one for
  /// the same i - lo.
  void spread(Value lo, Value hi, llvm::function_ref<void(Value)> body);

  /// for (i = lo; i < hi; i += step) body(i)
  void loop(Value lo, Value hi, int64_t step, llvm::function_ref<void(Value)> body);
  /// The same, left as it stands by LLVM's loop transformations: for short or rare loops, and those over far apart
  /// places, where a vector would gather. (Without an instruction for that, a vectorised gather is dozens: most of a
  /// kernel's compile time.)
  llvm::SmallVector<Value> scalarLoop(Value lo, Value hi, mlir::ValueRange inits,
                                      llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body);
  void scalarLoop(Value lo, Value hi, llvm::function_ref<void(Value)> body);
  /// The same with values carried from iteration to iteration; returns the last ones.
  llvm::SmallVector<Value> loop(Value lo, Value hi, int64_t step, mlir::ValueRange inits,
                                llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body);
  /// for (i = hi - 1; i >= lo; --i), with carried values.
  llvm::SmallVector<Value> reverseLoop(Value lo, Value hi, mlir::ValueRange inits,
                                       llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body);
  void ifThen(Value condition, llvm::function_ref<void()> thenBody, llvm::function_ref<void()> elseBody = nullptr);
  /// Conditional values: both bodies return values of `types`.
  llvm::SmallVector<Value> ifElse(mlir::TypeRange types, Value condition,
                                  llvm::function_ref<llvm::SmallVector<Value>()> thenBody,
                                  llvm::function_ref<llvm::SmallVector<Value>()> elseBody);

private:
  int64_t threads = 0, sharedBytes = 0;
};

/// A run of consecutive channels handled by one operation: `laneCount` of them, or a single one in the remainder loop.
/// Emitters write their inner body once against this.
class Lanes {
public:
  /// `aligned`: what is loaded and stored begins at multiples of its size, or of 16 bytes where it is more.
  Lanes(KernelBuilder &b, int64_t width, bool aligned = false) : b(b), width(width), aligned(aligned) {}

  /// vector<width x element>, or the element type when width is 1.
  mlir::Type type(mlir::Type element) const;
  /// `scalar` in every lane.
  mlir::Value splat(mlir::Value scalar) const;
  mlir::Value constant(double value) const; ///< f32
  /// The lanes at memref[indices], ..., the last index running; the memref's last dimension is contiguous.
  mlir::Value load(mlir::Value memref, mlir::ValueRange indices) const;
  void store(mlir::Value value, mlir::Value memref, mlir::ValueRange indices) const;
  int64_t getWidth() const { return width; }

private:
  llvm::MaybeAlign alignment(mlir::Type element) const;

  KernelBuilder &b;
  int64_t width;
  bool aligned;
};

/// Runs `body` for the channels [lo, hi): a vector loop, then a scalar one for what is left. `multiple` says that
/// hi - lo is known to be a multiple of laneCount, so that nothing is left. On a GPU: one channel at a time, spread
/// over the threads.
void forLanes(KernelBuilder &b, mlir::Value lo, mlir::Value hi, bool multiple,
              llvm::function_ref<void(const Lanes &, mlir::Value)> body);

/// How reduceVector and reduceLanes combine.
enum class Reduction { Sum, Maximum };
mlir::Value combine(KernelBuilder &b, Reduction kind, mlir::Value x, mlir::Value y);

/// Combines one f32 of every thread of a warp of a GPU, in a fixed order; every thread has the results. Every thread of
/// the warp must come here.
llvm::SmallVector<mlir::Value> reduceWarp(KernelBuilder &b, Reduction kind, mlir::ValueRange values);
/// The same for all threads of a block.
llvm::SmallVector<mlir::Value> reduceThreads(KernelBuilder &b, Reduction kind, mlir::ValueRange values);

/// Reduces a vector's lanes pairwise, by halving it until one is left: the same order on every CPU.
mlir::Value reduceVector(KernelBuilder &b, Reduction kind, mlir::Value vector);

/// Reduces `body`'s terms (f32; one reduction per term) over the channels [lo, hi): laneCount accumulators, restarted
/// every 1024 channels so that a long sum has two levels, then summed pairwise.
llvm::SmallVector<mlir::Value>
reduceLanes(KernelBuilder &b, mlir::Value lo, mlir::Value hi, bool multiple, Reduction kind, unsigned count,
            llvm::function_ref<llvm::SmallVector<mlir::Value>(const Lanes &, mlir::Value)> body);

} // namespace adjc

#endif
