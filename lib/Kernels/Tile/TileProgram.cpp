//===- TileProgram.cpp - which part of a tile computes a recurrence's values ------------------------------------===//
#include "TileProgram.h"

using namespace mlir;

namespace adjc::scan {

using Kind = PointNode::Kind;

TileProgram::TileProgram(PointProgram &program, const ScanGeometry &geometry, const TileLayout &layout,
                         const llvm::DenseSet<const PointNode *> &stateLeaves)
    : program(program), geometry(geometry), layout(layout) {
  program.stage();
  for (const auto &node : program.getNodes()) {
    if (node->kind == Kind::Store) {
      fitting &= storeFits(node.get());
      continue;
    }
    std::optional<TileStage> stage = classify(node.get(), stateLeaves.contains(node.get()));
    if (!stage) {
      fitting = false;
      return;
    }
    stages[node.get()] = *stage;
  }
}

/// By dimensions alone.
static TileStage stageOfPoints(bool token, bool lane, bool inner) {
  if (!token)
    return TileStage::Hoisted;
  if (lane)
    return inner ? TileStage::Sequential : TileStage::Before;
  return inner ? TileStage::Row : TileStage::Scalar;
}

std::optional<TileStage> TileProgram::classify(const PointNode *node, bool isState) const {
  if (isState)
    return TileStage::Sequential;
  if (node->kind == Kind::Sum)
    return classifySum(node);
  if (node->kind == Kind::Value)
    return classifyValue(node);
  return stageOfPoints(program.isPerToken(node), hasLane(node), hasInner(node));
}

std::optional<TileStage> TileProgram::classifyValue(const PointNode *node) const {
  auto uses = [&](TileStage stage) {
    return llvm::any_of(node->operands, [&](const PointNode *operand) { return stageOf(operand) == stage; });
  };
  bool sequential = uses(TileStage::Sequential);
  if (uses(TileStage::LaneSum) || uses(TileStage::RowAfter)) {
    bool after = uses(TileStage::InnerSum) || uses(TileStage::After);
    return hasLane(node) || sequential || after ? std::nullopt : std::optional(TileStage::RowAfter);
  }
  if (uses(TileStage::InnerSum) || uses(TileStage::After))
    return hasInner(node) || sequential ? std::nullopt : std::optional(TileStage::After);
  if (sequential)
    return TileStage::Sequential;
  return stageOfPoints(program.isPerToken(node), hasLane(node), hasInner(node));
}

std::optional<TileStage> TileProgram::classifySum(const PointNode *node) const {
  const PointNode *operand = node->operands.front();
  if (stageOf(operand) != TileStage::Sequential || !hasLane(operand))
    return std::nullopt;
  if (layout.inner && node->summed == dimBit(*layout.inner))
    return TileStage::InnerSum;
  if (node->summed == dimBit(geometry.lane))
    return TileStage::LaneSum;
  return std::nullopt;
}

bool TileProgram::storeFits(const PointNode *store) const {
  const PointNode *operand = store->operands.front();
  switch (stageOf(operand)) {
  case TileStage::Before:
  case TileStage::After:
  case TileStage::InnerSum:
    return hasLane(store) && !hasInner(store);
  case TileStage::Sequential:
    // Where there are inner points, several threads hold a value without them.
    return hasLane(store) && hasLane(operand) && hasInner(store) == hasInner(operand) &&
           hasInner(operand) == layout.inner.has_value();
  case TileStage::LaneSum:
  case TileStage::RowAfter:
    return !hasLane(store) && program.isPerToken(store);
  default:
    return false;
  }
}

SmallVector<const PointNode *> TileProgram::inStage(TileStage stage) const {
  SmallVector<const PointNode *> list;
  for (const auto &node : program.getNodes())
    if (node->kind != Kind::Store && stageOf(node.get()) == stage)
      list.push_back(node.get());
  return list;
}

SmallVector<const PointNode *> TileProgram::stores() const {
  SmallVector<const PointNode *> list;
  for (const auto &node : program.getNodes())
    if (node->kind == Kind::Store)
      list.push_back(node.get());
  return list;
}

bool TileProgram::isUsedIn(const PointNode *node, TileStage user) const {
  return llvm::any_of(program.getNodes(), [&](const auto &other) {
    return other->kind != Kind::Store && stageOf(other.get()) == user && llvm::is_contained(other->operands, node);
  });
}

llvm::DenseSet<const PointNode *> TileProgram::closure(ArrayRef<const PointNode *> roots) const {
  llvm::DenseSet<const PointNode *> needed(roots.begin(), roots.end());
  for (const auto &node : llvm::reverse(program.getNodes()))
    if (needed.contains(node.get()))
      needed.insert(node->operands.begin(), node->operands.end());
  return needed;
}

} // namespace adjc::scan
