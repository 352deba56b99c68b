//===- ApplyPlan.cpp - programs on buffers ----------------------------------------------------------------------===//
#include "InPlaceKernels.h"
#include "adjc/Kernels/Emitters.h"
#include "adjc/Kernels/ShardShape.h"
#include "adjc/Plan/MemoryPlan.h"
#include "adjc/Plan/Sizes.h"
#include "ssm/SsmOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"

#include "llvm/ADT/StringSet.h"

#include <map>

using namespace mlir;

namespace adjc {

namespace {

/// Kernels for the row strides and shared buffers that dispatches really have: a kernel's first use gives it its
/// strides, others get copies.
class KernelVariants {
public:
  explicit KernelVariants(ModuleOp module) : symbols(module) {}

  /// `tied`: pairs of (input, output) in one buffer. `alignments`: empty where they are of no use.
  StringRef get(StringRef name, ArrayRef<int64_t> strides, ArrayRef<int64_t> alignments,
                ArrayRef<std::pair<unsigned, unsigned>> tied) {
    Key key{name.str(),
            {strides.begin(), strides.end()},
            {alignments.begin(), alignments.end()},
            {tied.begin(), tied.end()}};
    auto found = variants.find(key);
    if (found != variants.end())
      return found->second;
    auto kernel = symbols.lookup<adj::KernelOp>(name);
    // The unchanged kernel stays a template for other variants until `finish`.
    auto variant = cast<adj::KernelOp>(kernel->clone());
    bool first = used.insert(name).second;
    variant.setSymName(first ? (name + "$").str() : name.str());
    symbols.insert(variant, std::next(kernel->getIterator()));
    for (auto [input, output] : tied)
      if (canRunInPlace(variant, input, output))
        runInPlace(variant, input, output);
    variant.setRowStrides(strides);
    if (!alignments.empty())
      variant->setAttr(alignmentsAttribute, DenseI64ArrayAttr::get(variant.getContext(), alignments));
    if (first)
      firsts.push_back(variant);
    return variants.try_emplace(key, variant.getSymName().str()).first->second;
  }

  /// Erases the templates; the first variant of each takes its name.
  void finish(ModuleOp module) {
    llvm::DenseSet<Operation *> kept;
    for (auto &[key, name] : variants)
      kept.insert(symbols.lookup(name));
    for (auto kernel : llvm::make_early_inc_range(module.getOps<adj::KernelOp>()))
      if (!kept.contains(kernel))
        symbols.erase(kernel);
    llvm::StringMap<std::string> renamed;
    for (adj::KernelOp kernel : firsts) {
      std::string before = kernel.getSymName().str(), after = StringRef(before).drop_back().str();
      symbols.remove(kernel);
      kernel.setSymName(after);
      symbols.insert(kernel, kernel->getIterator());
      renamed[before] = after;
    }
    module.walk([&](adj::DispatchOp dispatch) {
      auto found = renamed.find(dispatch.getKernel());
      if (found != renamed.end())
        dispatch.setKernel(found->second);
    });
  }

private:
  using Key =
      std::tuple<std::string, std::vector<int64_t>, std::vector<int64_t>, std::vector<std::pair<unsigned, unsigned>>>;
  SymbolTable symbols;
  std::map<Key, std::string> variants;
  llvm::StringSet<> used;
  SmallVector<adj::KernelOp> firsts;
};

/// Writes one program anew.
class ProgramRewriter {
public:
  ProgramRewriter(const MemoryPlan &memory, const ProgramPlan &plan, KernelVariants &kernels)
      : memory(memory), plan(plan), kernels(kernels), buffers(adj::ProgramOp(plan.program).getContext()),
        b(buffers.getContext()) {}

  LogicalResult run();

private:
  LogicalResult emit(Block &block);
  LogicalResult emit(Operation *op);
  void emit(const PlannedCopy &copy);
  void copiesBefore(Operation *op);
  /// Waits for all transfers in one direction but the last `behind`, at the position of `op`.
  void await(Operation *op, bool toHost, uint64_t behind);
  void transfer(Value source, Value destination, bool toHost, IntegerAttr shift, Operation *op);
  void beforeLayers(ssm::RepeatOp repeat);
  void startLayer(ssm::RepeatOp repeat);
  Value buffer(const Place &place, RankedTensorType type, Location loc);
  Value buffer(Value value) {
    return buffer(plan.places.lookup(value), cast<RankedTensorType>(value.getType()), value.getLoc());
  }
  Value gradient(StringRef parameter, Location loc);
  int64_t alignmentOf(const Place &place) const;
  void command(Operation *op) { commands.push_back(plan.firstPosition.lookup(op)); }
  void setLifetimes();

