#include "adjc/Plan/MemoryPlan.h"
#include "Placer.h"
#include "adjc/Plan/IntervalPacking.h"

using namespace mlir;

namespace adjc {

static StagingOffsets makeStaging(const Plan &plan) {
  StagingOffsets staging;
  auto rows = static_cast<uint64_t>(plan.rows());
  auto take = [&](uint64_t bytes) {
    uint64_t offset = staging.bytes;
    staging.bytes += alignUp(bytes);
    return offset;
  };
  staging.tokens = take(rows * 4);
  staging.targets = take(rows * 4);
  staging.resets = take(rows);
  staging.lossScale = take(4);
  staging.losses = take(rows * 4);
  return staging;
}

/// Offsets of one program's values in the arena's fixed part, behind the staging arrays, or in its host part. Returns
/// the bytes they need.
static uint64_t packStorages(ProgramPlan &program, bool host, uint64_t base) {
  std::vector<Interval> intervals;
  std::vector<Storage *> packed;
  for (Storage &storage : program.storages)
    if ((host ? storage.host : storage.inArena()) && !storage.staged) {
      intervals.push_back({storage.allLayers(), storage.first, storage.last});
      packed.push_back(&storage);
    }
  Packing packing = packIntervals(intervals);
  for (auto [storage, offset] : llvm::zip(packed, packing.offsets))
    storage->offset = base + offset;
  return packing.bytes;
}

FailureOr<std::vector<KernelLaunches>> launchesOf(ModuleOp module, bool gpu) {
  std::vector<KernelLaunches> all;
  if (gpu)
    for (auto kernel : module.getOps<adj::KernelOp>()) {
      FailureOr<KernelLaunches> launches = getKernelLaunches(kernel, KernelTarget::Gpu);
      if (failed(launches))
        return failure();
      all.push_back(std::move(*launches));
    }
  return all;
}

FailureOr<MemoryPlan> planMemory(ModuleOp module, const Plan &plan) {
  FailureOr<std::vector<KernelLaunches>> launches = launchesOf(module, plan.gpu);
  if (failed(launches))
    return failure();
  return planMemory(module, plan, *launches);
}

FailureOr<MemoryPlan> planMemory(ModuleOp module, const Plan &plan, ArrayRef<KernelLaunches> launches) {
  MemoryPlan memory;
  memory.plan = plan;
  FailureOr<Layout> parameters = Layout::ofParameters(module);
  FailureOr<Layout> workingCopies = Layout::ofWorkingCopies(module);
  FailureOr<Layout> carries = Layout::ofCarries(module, plan.batch);
  if (failed(parameters) || failed(workingCopies) || failed(carries))
    return failure();
  memory.parameters = std::move(*parameters);
  memory.workingCopies = std::move(*workingCopies);
  memory.carries = std::move(*carries);
  if (static_cast<uint64_t>(plan.shard) > (uint64_t(1) << 40) / static_cast<uint64_t>(plan.batch))
    return module.emitError("a shard of ") << plan.shard << " tokens x batch " << plan.batch << " is too large";
  memory.staging = makeStaging(plan);
  memory.fixedBytes = memory.staging.bytes;

  SymbolTable symbols(module);
  for (auto program : module.getOps<adj::ProgramOp>()) {
    FailureOr<ProgramPlan> placed = Placer(program, symbols, memory).run();
    if (failed(placed))
      return failure();
    memory.programs.push_back(std::move(*placed));
    uint64_t bytes = packStorages(memory.programs.back(), /*host=*/false, memory.staging.bytes);
    memory.hostBytes = std::max(memory.hostBytes, packStorages(memory.programs.back(), /*host=*/true, 0));
    memory.fixedBytes = std::max(memory.fixedBytes, memory.staging.bytes + bytes);
  }
  if (!plan.gpu)
    return memory;
  for (const KernelLaunches &of : launches)
    memory.workspaceBytes = std::max(memory.workspaceBytes, alignUp(of.workspaceBytes(plan.batch, plan.shard)));
  memory.workspaceOffset = alignUp(memory.fixedBytes);
  if (memory.workspaceBytes > 0)
    memory.fixedBytes = memory.workspaceOffset + memory.workspaceBytes;
  return memory;
}

} // namespace adjc
