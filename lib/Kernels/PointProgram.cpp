//===- PointProgram.cpp - the graph of what one point of a recurrence computes ----------------------------------===//
#include "PointProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OperationSupport.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace adjc::scan {

SmallVector<unsigned> members(DimSet set) {
  SmallVector<unsigned> result;
  for (unsigned dim = 0; set >> dim; ++dim)
    if (contains(set, dim))
      result.push_back(dim);
  return result;
}

PointNode *PointProgram::add(PointNode::Kind kind, DimSet dims, DimSet space, Type type, ArrayRef<PointNode *> operands,
                             PointEmit emit) {
  auto node = std::make_unique<PointNode>();
  node->kind = kind;
  node->dims = dims;
  node->space = space;
  node->type = type;
  node->operands.assign(operands.begin(), operands.end());
  node->emit = std::move(emit);
  node->number = nodes.size();
  for (PointNode *operand : operands)
    node->afterLaneSum |= operand->afterLaneSum;
  nodes.push_back(std::move(node));
  return nodes.back().get();
}

PointNode *PointProgram::addLeaf(DimSet dims, Type type, PointEmit emit, bool copied) {
  PointNode *node = add(PointNode::Kind::Leaf, dims, dims, type, {}, std::move(emit));
  node->copied = copied && contains(dims, lane);
  return node;
}

PointNode *PointProgram::addValue(ArrayRef<PointNode *> operands, Type type, PointEmit emit) {
  DimSet dims = 0;
  for (PointNode *operand : operands)
    dims |= operand->dims;
  return add(PointNode::Kind::Value, dims, dims, type, operands, std::move(emit));
}

PointNode *PointProgram::addSum(PointNode *operand, DimSet over) {
  over &= ~fixed;
  if (over == 0) // of a fixed dimension there is one point
    return operand;
  PointNode *node =
      add(PointNode::Kind::Sum, operand->dims & ~over, operand->dims | over, operand->type, {operand}, nullptr);
  node->summed = over;
  node->afterLaneSum |= contains(over, lane);
  return node;
}

PointNode *PointProgram::addStore(PointNode *operand, DimSet space, PointEmit emit, bool copied) {
  PointNode *node = add(PointNode::Kind::Store, space, space, nullptr, {operand}, std::move(emit));
  node->copied = copied && contains(space, lane);
  return node;
}

/// Operands aside.
static bool isEqualOperation(Operation *a, Operation *b) {
  return OperationEquivalence::isEquivalentTo(
      a, b, [](Value, Value) { return success(); }, nullptr, OperationEquivalence::IgnoreLocations);
}

PointNode *PointProgram::findEqual(const PointNode &other,
                                   llvm::function_ref<PointNode *(const PointNode *)> match) const {
  SmallVector<PointNode *> operands = llvm::map_to_vector(other.operands, match);
  if (llvm::is_contained(operands, nullptr) || other.kind == PointNode::Kind::Store)
    return nullptr;
  for (const std::unique_ptr<PointNode> &node : nodes) {
    if (node->kind != other.kind || node->dims != other.dims || node->summed != other.summed ||
        ArrayRef<PointNode *>(node->operands) != ArrayRef<PointNode *>(operands))
      continue;
    if (node->kind == PointNode::Kind::Leaf ? node->tensor && node->tensor == other.tensor && node->map == other.map
                                            : node->op && other.op && isEqualOperation(node->op, other.op))
      return node.get();
  }
  return nullptr;
}

void PointProgram::replaceByLeaf(PointNode *node, PointEmit emit) {
  node->kind = PointNode::Kind::Leaf;
  node->operands.clear();
  node->emit = std::move(emit);
  node->space = node->dims;
}

PointNode *PointProgram::addExponential(PointNode *argument) {
  for (auto [known, node] : exponentials)
    if (known == argument)
      return node;
  if (argument->kind != PointNode::Kind::Value || !isa_and_nonnull<arith::MulFOp>(argument->op))
    return nullptr;
  PointNode *x = argument->operands[0], *y = argument->operands[1];
  if (isPerToken(y))
    std::swap(x, y);
  if (isPerToken(y) || !isPerToken(x))
    return nullptr;
  PointNode *scaled = addValue({y}, y->type, [](KernelBuilder &b, const PointIndex &, ValueRange values) {
    return b.mul(values[0], b.constant(values[0].getType(), 1.44269504088896341));
  });
  PointNode *product =
      addValue({x, scaled}, argument->type,
               [](KernelBuilder &b, const PointIndex &, ValueRange values) { return b.mul(values[0], values[1]); });
  PointNode *node =
      addValue(product, argument->type, [](KernelBuilder &b, const PointIndex &, ValueRange values) -> Value {
        return math::Exp2Op::create(b, values[0]);
      });
  exponentials.push_back({argument, node});
  return node;
}