  const MemoryPlan &memory;
  const ProgramPlan &plan;
  KernelVariants &kernels;
  OpBuilder buffers, b;
  std::map<std::tuple<unsigned, uint64_t, int64_t, uint64_t, const void *>, Value> made;
  llvm::StringMap<Value> gradients;
  SmallVector<std::pair<adj::BufferOp, unsigned>> ofStorage;
  SmallVector<int64_t> commands; ///< the position of each command
};

MemRefType memrefType(RankedTensorType type, int64_t rowStride) {
  if (rowStride == contiguousRowStride(type))
    return MemRefType::get(type.getShape(), type.getElementType());
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  unsigned rows = countLeadingDynamic(type.getShape());
  strides[rows - 1] = rowStride;
  int64_t stride = 1;
  for (int64_t dim = type.getRank() - 1; dim >= rows; stride *= type.getDimSize(dim--))
    strides[dim] = stride;
  return MemRefType::get(type.getShape(), type.getElementType(), StridedLayoutAttr::get(type.getContext(), 0, strides));
}

Value ProgramRewriter::buffer(const Place &place, RankedTensorType type, Location loc) {
  MemRefType memref = memrefType(type, place.rowStride);
  Value &known = made[{place.storage, place.offset, place.rowStride, place.rowBytes, memref.getAsOpaquePointer()}];
  if (known)
    return known;
  const Storage &storage = plan.storages[place.storage];
  if (storage.host)
    return known = adj::HostBufferOp::create(buffers, loc, memref, storage.name, storage.offset + place.offset,
                                             storage.size, storage.layerStride, static_cast<uint64_t>(storage.layers));
  auto op = adj::BufferOp::create(buffers, loc, memref, storage.name, storage.kind, storage.offset + place.offset,
                                  storage.size, storage.layerStride, place.rowBytes);
  op->setAttr("view", b.getI64IntegerAttr(place.offset));
  op->setAttr("layers", b.getI64IntegerAttr(storage.layers));
  if (storage.instances > 0)
    op->setAttr("instances", b.getI64IntegerAttr(storage.instances));
  ofStorage.push_back({op, place.storage});
  return known = op.getResult();
}

Value ProgramRewriter::gradient(StringRef parameter, Location loc) {
  Value &known = gradients[parameter];
  if (known)
    return known;
  const LayoutEntry *entry = memory.parameters.find(parameter);
  auto op = adj::BufferOp::create(buffers, loc, memrefType(entry->type, contiguousRowStride(entry->type)), entry->name,
                                  adj::BufferKind::Gradients, entry->offset, entry->bytes, entry->layerStride, 0);
  op->setAttr("view", b.getI64IntegerAttr(0));
  op->setAttr("layers", b.getI64IntegerAttr(entry->layers));
  return known = op.getResult();
}

/// Of the address of what lies there, in every layer and mini-sequence, as far as accesses can use it. Buffers and
/// layers begin at multiples of ADJ_ALIGNMENT, which is more.
int64_t ProgramRewriter::alignmentOf(const Place &place) const {
  uint64_t steps = widestAccess | plan.storages[place.storage].offset | place.offset | place.rowBytes;
  return static_cast<int64_t>(steps & -steps);
}

void ProgramRewriter::emit(const PlannedCopy &copy) {
  auto type = cast<RankedTensorType>(copy.source.getType());
  Place source = plan.places.lookup(copy.source);
  if (source.storage == copy.destination.storage && source.offset == copy.destination.offset)
    return;
  Location loc = copy.source.getLoc();
  auto op = adj::CopyOp::create(b, loc, buffer(source, type, loc), buffer(copy.destination, type, loc));
  // Blocks of tokens are counted per sequence: what is not simply rows is copied at its full size.
  auto blocks = dyn_cast_or_null<adj::BlocksAttr>(type.getEncoding());
  if (blocks && blocks.getUnit() != "mini")
    op->setAttr("whole", b.getUnitAttr());
  commands.push_back(copy.before ? plan.firstPosition.lookup(copy.before)
                                 : plan.firstPosition.lookup(copy.atStart->getParentOp()));
}

void ProgramRewriter::copiesBefore(Operation *op) {
  for (const PlannedCopy &copy : plan.copies)
    if (copy.before == op)
      emit(copy);
}

void ProgramRewriter::await(Operation *op, bool toHost, uint64_t behind) {
  adj::AwaitOp::create(b, op->getLoc(), toHost ? b.getUnitAttr() : UnitAttr(), b.getI64IntegerAttr(behind));
  command(op);
}

void ProgramRewriter::transfer(Value source, Value destination, bool toHost, IntegerAttr shift, Operation *op) {
  auto type = cast<RankedTensorType>(source.getType());
  auto created = adj::TransferOp::create(b, op->getLoc(), buffer(source), buffer(destination),
                                         toHost ? b.getUnitAttr() : UnitAttr(), shift);
  if (type.getEncoding()) // what is not simply rows is moved at its full size
    created->setAttr("whole", b.getUnitAttr());
  command(op);
}

/// All layers' values have arrived in host memory before any is fetched.
void ProgramRewriter::beforeLayers(ssm::RepeatOp repeat) {
  if (!repeat.getBody().getOps<adj::PrefetchOp>().empty())
    await(repeat, /*toHost=*/true, 0);
}

/// A ring has two places. Forward: the values of two layers before, whose places this layer takes, must have gone;
/// those of the layer before may still be on their way. Reverse: the next layer's are fetched, into the places of the
/// layer before this one; this layer's own must have arrived.
void ProgramRewriter::startLayer(ssm::RepeatOp repeat) {
  uint64_t sent = 0, fetched = 0;
  for ([[maybe_unused]] auto offload : repeat.getBody().getOps<adj::OffloadOp>())
    ++sent;
  if (sent > 0)
    await(repeat, /*toHost=*/true, sent);
  for (auto prefetch : repeat.getBody().getOps<adj::PrefetchOp>()) {
    transfer(prefetch.getOffload().getHost(), prefetch.getResult(), /*toHost=*/false, b.getI64IntegerAttr(-1), repeat);
    ++fetched;
  }
  if (fetched > 0)
    await(repeat, /*toHost=*/false, fetched);
}

LogicalResult ProgramRewriter::emit(Operation *op) {
  Location loc = op->getLoc();
  if (auto dispatch = dyn_cast<adj::DispatchOp>(op)) {
    SmallVector<Value> inputs, outs;
    SmallVector<int64_t> strides, alignments;
    SmallVector<std::pair<unsigned, unsigned>> tied;
    auto describe = [&](const Place &place) {
      strides.push_back(place.rowStride);
      // Threads of a GPU read many bytes at once where they may; the CPU's vectors need no alignment.
      if (memory.plan.gpu)
        alignments.push_back(alignmentOf(place));
    };
    for (Value input : dispatch.getInputs()) {
      inputs.push_back(buffer(input));
      describe(plan.places.lookup(input));
    }
    for (OpResult result : dispatch.getResults()) {
      Place place = plan.places.lookup(result);
      outs.push_back(buffer(result));
      describe(place);
      for (auto [i, input] : llvm::enumerate(dispatch.getInputs())) {
        Place other = plan.places.lookup(input);
        if (other.storage == place.storage && other.offset == place.offset && other.rowBytes == place.rowBytes)
          tied.push_back({static_cast<unsigned>(i), result.getResultNumber()});
      }
    }
    if (auto parameter = dispatch.getAccumulateInto()) {
      outs.push_back(gradient(*parameter, loc));
      strides.push_back(contiguousRowStride(memory.parameters.find(*parameter)->type));
      if (memory.plan.gpu)
        alignments.push_back(widestAccess);
    }
    auto kernel =
        FlatSymbolRefAttr::get(op->getContext(), kernels.get(dispatch.getKernel(), strides, alignments, tied));
    adj::DispatchOp::create(b, loc, TypeRange{}, kernel, inputs, outs, StringAttr());
    command(op);
  } else if (auto gemm = dyn_cast<adj::GemmOp>(op)) {
    bool accumulate = gemm.getAccumulateInto().has_value();
    Value c = accumulate ? gradient(*gemm.getAccumulateInto(), loc) : buffer(gemm.getResult());
    adj::GemmOp::create(b, loc, TypeRange{}, buffer(gemm.getA()), buffer(gemm.getB()), c, gemm.getTransposeAAttr(),
                        gemm.getTransposeBAttr(), accumulate ? b.getUnitAttr() : UnitAttr(), StringAttr());
    command(op);
  } else if (auto offload = dyn_cast<adj::OffloadOp>(op)) {
    transfer(offload.getRing(), offload.getHost(), /*toHost=*/true, IntegerAttr(), op);
  } else if (auto repeat = dyn_cast<ssm::RepeatOp>(op)) {
    beforeLayers(repeat);
    auto loop = ssm::RepeatOp::create(b, loc, TypeRange{}, repeat.getCountAttr(), ValueRange{}, ValueRange{},
                                      repeat.getReverseAttr());
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&loop.getBody());
    startLayer(repeat);
    if (failed(emit(repeat.getBody().front())))
      return failure();
    ssm::YieldOp::create(b, loc, ValueRange{});
  } else if (auto mini = dyn_cast<adj::MiniSequencesOp>(op)) {
    OperationState state(loc, adj::MiniSequencesOp::getOperationName());
    state.addAttribute("rows", b.getI64IntegerAttr(memory.plan.miniSequence));
    state.addRegion();
    Operation *loop = b.create(state);
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&loop->getRegion(0));
    if (failed(emit(mini.getBody().front())))
      return failure();
  }
  return success(); // everything else was a place, and now is a buffer
}

