#include "Placer.h"

using namespace mlir;

namespace adjc {

/// What lies in another value by its nature: parts of a split, arguments of loops, cotangents in the place of logits.
LogicalResult Placer::linkViews() {
  for (Operation *op : operations) {
    if (auto split = dyn_cast<ssm::SplitOp>(op)) {
      uint64_t offset = 0;
      for (Value part : split.getParts()) {
        link(part, split.getX(), offset);
        auto type = cast<RankedTensorType>(part.getType());
        offset += static_cast<uint64_t>(type.getShape().back()) * elementBytes(type.getElementType());
      }
    } else if (auto reshape = dyn_cast<ssm::ReshapeOp>(op)) {
      link(reshape.getResult(), reshape.getX());
    } else if (auto mini = dyn_cast<adj::MiniSequencesOp>(op)) {
      for (auto [argument, operand] : llvm::zip(mini.getBody().getArguments(), mini.getOperands()))
        link(argument, operand, 0, /*rowOfMini=*/true);
    } else if (auto repeat = dyn_cast<ssm::RepeatOp>(op)) {
      for (auto [argument, final] : llvm::zip(repeat.getCarriedArgs(), repeat.getFinals()))
        link(argument, final);
      for (auto [argument, stacked] : llvm::zip(repeat.getSliceArgs(), repeat.getSlices())) {
        auto source = stacked.getDefiningOp<ssm::RepeatOp>();
        if (!source || llvm::is_contained(source.getFinals(), stacked) || source.getCount() != repeat.getCount())
          return repeat.emitError("slices must be what another stack of as many layers saved");
        link(argument, stacked);
      }
    } else if (auto prefetch = dyn_cast<adj::PrefetchOp>(op)) {
      link(prefetch.getResult(), prefetch.getOffload().getRing());
    } else if (auto dispatch = dyn_cast<adj::DispatchOp>(op)) {
      adj::KernelOp kernel = kernelOf(dispatch);
      if (!kernel)
        return dispatch.emitError("names no adj.kernel: @") << dispatch.getKernel();
      // The kernel yields (losses, cotangents); either may be dropped when unused.
      for (auto entropy : kernel.getBody().getOps<adj::CrossEntropyOp>()) {
        auto yield = cast<adj::YieldOp>(kernel.getBody().front().getTerminator());
        auto logits = cast<BlockArgument>(entropy.getLogits()).getArgNumber();
        for (auto [yielded, result] : llvm::zip(yield.getOperands(), dispatch.getResults())) {
          if (yielded == entropy.getLosses())
            losses.insert(result);
          else if (yielded.getType() == entropy.getLogits().getType())
            link(result, dispatch.getInputs()[logits]);
        }
      }
    }
  }
  return success();
}

/// What is computed straight into where it is wanted: a carry handed over, a part of a whole, rows of a result.
LogicalResult Placer::linkResults() {
  for (Operation *op : operations) {
    auto here = [&](Value value) { return isFree(value) && value.getDefiningOp()->getBlock() == op->getBlock(); };
    if (auto handOver = dyn_cast<adj::HandOverOp>(op)) {
      if (here(handOver.getValue()))
        handedOver[handOver.getValue()] = handOver;
      else
        wanted.push_back({{op, nullptr, handOver.getValue(), {}}, {}, 0, handOver});
    } else if (auto refresh = dyn_cast<adj::RefreshOp>(op)) {
      if (!here(refresh.getValue()) || !memory.workingCopies.find(refresh.getParameter()))
        return op->emitError("refreshes a working copy that nothing reads, or with what is not computed beside it");
      refreshed[refresh.getValue()] = refresh.getParameter();
    } else if (auto write = dyn_cast<adj::WriteRowsOp>(op)) {
      Value result = op->getParentOp()->getResult(write.getResult());
      if (here(write.getValue()))
        link(write.getValue(), result, 0, /*rowOfMini=*/true);
      else
        return op->emitError("a mini-sequence's result must be computed in it");
    }
  }
  for (Operation *op : operations) {
    auto concat = dyn_cast<ssm::ConcatOp>(op);
    if (!concat)
      continue;
    uint64_t offset = 0;
    for (Value part : concat.getParts()) {
      // What a part is another shape of is computed in its place.
      Value made = part;
      while (auto reshape = made.getDefiningOp<ssm::ReshapeOp>())
        made = reshape.getX();
      if (isFree(made) && made.getDefiningOp()->getBlock() == op->getBlock())
        link(made, concat.getResult(), offset);
      else
        wanted.push_back({{op, nullptr, part, {}}, concat.getResult(), offset, {}});
      auto type = cast<RankedTensorType>(part.getType());
      offset += static_cast<uint64_t>(type.getShape().back()) * elementBytes(type.getElementType());
    }
  }
  return success();
}

LogicalResult Placer::linkLoops() {
  for (Operation *op : operations)
    if (auto repeat = dyn_cast<ssm::RepeatOp>(op))
      linkStacked(repeat);
  for (Operation *op : operations)
    if (auto repeat = dyn_cast<ssm::RepeatOp>(op)) {
      if (failed(linkNext(repeat)))
        return failure();
      linkInits(repeat);
    }
  return success();
}

/// What a layer keeps for its adjoint: its producer writes straight into the tape, and a carry or parameter is its own
/// tape.
void Placer::linkStacked(ssm::RepeatOp repeat) {
  Block *body = &repeat.getBody().front();
  auto yielded = body->getTerminator()->getOperands().drop_front(repeat.getInits().size());
  for (auto [stacked, value] : llvm::zip(repeat.getStacked(), yielded)) {
    if (auto offload = value.getDefiningOp<adj::OffloadOp>()) {
      linkOffload(offload);
      tape[value] = repeat;
      link(stacked, value);
      continue;
    }
    Value root = rootOf(value).value;
    Operation *producer = root.getDefiningOp();
    bool inBody = producer && producer->getBlock() == body;
    if (inBody && isa<adj::CarriedOp, ssm::ParameterOp>(producer)) {
      link(stacked, value);
    } else if (inBody && (isComputed(root) || isa<ssm::ConcatOp, adj::MiniSequencesOp>(producer)) &&
               !handedOver.contains(root) && !losses.contains(root)) {
      tape[root] = repeat;
      link(stacked, value);
    } else {
      tape[stacked] = repeat;
      // The carried value's place is overwritten in the course of the body.
      bool carried = llvm::is_contained(repeat.getFinals(), root);
      wanted.push_back(
          {{carried ? nullptr : body->getTerminator(), carried ? body : nullptr, value, {}}, stacked, 0, {}});
    }
  }
}

/// What is sent to the host is computed in its ring.
void Placer::linkOffload(adj::OffloadOp offload) {
  auto repeat = cast<ssm::RepeatOp>(offload->getParentOp());
  Value value = offload.getValue();
  Root root = rootOf(value);
  Operation *producer = root.value.getDefiningOp();
  bool here =
      producer && producer->getBlock() == offload->getBlock() &&
      (isFree(root.value) || (isa<ssm::ConcatOp, adj::MiniSequencesOp>(producer) && !tape.contains(root.value)));
  if (here && root.offset == 0 && root.value.getType() == value.getType()) {
    link(root.value, offload.getRing());
    return;
  }
  bool carried = llvm::is_contained(repeat.getFinals(), root.value);
  wanted.push_back({{carried ? nullptr : offload.getOperation(), carried ? offload->getBlock() : nullptr, value, {}},
                    offload.getRing(),
                    0,
                    {}});
}

/// Whether nothing that lies in `root`'s memory is needed in `op`'s block after `op`.
bool Placer::deadAfter(Value root, Operation *op) const {
  for (Value member : membersOf(root))
    for (OpOperand &use : member.getUses()) {
      if (member.getParentBlock() != op->getBlock())
        break; // what the loop started from, or leaves behind
      if (isa<ssm::YieldOp>(use.getOwner()) && use.getOwner()->getBlock() == op->getBlock())
        continue; // what is stacked is copied at the body's start; carried on are only other values (linkNext)
      if (usePosition(use, op->getBlock()) > plan.firstPosition.lookup(op))
        return false;
    }
  return true;
}

/// The next carried value takes the place of the carried one as soon as that is not needed any more.
LogicalResult Placer::linkNext(ssm::RepeatOp repeat) {
  Operation *yield = repeat.getBody().front().getTerminator();
  for (unsigned i = 0; i < repeat.getInits().size(); ++i) {
    Value next = yield->getOperand(i), argument = repeat.getCarriedArgs()[i], final = repeat.getFinals()[i];
    if (rootOf(next).value == final && rootOf(next).offset == 0)
      continue;
    if (llvm::is_contained(repeat.getFinals(), rootOf(next).value))
      return repeat.emitError("a carried value that is handed on as another carried value is not built yet");
    Operation *producer = next.getDefiningOp();
    bool replaces = isFree(next) && producer->getBlock() == yield->getBlock() && next.getType() == argument.getType() &&
                    deadAfter(final, producer);
    // An operand of the producer itself: only one, and only when each element is read before it is written.
    unsigned overwritten = 0;
    if (replaces)
      for (OpOperand &operand : producer->getOpOperands()) {
        Root root = rootOf(operand.get());
        auto dispatch = dyn_cast<adj::DispatchOp>(producer);
        if (root.value == final &&
            (++overwritten > 1 || root.offset != 0 || !dispatch || operand.get().getType() != next.getType() ||
             !canRunInPlace(kernelOf(dispatch), operand.getOperandNumber(), cast<OpResult>(next).getResultNumber())))
          replaces = false;
      }
    if (replaces)
      link(next, final);
    else
      wanted.push_back({{yield, nullptr, next, {}}, final, 0, {}});
  }
  return success();
}

void Placer::linkInits(ssm::RepeatOp repeat) {
  for (auto [init, final] : llvm::zip(repeat.getInits(), repeat.getFinals())) {
    bool lends = isFree(init) || (isa_and_nonnull<adj::MiniSequencesOp, ssm::RepeatOp>(init.getDefiningOp()) &&
                                  !aliases.contains(init) && !tape.contains(init));
    lends = lends && init.getDefiningOp()->getBlock() == repeat->getBlock();
    for (Value member : membersOf(init))
      if (lends && member.getParentBlock() == repeat->getBlock())
        for (OpOperand &use : member.getUses())
          if (use.getOwner() != repeat && usePosition(use, repeat->getBlock()) > plan.firstPosition.lookup(repeat))
            lends = false;
    // One value may start only one of the carried values in its own place.
    lends = lends && llvm::count(repeat.getInits(), init) == 1 && !llvm::is_contained(repeat.getSlices(), init);
    if (lends)
      link(init, final);
    else
      wanted.push_back({{repeat, nullptr, init, {}}, final, 0, {}});
  }
}

/// An elementwise kernel writes over an operand that nothing else needs.
void Placer::linkInPlace() {
  for (Operation *op : operations) {
    auto dispatch = dyn_cast<adj::DispatchOp>(op);
    if (!dispatch || dispatch.getAccumulateInto())
      continue;
    adj::KernelOp kernel = kernelOf(dispatch);
    llvm::DenseSet<Value> overwritten;
    for (OpResult result : dispatch.getResults()) {
      if (!isFree(result))
        continue;
      for (OpOperand &operand : op->getOpOperands()) {
        Value input = operand.get();
        Root root = rootOf(input);
        bool plain = isComputed(root.value) && root.offset == 0 && !handedOver.contains(root.value) &&
                     !tape.contains(root.value) && !losses.contains(root.value) && !overwritten.contains(root.value) &&
                     input.getType() == result.getType() && root.value.getType() == result.getType() &&
                     root.value.getParentBlock() == op->getBlock();
        if (!plain || !canRunInPlace(kernel, operand.getOperandNumber(), result.getResultNumber()))
          continue;
        SmallVector<Value> members = membersOf(root.value);
        bool alone = llvm::all_of(members, [&](Value member) { return member.getParentBlock() == op->getBlock(); }) &&
                     llvm::none_of(op->getOpOperands(), [&](OpOperand &other) {
                       return &other != &operand && rootOf(other.get()).value == root.value;
                     });
        // A value that is yielded is needed until the end of the body.
        bool yielded = llvm::any_of(members, [](Value member) {
          return llvm::any_of(member.getUsers(), [](Operation *user) { return isa<ssm::YieldOp>(user); });
        });
        if (!alone || yielded || !deadAfter(root.value, op))
          continue;
        link(result, input);
        overwritten.insert(root.value);
        break;
      }
    }
  }
}

} // namespace adjc
