//===- ProgramCost.cpp - the commands of a module's programs, counted -------------------------------------------===//
#include "adjc/Plan/Cost/ProgramCost.h"

#include "adjc/Kernels/Emitters.h"
#include "adjc/Plan/MemoryPlan.h"
#include "mlir/IR/SymbolTable.h"
#include "ssm/SsmOps.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace adjc {

namespace {

/// Where a command stands: how often it runs.
void setLoops(CommandWork &command, Operation *op) {
  if (op->getParentOfType<adj::MiniSequencesOp>())
    command.inMini = true;
  if (auto repeat = op->getParentOfType<ssm::RepeatOp>()) {
    command.layers = static_cast<int64_t>(repeat.getCount());
    command.stack = repeat;
  }
}

class Counter {
public:
  Counter(ModuleOp module, KernelTarget target) : symbols(module), target(target) {}

  FailureOr<ProgramWork> count(adj::ProgramOp program) {
    ProgramWork work;
    work.name = program.getSymName().str();
    WalkResult walk = program.walk([&](Operation *op) {
      if (auto dispatch = dyn_cast<adj::DispatchOp>(op))
        return failed(add(work, dispatch)) ? WalkResult::interrupt() : WalkResult::advance();
      if (auto gemm = dyn_cast<adj::GemmOp>(op)) {
        CommandWork command{"gemm", "gemm", op, countProduct(gemm)};
        setLoops(command, op);
        work.commands.push_back(std::move(command));
      }
      if (isa<adj::OffloadOp, adj::PrefetchOp>(op)) {
        StringRef name = op->getName().stripDialect();
        CommandWork command{name.str(), name.str(), op,
                            countTransfer(cast<RankedTensorType>(op->getResult(0).getType()))};
        setLoops(command, op);
        work.commands.push_back(std::move(command));
      }
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return failure();
    return work;
  }

private:
  struct Kernel {
    std::string op;
    std::vector<LaunchWork> launches;
  };

  LogicalResult add(ProgramWork &work, adj::DispatchOp dispatch) {
    FailureOr<const Kernel *> kernel = find(dispatch.getKernel());
    if (failed(kernel))
      return failure();
    for (const LaunchWork &launch : (*kernel)->launches) {
      CommandWork command{dispatch.getKernel().str() + launch.suffix, (*kernel)->op, dispatch, launch.work};
      setLoops(command, dispatch);
      work.commands.push_back(std::move(command));
    }
    return success();
  }

  FailureOr<const Kernel *> find(StringRef name) {
    auto found = kernels.find(name);
    if (found != kernels.end())
      return &found->second;
    auto kernel = symbols.lookup<adj::KernelOp>(name);
    FailureOr<std::vector<LaunchWork>> launches = countKernel(kernel, target);
    FailureOr<Operation *> computation = getComputation(kernel);
    if (failed(launches) || failed(computation))
      return failure();
    Kernel entry{(*computation)->getName().getStringRef().str(), std::move(*launches)};
    return &kernels.try_emplace(name, std::move(entry)).first->second;
  }

  SymbolTable symbols;
  KernelTarget target;
  llvm::StringMap<Kernel> kernels;
};

/// Calls `body(sizes, times)` for what a run goes through: the shard, or its full mini-sequences and the last one.
template <typename Body>
void forSizes(const CommandWork &command, int64_t batch, int64_t tokens, int64_t miniSequence, Body body) {
  int64_t rows = batch * tokens;
  auto layers = static_cast<double>(command.layers);
  if (!command.inMini)
    return body(ShardSizes{batch, tokens, rows}, layers);
  int64_t full = rows / miniSequence, rest = rows % miniSequence;
  if (full > 0)
    body(ShardSizes{batch, tokens, miniSequence}, layers * static_cast<double>(full));
  if (rest > 0)
    body(ShardSizes{batch, tokens, rest}, layers);
}

} // namespace

FailureOr<std::vector<ProgramWork>> countPrograms(ModuleOp module, KernelTarget target) {
  Counter counter(module, target);
  std::vector<ProgramWork> programs;
  for (auto program : module.getOps<adj::ProgramOp>()) {
    FailureOr<ProgramWork> work = counter.count(program);
    if (failed(work))
      return failure();
    programs.push_back(std::move(*work));
  }
  return programs;
}

void addCopies(ProgramWork &work, const ProgramPlan &plan) {
  for (const PlannedCopy &copy : plan.copies) {
    // The same place: ApplyPlan leaves it out.
    Place source = plan.places.lookup(copy.source);
    if (source.storage == copy.destination.storage && source.offset == copy.destination.offset)
      continue;
    Operation *at = copy.before ? copy.before : &copy.atStart->front();
    CommandWork command{"copy", "copy", at, countCopy(cast<RankedTensorType>(copy.source.getType()))};
    setLoops(command, at);
    work.commands.push_back(std::move(command));
  }
}

void SecondsBy::add(const SecondsBy &other, double times) {
  for (auto &[name, seconds] : other.op)
    op[name] += times * seconds;
  for (unsigned i = 0; i < kWorkKinds; ++i) {
    kind[i] += times * other.kind[i];
    bytes[i] += times * other.bytes[i];
    flops[i] += times * other.flops[i];
  }
  total += times * other.total;
}

double secondsOfCommand(const CommandWork &command, const Machine &machine, int64_t batch, int64_t tokens,
                        int64_t miniSequence) {
  double seconds = 0;
  forSizes(command, batch, tokens, miniSequence,
           [&](const ShardSizes &sizes, double times) { seconds += times * machine.secondsOf(command.work, sizes); });
  return seconds;
}

namespace {

/// Seconds of a stack of layers: of its commands, and of the transfers beside them, each way.
struct StackSeconds {
  double commands = 0, toHost = 0, toDevice = 0;
  double waiting() const { return std::max(0.0, std::max(toHost, toDevice) - commands); }
};

using Stacks = llvm::SmallMapVector<Operation *, StackSeconds, 2>;

void addTo(Stacks &stacks, const CommandWork &command, double seconds) {
  StackSeconds &stack = stacks[command.stack];
  (command.work.kind != WorkKind::Transfer ? stack.commands
   : command.op == "offload"               ? stack.toHost
                                           : stack.toDevice) += seconds;
}

} // namespace

double ProgramWork::secondsOf(const Machine &machine, int64_t batch, int64_t tokens, int64_t miniSequence) const {
  Stacks stacks;
  for (const CommandWork &command : commands)
    addTo(stacks, command, secondsOfCommand(command, machine, batch, tokens, miniSequence));
  double seconds = machine.program;
  for (auto &[stack, of] : stacks)
    seconds += of.commands + of.waiting();
  return seconds;
}

SecondsBy ProgramWork::secondsBy(const Machine &machine, int64_t batch, int64_t tokens, int64_t miniSequence) const {
  SecondsBy by;
  Stacks stacks;
  for (const CommandWork &command : commands) {
    auto kind = static_cast<unsigned>(command.work.kind);
    forSizes(command, batch, tokens, miniSequence, [&](const ShardSizes &sizes, double times) {
      double seconds = times * machine.secondsOf(command.work, sizes);
      addTo(stacks, command, seconds);
      by.bytes[kind] +=
          times * (command.work.read.at(sizes) + command.work.written.at(sizes) + command.work.moved.at(sizes));
      by.flops[kind] += times * command.work.products.at(sizes);
      if (command.work.kind == WorkKind::Transfer)
        return;
      by.op[command.op] += seconds;
      by.kind[kind] += seconds;
    });
  }
  by.total = machine.program;
  for (auto &[stack, of] : stacks) {
    by.total += of.commands + of.waiting();
    if (of.waiting() > 0) {
      by.op["transfer"] += of.waiting();
      by.kind[static_cast<unsigned>(WorkKind::Transfer)] += of.waiting();
    }
  }
  return by;
}

} // namespace adjc