PointNode *PointProgram::addQuotient(PointNode *x, PointNode *y, Operation *op) {
  for (auto [otherX, otherY, node] : quotients)
    if (otherX == x && otherY == y)
      return node;
  auto known = llvm::find_if(reciprocals, [&](const auto &entry) { return entry.first == y; });
  PointNode *reciprocal = known != reciprocals.end() ? known->second : nullptr;
  if (!reciprocal) {
    reciprocal = addValue(y, y->type, [](KernelBuilder &b, const PointIndex &, ValueRange values) {
      return b.div(b.constant(values[0].getType(), 1), values[0]);
    });
    reciprocal->op = op; // cheap, as the arithmetic that it stands for
    reciprocals.push_back({y, reciprocal});
  }
  PointNode *node = addValue({x, reciprocal}, x->type, [](KernelBuilder &b, const PointIndex &, ValueRange values) {
    return b.mul(values[0], values[1]);
  });
  node->op = op;
  quotients.push_back({x, y, node});
  return node;
}

PointNode *PointProgram::addOperation(Operation &op, ArrayRef<PointNode *> operands) {
  DimSet summed = 0;
  auto sum = dyn_cast<ssm::SumOp>(op);
  if (sum)
    for (int64_t dim : sum.getDims())
      summed |= dimBit(dim);
  // The step and read regions, and more so a derived adjoint, compute the same values: once is enough.
  for (const std::unique_ptr<PointNode> &node : nodes)
    if (node->op && node->summed == (summed & ~fixed) && ArrayRef<PointNode *>(node->operands) == operands &&
        isEqualOperation(node->op, &op))
      return node.get();
  if (foldsExponents && isa<math::ExpOp>(op))
    if (PointNode *folded = addExponential(operands.front())) {
      folded->op = &op; // costly, as the function it stands for
      return folded;
    }
  if (foldsExponents && isa<arith::DivFOp>(op))
    return addQuotient(operands[0], operands[1], &op);
  PointNode *node;
  if (sum) {
    node = addSum(operands.front(), summed);
    if (node == operands.front())
      return node;
  } else {
    Operation *original = &op;
    node = addValue(operands, op.getResult(0).getType(),
                    [original](KernelBuilder &b, const PointIndex &index, ValueRange values) {
                      IRMapping mapping;
                      mapping.map(original->getOperands(), values);
                      Value result = b.clone(*original, mapping)->getResult(0);
                      if (!values.empty() && isa<VectorType>(values.front().getType()))
                        result.setType(VectorType::get({index.width}, result.getType()));
                      return result;
                    });
  }
  node->op = &op;
  return node;
}

LogicalResult PointProgram::addRegion(Region &region, ArrayRef<PointValue> arguments,
                                      SmallVectorImpl<PointValue> &yielded) {
  Block &block = region.front();
  llvm::DenseMap<Value, PointValue> known;
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    known[argument] = value;
  for (Operation &op : block) {
    auto operands = llvm::map_to_vector(op.getOperands(), [&](Value operand) { return known.lookup(operand); });
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      yielded = operands;
      break;
    }
    PointValue result;
    if (isa<complex::CreateOp>(op)) {
      result = {operands[0].re, operands[1].re};
    } else if (isa<complex::ReOp, complex::ImOp>(op)) {
      result.re = isa<complex::ReOp>(op) ? operands[0].re : operands[0].im;
    } else {
      Dialect *dialect = op.getDialect();
      bool scalar = isa_and_nonnull<arith::ArithDialect, math::MathDialect>(dialect) && op.getNumResults() == 1;
      bool real = llvm::none_of(operands, [](PointValue operand) { return operand.im; });
      if (!(scalar || isa<ssm::SumOp>(op)) || !real)
        return op.emitOpError("is not lowered inside of a recurrence's region: only arith, math and ssm.sum are");
      result.re = addOperation(op, llvm::map_to_vector(operands, [](PointValue operand) { return operand.re; }));
    }
    known[op.getResult(0)] = result;
  }
  return success();
}

