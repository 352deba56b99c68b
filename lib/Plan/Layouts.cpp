#include "adjc/Plan/Layouts.h"

#include "adj/AdjOps.h"
#include "adjc/Plan/IntervalPacking.h"
#include "adjc/Plan/Sizes.h"
#include "ssm/SsmOps.h"

using namespace mlir;

namespace adjc {

LogicalResult Layout::add(Operation *op, StringRef name, RankedTensorType type, int64_t batch) {
  auto stack = op->getParentOfType<ssm::RepeatOp>();
  int64_t layers = stack ? static_cast<int64_t>(stack.getCount()) : 1;
  auto [slot, inserted] = byName.try_emplace(name, list.size());
  if (!inserted) {
    const LayoutEntry &known = list[slot->second];
    if (known.type != type || known.layers != layers)
      return op->emitError() << "'" << name << "' is " << type << " in a stack of " << layers << " here, but was "
                             << known.type << " in a stack of " << known.layers << " before";
    return success();
  }
  FailureOr<uint64_t> bytes = bytesOf(type, {batch, 1, batch});
  if (failed(bytes))
    return op->emitError() << "'" << name << "' is too large: " << type;
  LayoutEntry entry;
  entry.name = name.str();
  entry.type = type;
  entry.first = op;
  if (auto parameter = dyn_cast<ssm::ParameterOp>(op))
    entry.init = parameter.getInit();
  entry.layers = layers;
  entry.perLayer = static_cast<bool>(stack);
  entry.bytes = *bytes;
  list.push_back(std::move(entry));
  return success();
}

std::string LayoutEntry::nameOf(int64_t layer) const {
  constexpr StringLiteral placeholder = "{layer}";
  size_t at = StringRef(name).find(placeholder);
  if (at == StringRef::npos)
    return name;
  return name.substr(0, at) + std::to_string(layer) + name.substr(at + placeholder.size());
}

LogicalResult Layout::place() {
  llvm::DenseSet<Operation *> placedStacks;
  auto stackOf = [](const LayoutEntry &entry) -> Operation * { return entry.first->getParentOfType<ssm::RepeatOp>(); };
  for (LayoutEntry &entry : list) {
    Operation *stack = stackOf(entry);
    if (!stack) {
      entry.offset = total;
      total += alignUp(entry.bytes);
    } else if (placedStacks.insert(stack).second) {
      uint64_t stride = 0;
      for (LayoutEntry &member : list)
        if (stackOf(member) == stack) {
          member.offset = total + stride;
          stride += alignUp(member.bytes);
        }
      for (LayoutEntry &member : list)
        if (stackOf(member) == stack)
          member.layerStride = stride;
      uint64_t all = 0;
      if (__builtin_mul_overflow(stride, static_cast<uint64_t>(entry.layers), &all))
        return entry.first->emitError("this stack's tensors are larger than any memory");
      total += all;
    }
    if (total >> 63)
      return entry.first->emitError("the tensors up to this one are larger than any memory");
  }
  return success();
}

FailureOr<Layout> Layout::ofParameters(ModuleOp module) {
  Layout layout;
  WalkResult walk = module.walk([&](ssm::ParameterOp op) {
    auto type = cast<RankedTensorType>(op.getResult().getType());
    return failed(layout.add(op, op.getName(), type, 1)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (walk.wasInterrupted() || failed(layout.place()))
    return failure();
  return layout;
}

FailureOr<Layout> Layout::ofWorkingCopies(ModuleOp module) {
  Layout layout;
  WalkResult walk = module.walk([&](adj::WorkingCopyOp op) {
    auto type = cast<RankedTensorType>(op.getResult().getType());
    Operation *parameter = op.getParameter().getDefiningOp();
    return failed(layout.add(parameter, op.getName(), type, 1)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (walk.wasInterrupted() || failed(layout.place()))
    return failure();
  return layout;
}

FailureOr<Layout> Layout::ofCarries(ModuleOp module, int64_t batch) {
  Layout layout;
  WalkResult walk = module.walk([&](Operation *op) {
    LogicalResult added = success();
    if (auto carried = dyn_cast<adj::CarriedOp>(op))
      added = layout.add(op, carried.getName(), cast<RankedTensorType>(carried.getResult().getType()), batch);
    else if (auto handOver = dyn_cast<adj::HandOverOp>(op))
      added = layout.add(op, handOver.getName(), cast<RankedTensorType>(handOver.getValue().getType()), batch);
    return failed(added) ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (walk.wasInterrupted() || failed(layout.place()))
    return failure();
  return layout;
}

const LayoutEntry *Layout::find(StringRef name) const {
  auto found = byName.find(name);
  return found == byName.end() ? nullptr : &list[found->second];
}

} // namespace adjc
