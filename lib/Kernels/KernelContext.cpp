//===- KernelContext.cpp - what an emitter is given -------------------------------------------------------------===//
#include "adjc/Kernels/KernelContext.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace adjc;

static bool isMini(RankedTensorType type) {
  auto blocks = dyn_cast_or_null<adj::BlocksAttr>(type.getEncoding());
  return blocks && blocks.getUnit() == "mini";
}

unsigned adjc::getRowRank(RankedTensorType type) {
  if (isMini(type))
    return type.getRank() >= 1 && type.isDynamicDim(0) ? 1 : 0;
  if (type.getEncoding())
    return 0;
  return type.getRank() >= 2 && type.isDynamicDim(0) && type.isDynamicDim(1) ? 2 : 0;
}

bool adjc::hasTokenRows(RankedTensorType type) { return getRowRank(type) > 0; }

int64_t adjc::getRowSize(RankedTensorType type) {
  int64_t size = 1;
  for (int64_t extent : type.getShape())
    if (!ShapedType::isDynamic(extent))
      size *= extent;
  return size;
}

int64_t adjc::getRowsPerPartial(RankedTensorType partials) {
  return cast<adj::BlocksAttr>(partials.getEncoding()).getSize();
}

int64_t adjc::getAccessWidth(int64_t channels, ArrayRef<KernelOperand> operands) {
  auto bytesOf = [](const KernelOperand &operand) {
    return static_cast<int64_t>(llvm::divideCeil(operand.type.getElementTypeBitWidth(), 8));
  };
  int64_t widest = 1;
  for (const KernelOperand &operand : operands)
    widest = std::max(widest, bytesOf(operand));
  int64_t width = widestAccess / widest;
  auto allows = [&](const KernelOperand &operand) {
    int64_t bytes = std::min(widestAccess, width * bytesOf(operand));
    return operand.alignment > 0 && operand.alignment % bytes == 0 && operand.rowStride * bytesOf(operand) % bytes == 0;
  };
  while (width > 1 && (channels % width != 0 || !llvm::all_of(operands, allows)))
    width /= 2;
  return width;
}

KernelContext::KernelContext(adj::KernelOp kernel, func::FuncOp function, KernelTarget target, const KernelGrid &grid,
                             unsigned launch, const KernelLaunches &launches)
    : b(function.getLoc(), function.getContext()), kernel(kernel), function(function), target(target), launch(launch),
      several(launches.list.size() > 1) {
  if (target == KernelTarget::Gpu)
    b.setThreads(grid.threads);
  b.setInsertionPointToStart(&function.getBody().front());
  auto sizes = function.getArguments().take_back(target == KernelTarget::Gpu ? 4 : 5);
  batch = sizes[0];
  tokens = sizes[1];
  rows = sizes[2];
}

bool KernelContext::isOutput(Value tensor) {
  return llvm::is_contained(kernel.getBody().front().getTerminator()->getOperands(), tensor);
}

KernelOperand KernelContext::operand(Value tensor) {
  Block &body = kernel.getBody().front();
  unsigned inputs = body.getNumArguments(), number;
  auto argument = dyn_cast<BlockArgument>(tensor);
  if (argument) {
    number = argument.getArgNumber();
    for (auto [output, tied] : llvm::enumerate(getTiedInputs(kernel)))
      if (tied && *tied == number)
        number = inputs + output;
  } else {
    auto yielded = body.getTerminator()->getOperands();
    number = inputs + std::distance(yielded.begin(), llvm::find(yielded, tensor));
  }
  return makeOperand(number, tensor.getType());
}

KernelOperand KernelContext::output(unsigned number) {
  Block &body = kernel.getBody().front();
  return makeOperand(body.getNumArguments() + number, body.getTerminator()->getOperand(number).getType());
}

KernelOperand KernelContext::makeOperand(unsigned number, Type type) {
  KernelOperand operand{function.getArgument(number), cast<RankedTensorType>(type)};
  operand.rowStride = getRowSize(operand.type);
  if (auto strides = kernel.getRowStrides(); strides && hasTokenRows(operand.type))
    operand.rowStride = (*strides)[number];
  if (auto alignments = kernel->getAttrOfType<DenseI64ArrayAttr>(alignmentsAttribute))
    operand.alignment = alignments[number];
  return operand;
}

Value KernelContext::size(RankedTensorType type, unsigned dim) {
  if (!type.isDynamicDim(dim))
    return b.index(type.getDimSize(dim));
  if (auto blocks = dyn_cast_or_null<adj::BlocksAttr>(type.getEncoding())) {
    bool first = llvm::count_if(type.getShape().take_front(dim), ShapedType::isDynamic) == 0;
    if (blocks.getUnit() == "tokens")
      return first ? batch : b.ceilDiv(tokens, blocks.getSize());
    return b.ceilDiv(rows, blocks.getSize());
  }
  return llvm::count_if(type.getShape().take_front(dim), ShapedType::isDynamic) == 0 ? batch : tokens;
}

