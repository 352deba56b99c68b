//===- ScanWork.cpp - what a recurrence computes, launch by launch ----------------------------------------------===//
#include "adjc/Plan/Cost/Work.h"
#include "ssm/ScanDimensions.h"
#include "ssm/ScanVerifier.h"
#include "ssm/SsmOps.h"

#include <map>

using namespace mlir;

namespace adjc {

namespace {

/// Times that a GPU's adjoint runs the step region over a tile: once to find the states of its quarters, once again for
/// each quarter (docs/gpu.md). The CPU keeps what is costly.
constexpr double kGpuRecomputations = 2;
/// Floats per state and chunk that the first launch leaves: its last state and the product of its transitions.
constexpr double kChunkFloats = 2;

struct ScanAmounts {
  Quantity exponentials, operations;
  ScanAmounts &operator+=(const ScanAmounts &other) {
    exponentials += other.exponentials;
    operations += other.operations;
    return *this;
  }
  ScanAmounts scaled(double factor) const { return {exponentials * factor, operations * factor}; }
};

/// Counts the points at which a recurrence computes each of its operations: an operation is computed once for every
/// point of the dimensions that its result varies over.
template <typename Scan> class ScanCounter {
public:
  ScanCounter(adj::KernelOp kernel, Scan scan) : kernel(kernel), scan(scan), space(ssm::getSpace(scan)), varying(scan) {
    if constexpr (std::is_same_v<Scan, ssm::ScanOp>) {
      sizes = scan.getDimSizes();
    } else {
      SmallVector<Type> types(scan.getInputs().getTypes());
      llvm::append_range(types, scan.getCotangents().getTypes());
      sizes = ssm::computeDimSizes(space, scan.getIndexingMaps(), types);
    }
    stateParts = isa<ComplexType>(scan.getStateType()) ? 2 : 1;
  }

  Quantity points(const ssm::DimensionSet &dims) const {
    double factor = 1;
    SmallVector<DimensionCount> counts;
    for (unsigned dim : dims.set_bits())
      if (dim == ssm::kBatchDim)
        counts.push_back({DimensionCount::Unit::Batch, 1});
      else if (dim == ssm::kTokenDim)
        counts.push_back({DimensionCount::Unit::Tokens, 1});
      else
        factor *= static_cast<double>(sizes[dim]);
    Quantity quantity;
    quantity.add(factor, counts);
    return quantity;
  }

  /// Elements of a state, per sequence.
  double stateFloats() const {
    double floats = stateParts;
    for (int64_t dim : space.state)
      floats *= static_cast<double>(sizes[dim]);
    return floats;
  }

  /// h = a h + u, or a product of transitions: `terms` multiplications and additions for each element of the state.
  ScanAmounts stateUpdate(double terms) const {
    ssm::DimensionSet dims = space.ofState();
    if (space.contracted)
      dims.set(*space.contracted);
    return {{}, points(dims) * (terms * (stateParts == 2 ? 4 : 1))};
  }

  /// What the yielded `roots` of a region need and was not counted by this counter before. Marks the arguments of the
  /// region that they read.
  ScanAmounts slice(Region &region, ArrayRef<unsigned> roots, llvm::SmallBitVector &arguments) {
    Operation *terminator = region.front().getTerminator();
    llvm::SmallPtrSet<Operation *, 32> needed;
    SmallVector<Value> work;
    for (unsigned root : roots)
      work.push_back(terminator->getOperand(root));
    arguments.resize(std::max<unsigned>(arguments.size(), region.getNumArguments()));
    while (!work.empty()) {
      Value value = work.pop_back_val();
      if (auto argument = dyn_cast<BlockArgument>(value))
        arguments.set(argument.getArgNumber());
      else if (needed.insert(value.getDefiningOp()).second)
        llvm::append_range(work, value.getDefiningOp()->getOperands());
    }
    ScanAmounts amounts;
    for (Operation &op : region.front())
      if (needed.contains(&op) && isNew(op))
        amounts += amountOf(op);
    return amounts;
  }

  /// The arguments of a region that stand for the same value in both regions of an adjoint get the same number.
  void shareArguments(Region &region, ArrayRef<unsigned> names) {
    for (auto [argument, name] : llvm::zip(region.getArguments(), names))
      numbers[argument] = name;
  }

  bool isWritten(Value result) {
    return result && llvm::is_contained(kernel.getBody().front().getTerminator()->getOperands(), result);
  }

  adj::KernelOp kernel;
  Scan scan;
  ssm::ScanSpace space;
  ssm::ScanDimensions varying;
  SmallVector<int64_t> sizes;
  int64_t stateParts = 1;

private:
  ScanAmounts amountOf(Operation &op) const {
    ScanAmounts amounts;
    if (op.getNumResults() != 1)
      return amounts;
    if (auto sum = dyn_cast<ssm::SumOp>(op))
      return {{}, points(varying.get(sum->getOperand(0)))};
    ScalarWork scalar = countScalar(&op);
    Quantity at = points(varying.get(op.getResult(0)));
    amounts.exponentials = at * scalar.exponentials;
    amounts.operations = at * scalar.operations;
    return amounts;
  }

  /// Value numbering: false for what an equal operation has computed.
  bool isNew(Operation &op) {
    std::pair<std::string, SmallVector<unsigned>> key;
    llvm::raw_string_ostream(key.first) << op.getName() << " " << op.getAttrDictionary();
    for (Value operand : op.getOperands())
      key.second.push_back(numberOf(operand));
    auto [slot, inserted] =
        known.try_emplace(std::pair(key.first, std::vector<unsigned>(key.second.begin(), key.second.end())), next);
    next += inserted;
    if (op.getNumResults() == 1)
      numbers[op.getResult(0)] = slot->second;
    return inserted;
  }

  unsigned numberOf(Value value) {
    auto [slot, inserted] = numbers.try_emplace(value, next);
    next += inserted;
    return slot->second;
  }

  DenseMap<Value, unsigned> numbers;
  std::map<std::pair<std::string, std::vector<unsigned>>, unsigned> known;
  unsigned next = 1 << 16; ///< numbers below are those of shared arguments
};

Quantity tensorBytes(Value value) { return Quantity::bytesOf(cast<RankedTensorType>(value.getType())); }

void addAmounts(Work &work, const ScanAmounts &amounts) {
  work.exponentials += amounts.exponentials;
  work.operations += amounts.operations;
}

/// Bytes of `floats` per sequence and chunk of `tokens`.
Quantity chunkBytes(double floats, int64_t tokens) {
  Quantity quantity;
  quantity.add(4 * floats,
               {{DimensionCount::Unit::Batch, 1}, {DimensionCount::Unit::Tokens, std::max<int64_t>(1, tokens)}});
  return quantity;
}

template <typename Values> void addReads(Work &work, const llvm::SmallBitVector &read, Values operands) {
  for (auto [number, operand] : llvm::enumerate(operands))
    if (number < read.size() && read.test(number))
      work.read += tensorBytes(operand);
}

void countForward(adj::KernelOp kernel, ssm::ScanOp scan, const KernelLaunches &launches,
                  MutableArrayRef<LaunchWork> list) {
  double floats = ScanCounter<ssm::ScanOp>(kernel, scan).stateFloats();
  for (LaunchWork &launch : list) {
    Work &work = launch.work;
    work.kind = WorkKind::Scan;
    // What a launch has computed the next one computes again.
    ScanCounter<ssm::ScanOp> counter(kernel, scan);
    llvm::SmallBitVector read;
    auto chunked = [&](double count) { return chunkBytes(count * floats, launches.workspaceTokens); };
    if (launch.suffix == "_carry") {
      work.read = chunked(kChunkFloats);
      work.written = chunked(1);
      continue;
    }
    addAmounts(work, counter.slice(scan.getStep(), {0, 1}, read));
    addAmounts(work, counter.stateUpdate(launch.suffix == "_states" ? 3 : 2));
    if (launch.suffix == "_states") {
      work.written = chunked(kChunkFloats);
    } else {
      SmallVector<unsigned> outputs;
      for (auto [number, output] : llvm::enumerate(scan.getOutputs()))
        if (counter.isWritten(output))
          outputs.push_back(static_cast<unsigned>(number));
      addAmounts(work, counter.slice(scan.getRead(), outputs, read));
      for (Value result : scan->getResults())
        if (counter.isWritten(result))
          work.written += tensorBytes(result);
      if (launch.suffix == "_outputs")
        work.read += chunked(1);
    }
    addReads(work, read, scan.getInputs());
  }
}

void countAdjoint(adj::KernelOp kernel, adj::ScanAdjointOp scan, const KernelLaunches &launches,
                  MutableArrayRef<LaunchWork> list) {
  using Counter = ScanCounter<adj::ScanAdjointOp>;
  double floats = Counter(kernel, scan).stateFloats();
  bool tiled = launches.workspace > 0;
  unsigned inputs = static_cast<unsigned>(scan.getInputs().size());
  SmallVector<unsigned> stepNames = llvm::to_vector(llvm::seq<unsigned>(0, inputs)), names = stepNames;
  for (unsigned i = inputs, end = scan.getAdjoint().getNumArguments(); i < end; ++i)
    names.push_back(i);
  stepNames.push_back(scan.getAdjoint().getNumArguments() - 1); // the reset flag is the last argument of both

  // What the chunks leave beside their states: sums over their tokens.
  double sums = std::max<double>(0, static_cast<double>(launches.workspace) - kChunkFloats * floats);
  for (LaunchWork &launch : list) {
    Work &work = launch.work;
    work.kind = WorkKind::ScanAdjoint;
    auto chunked = [&](double count) { return chunkBytes(count, launches.workspaceTokens); };
    if (launch.suffix == "_carry") {
      work.read = chunked(kChunkFloats * floats);
      work.written = chunked(floats);
      continue;
    }
    if (launch.suffix == "_sums") {
      work.kind = WorkKind::Sum;
      work.read = chunked(sums);
      continue;
    }
    Counter counter(kernel, scan);
    counter.shareArguments(scan.getStep(), stepNames);
    counter.shareArguments(scan.getAdjoint(), names);
    llvm::SmallBitVector stepRead, read;
    if (launch.suffix == "_states") {
      addAmounts(work, counter.slice(scan.getStep(), {0}, stepRead));
      addAmounts(work, counter.slice(scan.getAdjoint(), {0}, read));
      addAmounts(work, counter.stateUpdate(3));
      work.written = chunked(kChunkFloats * floats);
    } else {
      ScanAmounts step = counter.slice(scan.getStep(), {0, 1}, stepRead);
      step += counter.stateUpdate(2);
      addAmounts(work, step.scaled(tiled ? kGpuRecomputations : 1));
      SmallVector<unsigned> roots{0};
      for (auto [number, result] : llvm::enumerate(scan.getInputCotangents()))
        if (counter.isWritten(result))
          roots.push_back(static_cast<unsigned>(number) + 1);
      addAmounts(work, counter.slice(scan.getAdjoint(), roots, read));
      for (Value result : scan->getResults())
        if (counter.isWritten(result))
          work.written += tensorBytes(result);
      work.read += tensorBytes(scan.getCheckpoints());
      if (tiled) {
        work.read += chunked(floats);
        work.written += chunked(sums);
      }
    }
    stepRead.resize(inputs);
    read |= stepRead;
    SmallVector<Value> operands(scan.getInputs());
    llvm::append_range(operands, scan.getCotangents());
    addReads(work, read, operands);
  }
}

} // namespace

void countScan(adj::KernelOp kernel, Operation *scan, const KernelLaunches &launches,
               MutableArrayRef<LaunchWork> work) {
  if (auto forward = dyn_cast<ssm::ScanOp>(scan))
    countForward(kernel, forward, launches, work);
  else
    countAdjoint(kernel, cast<adj::ScanAdjointOp>(scan), launches, work);
}

} // namespace adjc
