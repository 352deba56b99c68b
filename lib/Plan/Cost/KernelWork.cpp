//===- KernelWork.cpp - what a kernel moves and computes, read off its body -------------------------------------===//
#include "adjc/Plan/Cost/Work.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace adjc {

namespace {

Quantity elementsOf(Value value) { return Quantity::elementsOf(cast<RankedTensorType>(value.getType())); }
Quantity bytesOf(Value value) { return Quantity::bytesOf(cast<RankedTensorType>(value.getType())); }

/// Rows of an activation: its elements without the channels.
Quantity rowsOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return Quantity::elementsOf(type) * (1.0 / static_cast<double>(type.getDimSize(type.getRank() - 1)));
}

int64_t tapsOf(Value weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  return type.getDimSize(type.getRank() - 1);
}

/// Side of the result's tiles that a matrix product is cut into, and rows that one of its parallel sums adds up.
constexpr int64_t kProductTile = 128, kProductSplit = 1024;

/// Blocks of `block` rows of a matrix.
SmallVector<DimensionCount> rowBlocks(RankedTensorType type, int64_t block) {
  if (countLeadingDynamic(type.getShape()) == 0)
    return {};
  return {{DimensionCount::Unit::Rows, block}};
}

WorkKind kindOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, WorkKind>(op)
      .Case<ssm::ScanOp>([](auto) { return WorkKind::Scan; })
      .Case<adj::ScanAdjointOp>([](auto) { return WorkKind::ScanAdjoint; })
      .Case<ssm::RmsNormOp, adj::RmsNormAdjointOp>([](auto) { return WorkKind::Norm; })
      .Case<ssm::Conv1dOp, adj::Conv1dAdjointOp>([](auto) { return WorkKind::Convolution; })
      .Case<ssm::EmbeddingOp, adj::EmbeddingAdjointOp>([](auto) { return WorkKind::Embedding; })
      .Case<adj::CrossEntropyOp>([](auto) { return WorkKind::Loss; })
      .Case<adj::ColumnSumOp, adj::SumPartialsOp>([](auto) { return WorkKind::Sum; })
      .Case<adj::YieldOp, linalg::FillOp>([](auto) { return WorkKind::Copy; })
      .Default([](Operation *) { return WorkKind::Pointwise; });
}

/// Scalar operations of what is not a recurrence. Per element of the tensor named, from the definition of each
/// operation (the dialects' .td files).
void addScalars(Work &work, Operation *op) {
  auto perElement = [&](Value tensor, double operations, double exponentials = 0) {
    work.operations += elementsOf(tensor) * operations;
    work.exponentials += elementsOf(tensor) * exponentials;
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](linalg::GenericOp generic) {
        // Parallel in all dimensions: the points are the result's elements.
        for (Operation &scalar : generic.getRegion().front()) {
          ScalarWork each = countScalar(&scalar);
          perElement(generic.getResult(0), each.operations, each.exponentials);
        }
      })
      .Case([&](ssm::RmsNormOp norm) {
        perElement(norm.getX(), 4); // square, sum; times the scale, times the weight
        work.exponentials += rowsOf(norm.getX());
      })
      .Case([&](adj::RmsNormAdjointOp norm) {
        perElement(norm.getX(), 11); // the mean square; the products' mean; dx; the weight's partial sum
        work.exponentials += rowsOf(norm.getX());
      })
      .Case([&](ssm::Conv1dOp conv) { perElement(conv.getX(), 2.0 * static_cast<double>(tapsOf(conv.getWeight()))); })
      .Case([&](adj::Conv1dAdjointOp conv) {
        perElement(conv.getX(), 4.0 * static_cast<double>(tapsOf(conv.getWeight())) + 1);
      })
      .Case([&](adj::CrossEntropyOp entropy) { perElement(entropy.getLogits(), 7, 2); })
      .Case([&](adj::EmbeddingAdjointOp adjoint) {
        perElement(adjoint.getCotangent(), 1);
        // Every row looks for others of its token.
        Quantity pairs;
        pairs.add(0.5, {{DimensionCount::Unit::Rows, 1}, {DimensionCount::Unit::Rows, 1}});
        work.operations += pairs;
      })
      .Case<adj::ColumnSumOp, adj::SumPartialsOp>([&](auto sum) { perElement(sum->getOperand(0), 1); })
      .Case([&](ssm::ResidualOp residual) { perElement(residual.getA(), 1); })
      .Default([](Operation *) {});
}

/// Bytes that the operations of `body` read of one argument: all of it, but of an embedding's table the rows looked up.
Quantity bytesRead(BlockArgument argument) {
  for (Operation *user : argument.getUsers())
    if (auto embedding = dyn_cast<ssm::EmbeddingOp>(user); embedding && embedding.getTable() == argument)
      return bytesOf(embedding.getResult());
  return argument.use_empty() ? Quantity() : bytesOf(argument);
}