LogicalResult ProgramRewriter::emit(Block &block) {
  for (const PlannedCopy &copy : plan.copies)
    if (copy.atStart == &block)
      emit(copy);
  for (Operation &op : block) {
    copiesBefore(&op);
    if (failed(emit(&op)))
      return failure();
  }
  return success();
}

/// Lifetimes in commands, as the module file has them.
void ProgramRewriter::setLifetimes() {
  int64_t end = std::max<int64_t>(0, static_cast<int64_t>(commands.size()) - 1);
  auto all = b.getDenseI64ArrayAttr({0, end});
  for (auto [op, index] : ofStorage) {
    const Storage &storage = plan.storages[index];
    int64_t first = std::lower_bound(commands.begin(), commands.end(), storage.first) - commands.begin();
    int64_t last = std::upper_bound(commands.begin(), commands.end(), storage.last) - commands.begin() - 1;
    first = std::min(first, end);
    op->setAttr("lifetime", storage.staged ? all : b.getDenseI64ArrayAttr({first, std::clamp(last, first, end)}));
  }
  for (auto &entry : gradients)
    entry.second.getDefiningOp()->setAttr("lifetime", all);
}

LogicalResult ProgramRewriter::run() {
  adj::ProgramOp program = plan.program;
  auto fresh = std::make_unique<Block>();
  for (Value argument : program.getBody().getArguments())
    fresh->addArgument(argument.getType(), argument.getLoc());
  b.setInsertionPointToEnd(fresh.get());
  // All buffers come first.
  Block header;
  buffers.setInsertionPointToEnd(&header);
  LogicalResult emitted = emit(program.getBody().front());
  fresh->getOperations().splice(fresh->begin(), header.getOperations());
  if (failed(emitted))
    return failure();
  setLifetimes();
  Region &region = program.getBody();
  region.front().dropAllDefinedValueUses();
  region.getBlocks().clear();
  region.push_back(fresh.release());
  return success();
}

} // namespace

LogicalResult applyMemoryPlan(ModuleOp module, const MemoryPlan &memory) {
  WalkResult known = module.walk([&](Operation *op) {
    auto parameter = op->getAttrOfType<StringAttr>("accumulate_into");
    if (!parameter || memory.parameters.find(parameter))
      return WalkResult::advance();
    op->emitError("accumulates into '") << parameter.getValue() << "', which no ssm.parameter names";
    return WalkResult::interrupt();
  });
  if (known.wasInterrupted())
    return failure();
  // A recurrence's launches are laid out for the shard; the size of their workspace does not depend on it.
  if (memory.plan.gpu)
    for (auto kernel : module.getOps<adj::KernelOp>()) {
      FailureOr<Operation *> computation = getComputation(kernel);
      if (failed(computation))
        return failure();
      if (isa<ssm::ScanOp, adj::ScanAdjointOp>(*computation))
        setShardShape(kernel, {memory.plan.batch, memory.plan.shard});
    }
  KernelVariants kernels(module);
  for (const ProgramPlan &program : memory.programs)
    if (failed(ProgramRewriter(memory, program, kernels).run()))
      return failure();
  kernels.finish(module);
  return success();
}

} // namespace adjc
