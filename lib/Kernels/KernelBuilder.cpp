//===- KernelBuilder.cpp - short spellings for the loops and arithmetic of kernels ------------------------------===//
#include "adjc/Kernels/KernelBuilder.h"
#include "adjc/Kernels/SharedMemory.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace adjc;

static bool isFloat(Value value) { return isa<FloatType>(getElementTypeOrSelf(value.getType())); }

Value KernelBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

Value KernelBuilder::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attribute = isa<FloatType>(element) ? TypedAttr(getFloatAttr(element, value))
                                                : TypedAttr(getIntegerAttr(element, static_cast<int64_t>(value)));
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vector, Attribute(attribute));
  return arith::ConstantOp::create(*this, attribute);
}

Value KernelBuilder::add(Value a, Value b) {
  return isFloat(a) ? Value(arith::AddFOp::create(*this, a, b)) : Value(arith::AddIOp::create(*this, a, b));
}
Value KernelBuilder::sub(Value a, Value b) {
  return isFloat(a) ? Value(arith::SubFOp::create(*this, a, b)) : Value(arith::SubIOp::create(*this, a, b));
}
Value KernelBuilder::mul(Value a, Value b) {
  return isFloat(a) ? Value(arith::MulFOp::create(*this, a, b)) : Value(arith::MulIOp::create(*this, a, b));
}
Value KernelBuilder::div(Value a, Value b) {
  return isFloat(a) ? Value(arith::DivFOp::create(*this, a, b)) : Value(arith::DivUIOp::create(*this, a, b));
}
Value KernelBuilder::neg(Value a) { return arith::NegFOp::create(*this, a); }
Value KernelBuilder::max(Value a, Value b) {
  return isFloat(a) ? Value(arith::MaxNumFOp::create(*this, a, b)) : Value(arith::MaxSIOp::create(*this, a, b));
}
Value KernelBuilder::min(Value a, Value b) {
  return isFloat(a) ? Value(arith::MinNumFOp::create(*this, a, b)) : Value(arith::MinSIOp::create(*this, a, b));
}
Value KernelBuilder::ceilDiv(Value a, int64_t b) {
  if (b == 1)
    return a;
  return div(add(a, index(b - 1)), index(b));
}
Value KernelBuilder::remainder(Value a, Value b) { return arith::RemUIOp::create(*this, a, b); }
Value KernelBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(*this, predicate, a, b);
}
Value KernelBuilder::logicalAnd(Value a, Value b) { return arith::AndIOp::create(*this, a, b); }
Value KernelBuilder::logicalOr(Value a, Value b) { return arith::OrIOp::create(*this, a, b); }
Value KernelBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(*this, condition, a, b);
}

Value KernelBuilder::load(Value memref, ValueRange indices) {
  return extended(memref::LoadOp::create(*this, memref, indices));
}

void KernelBuilder::store(Value value, Value memref, ValueRange indices) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  memref::StoreOp::create(*this, rounded(value, element), memref, indices);
}

/// `type` with elements of `element`.
static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

Value KernelBuilder::extended(Value value) {
  if (!getElementTypeOrSelf(value.getType()).isBF16())
    return value;
  return arith::ExtFOp::create(*this, withElement(value.getType(), getF32Type()), value);
}

Value KernelBuilder::rounded(Value value, Type element) {
  if (!element.isBF16() || getElementTypeOrSelf(value.getType()).isBF16())
    return value;
  return arith::TruncFOp::create(*this, withElement(value.getType(), element), value);
}

/// The function that `b` inserts into.
static func::FuncOp getFunction(KernelBuilder &b) {
  Operation *parent = b.getInsertionBlock()->getParentOp();
  return isa<func::FuncOp>(parent) ? cast<func::FuncOp>(parent) : parent->getParentOfType<func::FuncOp>();
}

Value KernelBuilder::privateWorkspace(ArrayRef<int64_t> shape, Type element) {
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(&getFunction(*this).getBody().front());
  return memref::AllocaOp::create(*this, MemRefType::get(shape, element), getI64IntegerAttr(threads ? 16 : 64));
}

Value KernelBuilder::workspace(ArrayRef<int64_t> shape, Type element) {
  if (!threads)
    return privateWorkspace(shape, element);
  OpBuilder::InsertionGuard guard(*this);
  func::FuncOp function = getFunction(*this);
  setInsertionPointToStart(&function.getBody().front());
  Value all = memref::GetGlobalOp::create(*this, getSharedMemoryType(getContext()), sharedMemoryName);
  auto type = MemRefType::get(shape, element, MemRefLayoutAttrInterface(), getI64IntegerAttr(sharedMemorySpace));
  Value view = memref::ViewOp::create(*this, type, all, index(sharedBytes), ValueRange());
  sharedBytes += llvm::alignTo(type.getNumElements() * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8), 16);
  return view;
}

void KernelBuilder::loop(Value lo, Value hi, int64_t step, function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(*this, lo, hi, index(step));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

SmallVector<Value> KernelBuilder::loop(Value lo, Value hi, int64_t step, ValueRange inits,
                                       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  if (inits.empty()) {
    loop(lo, hi, step, [&](Value i) { body(i, {}); });
    return {};
  }
  auto loop = scf::ForOp::create(*this, lo, hi, index(step), inits);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(*this, next);
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> KernelBuilder::scalarLoop(Value lo, Value hi, ValueRange inits,
                                             function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(*this, lo, hi, index(1), inits);
  auto annotation = LLVM::LoopAnnotationAttr::get(getContext(), /*disableNonforced=*/getBoolAttr(true), {}, {}, {}, {},
                                                  {}, {}, {}, {}, {}, {}, {}, {}, {}, {});
  // Without the dialect's prefix: the branch at the loop's end, to which lowerings copy it, then has it as its own
  // attribute.
  loop->setAttr("loop_annotation", annotation);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!next.empty())
    scf::YieldOp::create(*this, next);
  return SmallVector<Value>(loop.getResults());
}

void KernelBuilder::scalarLoop(Value lo, Value hi, function_ref<void(Value)> body) {
  scalarLoop(lo, hi, {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

SmallVector<Value> KernelBuilder::reverseLoop(Value lo, Value hi, ValueRange inits,
                                              function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value last = sub(hi, index(1));
  Value count = sub(hi, lo);
  return loop(index(0), count, 1, inits, [&](Value i, ValueRange carried) { return body(sub(last, i), carried); });
}

void KernelBuilder::ifThen(Value condition, function_ref<void()> thenBody, function_ref<void()> elseBody) {
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/static_cast<bool>(elseBody));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.thenBlock());
  thenBody();
  if (!elseBody)
    return;
  setInsertionPointToStart(op.elseBlock());
  elseBody();
}

SmallVector<Value> KernelBuilder::ifElse(TypeRange types, Value condition, function_ref<SmallVector<Value>()> thenBody,
                                         function_ref<SmallVector<Value>()> elseBody) {
  auto op = scf::IfOp::create(*this, types, condition, /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.thenBlock());
  scf::YieldOp::create(*this, thenBody());
  setInsertionPointToStart(op.elseBlock());
  scf::YieldOp::create(*this, elseBody());
  return SmallVector<Value>(op.getResults());
}