Value KernelContext::makeView(const KernelOperand &operand, ArrayRef<OpFoldResult> sizes,
                              ArrayRef<OpFoldResult> strides) {
  auto toStatic = [](ArrayRef<OpFoldResult> values) {
    return llvm::map_to_vector(values, [](OpFoldResult value) {
      std::optional<int64_t> constant = getConstantIntValue(value);
      return constant ? *constant : ShapedType::kDynamic;
    });
  };
  auto layout = StridedLayoutAttr::get(b.getContext(), 0, toStatic(strides));
  auto type = MemRefType::get(toStatic(sizes), operand.type.getElementType(), layout,
                              cast<MemRefType>(operand.base.getType()).getMemorySpace());
  auto fold = [&](ArrayRef<OpFoldResult> values) {
    return llvm::map_to_vector(values, [&](OpFoldResult value) -> OpFoldResult {
      if (auto constant = getConstantIntValue(value))
        return b.getIndexAttr(*constant);
      return value;
    });
  };
  return memref::ReinterpretCastOp::create(b, type, operand.base, OpFoldResult(b.getIndexAttr(0)), fold(sizes),
                                           fold(strides));
}

Value KernelContext::rowsView(const KernelOperand &op) {
  SmallVector<OpFoldResult> sizes{OpFoldResult(rows)}, strides{OpFoldResult(b.getIndexAttr(op.rowStride))};
  int64_t stride = getRowSize(op.type);
  for (int64_t extent : op.type.getShape().drop_front(getRowRank(op.type))) {
    stride /= extent;
    sizes.push_back(b.getIndexAttr(extent));
    strides.push_back(b.getIndexAttr(stride));
  }
  return makeView(op, sizes, strides);
}

Value KernelContext::packedRowsView(Value tensor) {
  KernelOperand op = operand(tensor);
  return makeView(op, {OpFoldResult(rows), b.getIndexAttr(getRowSize(op.type))},
                  {OpFoldResult(b.getIndexAttr(op.rowStride)), b.getIndexAttr(1)});
}

Value KernelContext::fullView(const KernelOperand &op) {
  unsigned rank = op.type.getRank(), rowRank = getRowRank(op.type);
  SmallVector<OpFoldResult> sizes(rank), strides(rank);
  for (unsigned i = 0; i < rank; ++i)
    sizes[i] = op.type.isDynamicDim(i) ? OpFoldResult(size(op.type, i)) : b.getIndexAttr(op.type.getDimSize(i));
  if (rowRank == 1)
    sizes[0] = rows;
  OpFoldResult stride = b.getIndexAttr(1);
  for (unsigned i = rank; i-- > 0;) {
    if (i + 1 == rowRank)
      stride = b.getIndexAttr(op.rowStride);
    strides[i] = stride;
    auto a = getConstantIntValue(stride), e = getConstantIntValue(sizes[i]);
    if (a && e)
      stride = b.getIndexAttr(*a * *e);
    else if (i > 0)
      stride = b.mul(getValueOrCreateConstantIndexOp(b, b.getLoc(), stride),
                     getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[i]));
  }
  return makeView(op, sizes, strides);
}

Value KernelContext::flatView(const KernelOperand &op) {
  OpFoldResult count = b.getIndexAttr(getRowSize(op.type));
  for (unsigned i = 0; i < op.type.getRank(); ++i)
    if (op.type.isDynamicDim(i))
      count = b.mul(getValueOrCreateConstantIndexOp(b, b.getLoc(), count), size(op.type, i));
  return makeView(op, count, OpFoldResult(b.getIndexAttr(1)));
}

Value KernelContext::workspaceView() {
  Value base = function.getArgument(function.getNumArguments() - 5);
  auto type = MemRefType::get({ShapedType::kDynamic}, b.getF32Type(), MemRefLayoutAttrInterface(),
                              cast<MemRefType>(base.getType()).getMemorySpace());
  // Its size is the planner's (KernelLaunches::workspaceBytes); nothing here depends on it.
  Value size = b.mul(batch, tokens);
  return memref::ReinterpretCastOp::create(b, type, base, OpFoldResult(b.getIndexAttr(0)), OpFoldResult(size),
                                           OpFoldResult(b.getIndexAttr(1)));
}

void KernelContext::forGroups(function_ref<void(Value)> body) {
  if (target == KernelTarget::Cpu)
    return b.loop(function.getArguments().end()[-2], function.getArguments().back(), 1, body);
  // The grid has two dimensions so that any number of groups fits ("PTX kernels" in adjrt/abi.h).
  Value column = gpu::BlockIdOp::create(b, gpu::Dimension::x), row = gpu::BlockIdOp::create(b, gpu::Dimension::y);
  Value group = b.add(b.mul(row, gpu::GridDimOp::create(b, gpu::Dimension::x)), column);
  b.ifThen(b.compare(arith::CmpIPredicate::ult, group, function.getArguments().back()), [&] { body(group); });
}

void KernelContext::forRowsOfGroup(Value group, int64_t block, Value count, function_ref<void(Value)> body) {
  Value first = b.mul(group, b.index(block));
  Value last = b.min(b.add(first, b.index(block)), count);
  b.loop(first, last, 1, body);
}

void KernelContext::write(const Lanes &lanes, Value value, Value view, ValueRange indices) {
  if (kernel.getAccumulate())
    value = b.add(lanes.load(view, indices), value);
  lanes.store(value, view, indices);
}
