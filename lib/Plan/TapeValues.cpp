#include "adjc/Plan/TapeValues.h"

#include "adj/AdjOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace adjc {

bool mayRunAgain(Operation *op) {
  // What the shard before handed over stays until the gradient is done.
  if (isa<adj::CarriedOp>(op))
    return true;
  if (auto mini = dyn_cast<adj::MiniSequencesOp>(op))
    return llvm::all_of(mini.getBody().getOps(),
                        [](Operation &inner) { return isa<adj::WriteRowsOp>(inner) || mayRunAgain(&inner); });
  return isMemoryEffectFree(op);
}

bool isShardSize(Operation *op) {
  auto dim = dyn_cast<tensor::DimOp>(op);
  if (!dim)
    return false;
  auto type = cast<RankedTensorType>(dim.getSource().getType());
  return !type.getEncoding() && dim.getConstantIndex() && *dim.getConstantIndex() < 2 &&
         countLeadingDynamic(type.getShape()) == 2;
}

namespace {

/// What `op` reads, its regions included.
void forEachRead(Operation *op, llvm::function_ref<void(Value)> visit) {
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (!isShardSize(inner) || operand == cast<tensor::DimOp>(inner).getIndex())
        visit(operand);
  });
}

/// Whether `value` can be computed again from block arguments, values from outside of the body and `tape`.
bool isRecomputable(Value value, const llvm::DenseSet<Value> &tape) {
  Operation *op = value.getDefiningOp();
  if (!op || !mayRunAgain(op))
    return false;
  bool possible = true;
  forEachRead(op, [&](Value read) {
    if (read.getParentBlock() == op->getBlock() && read.getDefiningOp() && !tape.contains(read))
      possible &= isRecomputable(read, tape);
  });
  return possible;
}

/// "backbone.layers.{layer}.mixer.in_proj.weight" -> "mixer.in_proj".
StringRef shortName(StringRef parameter) {
  StringRef name = parameter;
  if (size_t layer = name.find("{layer}."); layer != StringRef::npos)
    name = name.drop_front(layer + StringRef("{layer}.").size());
  if (!name.consume_back(".weight"))
    name.consume_back(".bias");
  return name;
}

/// The part that all names of parameters that `op` reads have in common, up to a dot: "mlp" of a block's three.
std::string commonName(Operation *op) {
  std::optional<StringRef> common;
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands()) {
      auto parameter = operand.getDefiningOp<ssm::ParameterOp>();
      if (!parameter)
        continue;
      StringRef name = shortName(parameter.getName());
      if (!common || *common == name) {
        common = name;
        continue;
      }
      size_t same = 0, dot = 0;
      for (; same < common->size() && same < name.size() && (*common)[same] == name[same]; ++same)
        if (name[same] == '.')
          dot = same;
      common = name.take_front(dot);
    }
  });
  return common.value_or("").str();
}

/// Who makes `value`, in the words of the spec where it has some.
std::string makerOf(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return "layer";
  if (auto carrying = dyn_cast<adj::CarryOpInterface>(op); carrying && !carrying.getCarryScope().empty())
    return carrying.getCarryScope().str();
  if (std::string name = commonName(op); !name.empty())
    return name;
  std::string kind = isa<linalg::LinalgOp>(op) ? "elementwise" : op->getName().stripDialect().str();
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.getType()); type && countLeadingDynamic(type.getShape()) > 0)
      return kind + " of " + makerOf(operand);
  return kind;
}

std::string nameOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return "layer input" +
           (argument.getArgNumber() == 0 ? std::string() : " " + std::to_string(argument.getArgNumber() + 1));
  auto blocks = dyn_cast_or_null<adj::BlocksAttr>(cast<RankedTensorType>(value.getType()).getEncoding());
  if (blocks && blocks.getUnit() == "tokens")
    return makerOf(value) + " checkpoints";
  unsigned number = cast<OpResult>(value).getResultNumber();
  return makerOf(value) + " output" + (number == 0 ? std::string() : " " + std::to_string(number + 1));
}

} // namespace

Tape Tape::of(ModuleOp module) {
  Tape tape;
  llvm::StringMap<unsigned> counts;
  module.walk([&](ssm::RepeatOp reverse) {
    for (Value slice : reverse.getSlices()) {
      auto stack = slice.getDefiningOp<ssm::RepeatOp>();
      if (!stack || llvm::is_contained(stack.getFinals(), slice))
        continue;
      TapeValue value;
      value.stack = stack;
      value.reverse = reverse;
      value.result = cast<OpResult>(slice).getResultNumber();
      value.type = cast<RankedTensorType>(value.value().getType());
      if (isa_and_nonnull<adj::CarriedOp, ssm::ParameterOp>(value.value().getDefiningOp()))
        continue;
      value.name = nameOf(value.value());
      if (unsigned count = ++counts[value.name]; count > 1)
        value.name += " (" + std::to_string(count) + ")";
      tape.list.push_back(std::move(value));
    }
  });
  for (TapeValue &value : tape.list) {
    llvm::DenseSet<Value> others;
    for (const TapeValue &other : tape.list)
      if (other.stack == value.stack)
        others.insert(other.value());
    value.recomputable = isRecomputable(value.value(), others);
  }
  return tape;
}

const TapeValue *Tape::find(StringRef name) const {
  for (const TapeValue &value : list)
    if (value.name == name)
      return &value;
  return nullptr;
}

SmallVector<ssm::RepeatOp> Tape::stacks() const {
  llvm::SetVector<ssm::RepeatOp> found;
  for (const TapeValue &value : list)
    found.insert(value.stack);
  return found.takeVector();
}

Recomputation Tape::recomputation(ssm::RepeatOp stack, const llvm::StringSet<> &dropped) const {
  Block *body = &stack.getBody().front();
  llvm::DenseSet<Value> kept;
  SmallVector<Value> again;
  for (const TapeValue &value : list) {
    if (value.stack != stack)
      continue;
    if (value.recomputable && dropped.contains(value.name))
      again.push_back(value.value());
    else
      kept.insert(value.value());
  }
  Recomputation result;
  std::function<void(Value)> need = [&](Value value) {
    if (value.getParentBlock() != body)
      return;
    Operation *op = value.getDefiningOp();
    if (!op || kept.contains(value)) {
      result.starts.insert(value);
      return;
    }
    if (result.operations.contains(op))
      return;
    forEachRead(op, need);
    result.operations.insert(op);
  };
  for (Value value : again)
    need(value);
  auto ordered = result.operations.takeVector();
  llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  result.operations.insert(ordered.begin(), ordered.end());
  return result;
}

int64_t Tape::bytesFreed(const llvm::StringSet<> &dropped, const ShardSizes &sizes) const {
  auto bytes = [&](RankedTensorType type, int64_t layers) {
    return static_cast<int64_t>(bytesOf(type, sizes).value_or(0)) * layers;
  };
  int64_t freed = 0;
  for (ssm::RepeatOp stack : stacks()) {
    Recomputation recomputation = this->recomputation(stack, dropped);
    auto count = static_cast<int64_t>(stack.getCount());
    for (const TapeValue &value : list) {
      if (value.stack != stack)
        continue;
      recomputation.starts.remove(value.value());
      if (value.recomputable && dropped.contains(value.name))
        freed += bytes(value.type, count);
    }
    for (Value start : recomputation.starts)
      freed -= bytes(cast<RankedTensorType>(start.getType()), count);
  }
  return freed;
}

} // namespace adjc