LogicalResult PointProgram::verifyLaneSums(Operation *op, bool partial) const {
  for (const std::unique_ptr<PointNode> &node : nodes)
    if (node->afterLaneSum && (!partial || contains(node->dims, lane)))
      return (node->op ? node->op : op)->emitOpError()
             << (partial ? "uses, lane by lane, a sum over" : "sums over") << " the lane dimension (number " << lane
             << "), which is cut into blocks: this is not lowered";
  return success();
}

//===----------------------------------------------------------------------------------------------------------------===//
// Staging
//===----------------------------------------------------------------------------------------------------------------===//

void PointProgram::dropUnused() {
  SmallVector<bool> used(nodes.size(), false);
  for (size_t i = nodes.size(); i-- > 0;) {
    used[i] = used[i] || nodes[i]->kind == PointNode::Kind::Store;
    if (used[i])
      for (PointNode *operand : nodes[i]->operands)
        used[operand->number] = true;
  }
  SmallVector<std::unique_ptr<PointNode>> kept;
  for (std::unique_ptr<PointNode> &node : nodes)
    if (used[node->number])
      kept.push_back(std::move(node));
  nodes = std::move(kept);
  for (auto [number, node] : llvm::enumerate(nodes))
    node->number = number;
}

void PointProgram::assignLevels() {
  auto sameLoops = [&](const PointNode *a, const PointNode *b) {
    return isPerToken(a) == isPerToken(b) && innerDims(a->space) == innerDims(b->space);
  };
  // A sum is complete only after its nest, one over the lanes alone after the loop over the lanes; a value of another
  // nest has to be in the scratch before.
  auto canShareNest = [&](const PointNode *operand, const PointNode *user) {
    if (!sameLoops(operand, user))
      return false;
    if (operand->kind == PointNode::Kind::Sum)
      return isLaneSum(operand) && !hasLane(user);
    return !isAfterLanes(operand) || !hasLane(user);
  };
  auto ordersNests = [&](const PointNode *operand, const PointNode *user) {
    return isPerToken(operand) == isPerToken(user) && !isReadWhereUsed(operand);
  };
  // As early as possible,
  for (auto &node : nodes) {
    node->level = 0;
    for (PointNode *operand : node->operands)
      if (ordersNests(operand, node.get()))
        node->level = std::max(node->level, operand->level + (canShareNest(operand, node.get()) ? 0 : 1));
  }
  // then as late as possible, which joins nests over the same loops. A store goes to the last of them.
  SmallVector<int> earliest(nodes.size());
  for (auto [level, node] : llvm::zip_equal(earliest, nodes))
    level = node->level;
  for (auto &node : llvm::reverse(nodes)) {
    if (node->kind != PointNode::Kind::Store)
      continue;
    for (auto [level, other] : llvm::zip_equal(earliest, nodes))
      if (sameLoops(node.get(), other.get()))
        node->level = std::max(node->level, level);
  }
  for (auto &node : llvm::reverse(nodes)) {
    std::optional<int> latest;
    for (auto &user : llvm::drop_begin(nodes, node->number + 1))
      if (llvm::is_contained(user->operands, node.get()) && ordersNests(node.get(), user.get()))
        latest = std::min(latest.value_or(INT_MAX), user->level - (canShareNest(node.get(), user.get()) ? 0 : 1));
    if (latest)
      node->level = *latest;
  }
}

void PointProgram::stage() {
  dropUnused();
  assignLevels();
  nests.clear();
  for (auto &node : nodes) {
    if (isReadWhereUsed(node.get()))
      continue;
    auto *nest = llvm::find_if(nests, [&](const PointNest &nest) { return sameNest(nest.nodes.front(), node.get()); });
    if (nest == nests.end()) {
      nests.push_back({isPerToken(node.get()), node->level, innerDims(node->space), {}});
      nest = std::prev(nests.end());
    }
    nest->nodes.push_back(node.get());
  }
  llvm::stable_sort(nests, [](const PointNest &a, const PointNest &b) {
    return std::make_pair(a.perToken, a.level) < std::make_pair(b.perToken, b.level);
  });
}

bool PointProgram::isUsedElsewhere(const PointNode *node) const {
  return llvm::any_of(nodes, [&](const std::unique_ptr<PointNode> &user) {
    return llvm::is_contained(user->operands, node) && !sameNest(node, user.get());
  });
}

} // namespace adjc::scan
