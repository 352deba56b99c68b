//===- DropUnreached.cpp - ssm-drop-unreached: what a loss does not depend on ------------------------------------===//
#include "adjc/Expand/Passes.h"
#include "mlir/Transforms/RegionUtils.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/SetVector.h"

namespace adjc {
#define GEN_PASS_DEF_DROPUNREACHED
#include "adjc/Expand/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

/// The values that a model's loss depends on.
class Reaching {
public:
  explicit Reaching(ssm::ModelOp model) {
    add(model.getBody().front().getTerminator()->getOperands());
    while (!open.empty()) {
      Value value = open.pop_back_val();
      if (auto result = dyn_cast<OpResult>(value))
        visit(result);
      else if (auto repeat = dyn_cast<ssm::RepeatOp>(value.getParentBlock()->getParentOp()))
        visit(repeat, cast<BlockArgument>(value).getArgNumber());
    }
  }

  bool contains(Value value) const { return reaching.contains(value); }
  bool containsAny(Operation *op) const {
    return llvm::any_of(op->getResults(), [&](Value result) { return contains(result); });
  }

private:
  void add(ValueRange values) {
    for (Value value : values)
      if (reaching.insert(value).second)
        open.push_back(value);
  }

  void visit(OpResult result) {
    if (auto repeat = dyn_cast<ssm::RepeatOp>(result.getOwner())) {
      OperandRange next = repeat.getBody().front().getTerminator()->getOperands();
      add(next[result.getResultNumber()]);
      return add(next.drop_front(repeat.getInits().size())); // stacks
    }
    add(result.getOwner()->getOperands());
    llvm::SetVector<Value> above;
    getUsedValuesDefinedAbove(result.getOwner()->getRegions(), above);
    add(above.getArrayRef());
  }

  /// An argument of a stack's body: what the first layer starts from, and what a layer hands on to the next.
  void visit(ssm::RepeatOp repeat, unsigned argument) {
    add(repeat->getOperand(argument)); // carried values, then slices, in both lists
    if (argument < repeat.getInits().size())
      add(repeat.getBody().front().getTerminator()->getOperand(argument));
  }

  llvm::DenseSet<Value> reaching;
  SmallVector<Value> open;
};

struct DropUnreached : adjc::impl::DropUnreachedBase<DropUnreached> {
  void runOnOperation() override {
    for (auto model : getOperation().getOps<ssm::ModelOp>()) {
      Reaching reaching(model);
      WalkResult unread = model.walk([&](ssm::ParameterOp parameter) {
        if (reaching.contains(parameter))
          return WalkResult::advance();
        emitError(parameter.getLoc()) << "parameter '" << parameter.getName() << "' does not reach the loss; remove it";
        return WalkResult::interrupt();
      });
      if (unread.wasInterrupted())
        return signalPassFailure();
      drop(model.getBody().front(), reaching);
    }
  }

  /// What of a block does not reach the loss.
  void drop(Block &block, const Reaching &reaching) {
    SmallVector<Operation *> operations =
        llvm::map_to_vector(block.without_terminator(), [](Operation &op) { return &op; });
    for (Operation *op : llvm::reverse(operations)) {
      if (!reaching.containsAny(op)) {
        op->erase();
        ++numDropped;
        continue;
      }
      if (auto repeat = dyn_cast<ssm::RepeatOp>(op))
        dropCarried(repeat, reaching);
    }
  }

  /// What a stack does and carries without reaching the loss.
  void dropCarried(ssm::RepeatOp repeat, const Reaching &reaching) {
    Block &body = repeat.getBody().front();
    llvm::BitVector dead(body.getNumArguments());
    for (auto [number, argument] : llvm::enumerate(repeat.getCarriedArgs()))
      if (!reaching.contains(argument) && !reaching.contains(repeat.getResult(number)))
        dead.set(number);
    Operation *yield = body.getTerminator();
    for (int number = dead.find_last(); number >= 0; number = dead.find_prev(number))
      yield->eraseOperand(number);
    drop(body, reaching);
    if (dead.none())
      return;
    body.eraseArguments(dead);
    SmallVector<Value> inits;
    SmallVector<Type> types;
    for (auto [number, result] : llvm::enumerate(repeat.getResults())) {
      if (number < dead.size() && dead.test(number))
        continue;
      types.push_back(result.getType());
      if (number < repeat.getInits().size())
        inits.push_back(repeat.getInits()[number]);
    }
    OpBuilder b(repeat);
    auto pruned = ssm::RepeatOp::create(b, repeat.getLoc(), types, repeat.getCountAttr(), inits, repeat.getSlices(),
                                        repeat.getReverseAttr());
    pruned.getBody().takeBody(repeat.getBody());
    unsigned next = 0;
    for (auto [number, result] : llvm::enumerate(repeat.getResults()))
      if (number >= dead.size() || !dead.test(number))
        result.replaceAllUsesWith(pruned.getResult(next++));
    repeat.erase();
  }
};

} // namespace
