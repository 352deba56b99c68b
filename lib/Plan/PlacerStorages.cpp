#include "Placer.h"

#include "adjc/Plan/IntervalPacking.h"

#include "llvm/ADT/MapVector.h"
#include <limits>

using namespace mlir;

namespace adjc {

namespace {

/// Staged arrays by the number of the program's argument; losses come after.
constexpr StringLiteral kStaged[] = {"tokens", "targets", "resets", "loss_scale", "losses"};

uint64_t stagedOffset(const StagingOffsets &staging, unsigned index) {
  const uint64_t offsets[] = {staging.tokens, staging.targets, staging.resets, staging.lossScale, staging.losses};
  return offsets[index];
}

RankedTensorType ownedType(Value root, bool stacked) {
  auto type = cast<RankedTensorType>(root.getType());
  return stacked ? ssm::RepeatOp::getSliceType(type) : type;
}

/// Rows of a view are a constant distance apart only when the leading dimensions, and no others, are counted at run
/// time.
bool hasPlainRows(RankedTensorType type) {
  unsigned rows = countLeadingDynamic(type.getShape());
  return rows > 0 && llvm::none_of(type.getShape().drop_front(rows), ShapedType::isDynamic);
}

} // namespace

ShardSizes Placer::sizesFor(Value value) const {
  const Plan &chosen = memory.plan;
  bool mini = isa<adj::MiniSequencesOp>(value.getParentBlock()->getParentOp());
  return {chosen.batch, chosen.shard, mini ? chosen.miniSequence : chosen.rows()};
}

FailureOr<Storage> Placer::storageOf(Value root) {
  Storage storage;
  storage.first = std::numeric_limits<int64_t>::max();
  storage.last = -1;
  auto repeat = tape.lookup(root);
  bool stacked = repeat && root.getDefiningOp() == repeat.getOperation();
  RankedTensorType type = ownedType(root, stacked);
  FailureOr<uint64_t> bytes = bytesOf(type, sizesFor(root));
  if (failed(bytes))
    return emitError(root.getLoc()) << "a value of type " << type << " is too large for a shard of "
                                    << memory.plan.shard << " tokens; use a shorter --shard";
  storage.size = *bytes;

  auto fromLayout = [&](const Layout &layout, StringRef name, adj::BufferKind kind) {
    const LayoutEntry *entry = layout.find(name);
    storage.name = name.str();
    storage.kind = kind;
    storage.offset = entry->offset;
    storage.layerStride = entry->layerStride;
    storage.layers = entry->layers;
  };
  auto staged = [&](unsigned index) {
    storage.name = kStaged[index].str();
    storage.staged = true;
    storage.offset = stagedOffset(memory.staging, index);
  };

  if (auto argument = dyn_cast<BlockArgument>(root)) {
    staged(argument.getArgNumber());
  } else if (losses.contains(root)) {
    staged(4);
    storage.size = static_cast<uint64_t>(memory.plan.rows()) * sizeof(float);
  } else if (auto handOver = handedOver.lookup(root)) {
    fromLayout(memory.carries, handOver.getName(),
               handOver.getCotangent() ? adj::BufferKind::CotangentOut : adj::BufferKind::CarryOut);
  } else if (StringRef copied = refreshed.lookup(root); !copied.empty()) {
    fromLayout(memory.workingCopies, copied, adj::BufferKind::WorkingCopies);
  } else if (auto copy = root.getDefiningOp<adj::WorkingCopyOp>()) {
    fromLayout(memory.workingCopies, copy.getName(), adj::BufferKind::WorkingCopies);
  } else if (auto parameter = root.getDefiningOp<ssm::ParameterOp>()) {
    fromLayout(memory.parameters, parameter.getName(), adj::BufferKind::Parameters);
  } else if (auto carried = root.getDefiningOp<adj::CarriedOp>()) {
    fromLayout(memory.carries, carried.getName(),
               carried.getCotangent() ? adj::BufferKind::CotangentIn : adj::BufferKind::CarryIn);
  } else if (isComputed(root) || isa<ssm::ConcatOp, ssm::RepeatOp, adj::MiniSequencesOp>(root.getDefiningOp())) {
    auto dispatch = root.getDefiningOp<adj::DispatchOp>();
    storage.name = dispatch ? dispatch.getKernel().str() : root.getDefiningOp()->getName().stripDialect().str();
    if (repeat) {
      storage.layers = static_cast<int64_t>(repeat.getCount());
      storage.layerStride = alignUp(storage.size);
      storage.first = plan.firstPosition.lookup(repeat);
      storage.last = plan.lastPosition.lookup(repeat);
    }
  } else if (auto offload = root.getDefiningOp<adj::OffloadOp>()) {
    auto stack = cast<ssm::RepeatOp>(offload->getParentOp());
    storage.host = root == offload.getHost();
    storage.name = storage.host ? "offloaded" : "ring";
    storage.layers = static_cast<int64_t>(stack.getCount());
    storage.instances = storage.host ? 0 : std::min<int64_t>(2, storage.layers);
    storage.layerStride = alignUp(storage.size);
    storage.first = plan.firstPosition.lookup(stack);
    storage.last = plan.lastPosition.lookup(stack);
  } else {
    return root.getDefiningOp()->emitError("its result has no place; run adj-form-kernels first");
  }
  return storage;
}

void Placer::extendLifetime(Storage &storage, Value value) const {
  auto include = [&](int64_t position) {
    storage.first = std::min(storage.first, position);
    storage.last = std::max(storage.last, position);
  };
  Operation *owner = isa<BlockArgument>(value) ? value.getParentBlock()->getParentOp() : value.getDefiningOp();
  if (owner != plan.op()) {
    include(plan.firstPosition.lookup(owner));
    include(plan.lastPosition.lookup(owner));
  } else {
    include(0); // the session fills a program's arguments before the first command
  }
  for (OpOperand &use : value.getUses())
    include(usePosition(use, value.getParentBlock()));
}

LogicalResult Placer::makeStorages() {
  DenseMap<Value, unsigned> storages;
  for (Value value : values) {
    Root root = rootOf(value);
    auto found = storages.find(root.value);
    if (found == storages.end()) {
      FailureOr<Storage> storage = storageOf(root.value);
      if (failed(storage))
        return failure();
      found = storages.try_emplace(root.value, plan.storages.size()).first;
      plan.storages.push_back(std::move(*storage));
    }
    Storage &storage = plan.storages[found->second];
    extendLifetime(storage, value);
    // The ring is filled while the layer before runs.
    if (auto prefetch = value.getDefiningOp<adj::PrefetchOp>())
      storage.last = std::max(storage.last, plan.lastPosition.lookup(prefetch->getParentOp()));

    auto repeat = tape.lookup(root.value);
    RankedTensorType rootType = ownedType(root.value, repeat && root.value.getDefiningOp() == repeat.getOperation());
    auto type = cast<RankedTensorType>(value.getType());
    Place place;
    place.storage = found->second;
    place.offset = root.offset;
    place.rowStride = contiguousRowStride(rootType);
    uint64_t rowBytes = static_cast<uint64_t>(place.rowStride) * elementBytes(type.getElementType());
    bool inMini = isa<adj::MiniSequencesOp>(value.getParentBlock()->getParentOp());
    if ((root.rowOfMini && inMini) || (losses.contains(root.value) && inMini))
      place.rowBytes = rowBytes;
    bool view = root.offset != 0 || contiguousRowStride(type) != place.rowStride;
    bool stackedView = isa_and_nonnull<ssm::RepeatOp>(value.getDefiningOp());
    if (view && !stackedView && !hasPlainRows(type))
      return emitError(value.getLoc()) << "a view of type " << type << " needs rows of batch and tokens";
    plan.places[value] = place;
  }
  return success();
}

LogicalResult Placer::placeCopies() {
  for (WantedCopy &want : wanted) {
    PlannedCopy copy = want.copy;
    if (want.handOver) {
      Storage storage;
      const LayoutEntry *entry = memory.carries.find(want.handOver.getName());
      storage.name = entry->name;
      storage.kind = want.handOver.getCotangent() ? adj::BufferKind::CotangentOut : adj::BufferKind::CarryOut;
      storage.size = entry->bytes;
      storage.offset = entry->offset;
      storage.layerStride = entry->layerStride;
      storage.layers = entry->layers;
      storage.first = storage.last = plan.firstPosition.lookup(want.handOver);
      copy.destination.storage = plan.storages.size();
      copy.destination.rowStride = contiguousRowStride(entry->type);
      plan.storages.push_back(std::move(storage));
    } else {
      copy.destination = plan.places.lookup(want.destination);
      copy.destination.offset += want.offset;
    }
    plan.copies.push_back(copy);
  }
  return success();
}

} // namespace adjc
