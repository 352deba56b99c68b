//===- KeptValues.cpp - values that one pass over a chunk leaves for the next -----------------------------------===//
#include "KeptValues.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace adjc::scan {

/// What storing and loading a value costs, in operations; a function costs more, a few additions and multiplications
/// less.
constexpr unsigned transferCost = 6;
/// Bytes of all kept values: half of a common second-level cache, where the chunk's states lie too.
constexpr int64_t mostBytes = 512 << 10;

static unsigned costOf(const PointNode *node) {
  if (node->kind != PointNode::Kind::Value || !node->op)
    return 0;
  if (isa<math::AbsFOp, math::FmaOp, math::SqrtOp, math::CopySignOp>(node->op))
    return 1;
  if (isa<math::MathDialect>(node->op->getDialect()))
    return 16;
  return isa<arith::DivFOp, arith::RemFOp>(node->op) ? 8 : 1;
}

/// Operations that `node` needs beyond what `known` has.
static unsigned costBeyond(const PointNode *node, llvm::DenseSet<const PointNode *> &known) {
  if (!known.insert(node).second)
    return 0;
  unsigned cost = costOf(node);
  for (const PointNode *operand : node->operands)
    cost += costBeyond(operand, known);
  return cost;
}

void keepCostlyValues(PointProgram &first, PointProgram &second, const ScanGeometry &geometry, ScanScratch &scratch,
                      int64_t every) {
  // Nodes of `second` and what computes the same in `first`.
  llvm::DenseMap<const PointNode *, PointNode *> same;
  for (const auto &node : second.getNodes())
    if (PointNode *equal = first.findEqual(*node, [&](const PointNode *operand) { return same.lookup(operand); }))
      same[node.get()] = equal;

  llvm::DenseSet<const PointNode *> needed; // by nodes that only `second` has
  for (const auto &node : second.getNodes())
    if (!same.contains(node.get()))
      needed.insert(node->operands.begin(), node->operands.end());

  int64_t bytes = 0;
  llvm::DenseSet<const PointNode *> kept;
  // Operands come first: a value made of kept ones may be cheap.
  for (const auto &node : second.getNodes()) {
    PointNode *source = same.lookup(node.get());
    if (!source || !needed.contains(node.get()) || !node->type.isF32() || !contains(node->dims, geometry.lane) ||
        !second.isPerToken(node.get()))
      continue;
    llvm::DenseSet<const PointNode *> known = kept;
    SmallVector<int64_t> shape = geometry.scratchShape(node->dims);
    shape.insert(shape.begin(), every);
    int64_t size = ShapedType::getNumElements(shape) * 4;
    if (costBeyond(node.get(), known) <= transferCost || bytes + size > mostBytes)
      continue;
    bytes += size;
    kept.insert(node.get());
    Value place = scratch.make(node->dims, node->type, every);
    DimSet dims = node->dims;
    auto indices = [=, &geometry](const PointIndex &index) {
      SmallVector<Value> result = geometry.scratchIndices(dims, index);
      result.insert(result.begin(), index.slot);
      return result;
    };
    first.addStore(
        source, dims,
        [=](KernelBuilder &b, const PointIndex &index, ValueRange values) {
          storeLanes(b, values[0], place, indices(index));
          return Value();
        },
        /*copied=*/false);
    second.replaceByLeaf(node.get(), [=](KernelBuilder &b, const PointIndex &index, ValueRange) {
      return loadLanes(b, place, indices(index), index.width);
    });
  }
}

} // namespace adjc::scan