Quantity groupsOf(const KernelGrid &grid) {
  auto factor = static_cast<double>(grid.factor);
  Quantity groups;
  using Unit = DimensionCount::Unit;
  switch (grid.unit) {
  case GridUnit::One:
    groups.add(factor * static_cast<double>(llvm::divideCeil(1, grid.block)), {});
    break;
  case GridUnit::Batch:
    groups.add(factor, {{Unit::Batch, grid.block}});
    break;
  case GridUnit::Tokens:
    groups.add(factor, {{Unit::Tokens, grid.block}});
    break;
  case GridUnit::Rows:
    groups.add(factor, {{Unit::Rows, grid.block}});
    break;
  case GridUnit::Chunks:
    groups.add(factor, {{Unit::Batch, 1}, {Unit::Tokens, grid.block}});
    break;
  }
  return groups;
}

bool isComputation(Operation &op) {
  return !isa<arith::ConstantOp, tensor::EmptyOp, tensor::DimOp, linalg::FillOp, adj::YieldOp>(op);
}

} // namespace

FailureOr<std::vector<LaunchWork>> countKernel(adj::KernelOp kernel, KernelTarget target) {
  FailureOr<KernelLaunches> launches = getKernelLaunches(kernel, target);
  if (failed(launches))
    return failure();
  std::vector<LaunchWork> list;
  for (const KernelLaunch &launch : launches->list) {
    list.push_back({launch.suffix, {}});
    list.back().work.groups = groupsOf(launch.grid);
  }
  Block &body = kernel.getBody().front();
  // A kernel of several operations is of the kind of the first that is not elementwise.
  Operation *main = body.getTerminator();
  for (Operation &op : body)
    if (isComputation(op) && (isa<adj::YieldOp>(main) || kindOf(main) == WorkKind::Pointwise))
      main = &op;
  if (isa<ssm::ScanOp, adj::ScanAdjointOp>(main)) {
    countScan(kernel, main, *launches, list);
    return list;
  }
  // Whatever the launches share out among them is the first one's.
  Work &work = list.front().work;
  for (LaunchWork &launch : list)
    launch.work.kind = kindOf(main);
  for (Operation &op : body)
    if (isComputation(op))
      addScalars(work, &op);
  for (BlockArgument argument : body.getArguments())
    work.read += bytesRead(argument);
  for (Value output : body.getTerminator()->getOperands()) {
    // Of a table's gradient only the rows of the tokens are touched.
    auto table = output.getDefiningOp<adj::EmbeddingAdjointOp>();
    Quantity bytes = table ? elementsOf(table.getCotangent()) * sizeof(float) : bytesOf(output);
    work.written += bytes;
    if (kernel.getAccumulate())
      work.read += bytes;
  }
  return list;
}

Work countProduct(adj::GemmOp gemm) {
  auto a = cast<RankedTensorType>(gemm.getA().getType()), b = cast<RankedTensorType>(gemm.getB().getType());
  Work work;
  work.kind = WorkKind::Product;
  work.bf16 = a.getElementType().isBF16();
  work.read = Quantity::bytesOf(a);
  work.read += Quantity::bytesOf(b);
  // 2 m n k, where m k (or k m) are the elements of a. The columns n are op(b)'s: the last dimension of b, or with
  // `transpose_b` all others.
  Quantity n(static_cast<double>(b.getShape().back())),
      blocks(static_cast<double>(llvm::divideCeil(b.getShape().back(), kProductTile)));
  if (gemm.getTransposeB()) {
    n = rowsOf(gemm.getB());
    blocks = n * (1.0 / kProductTile);
  }
  work.products = Quantity::elementsOf(a).times(n) * 2;
  // Tiles of the result; where the rows of an activation are summed over, parts of them run in parallel.
  Quantity m;
  if (gemm.getTransposeA())
    m.add(static_cast<double>(llvm::divideCeil(a.getShape().back(), kProductTile)), rowBlocks(a, kProductSplit));
  else
    m.add(a.hasStaticShape() ? static_cast<double>(llvm::divideCeil(a.getShape().front(), kProductTile)) : 1,
          rowBlocks(a, kProductTile));
  work.groups = m.times(blocks);
  if (gemm.getResult()) {
    work.written = Quantity::bytesOf(cast<RankedTensorType>(gemm.getResult().getType()));
  } else {
    work.written = n * (sizeof(float) * static_cast<double>(a.getShape().back()));
    work.read += work.written;
  }
  return work;
}

Work countCopy(RankedTensorType type) {
  Work work;
  work.kind = WorkKind::Copy;
  work.read = work.written = Quantity::bytesOf(type);
  return work;
}

Work countTransfer(RankedTensorType type) {
  Work work;
  work.kind = WorkKind::Transfer;
  work.moved = Quantity::bytesOf(type);
  return work;
}

} // namespace adjc
