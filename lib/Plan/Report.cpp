#include "adjc/Plan/Report.h"

#include "adjc/Plan/IntervalPacking.h"

using namespace mlir;

namespace adjc {

/// What layers keep for their adjoints.
static uint64_t tapeBytes(const MemoryPlan &memory) {
  uint64_t bytes = 0;
  for (const ProgramPlan &program : memory.programs) {
    uint64_t mine = 0;
    for (const Storage &storage : program.storages)
      if (storage.inArena() && storage.layerStride != 0)
        mine += alignUp(storage.allLayers());
    bytes = std::max(bytes, mine);
  }
  return bytes;
}

std::vector<Holding> holdingsOf(const MemoryPlan &memory, const MemoryPrediction &prediction) {
  std::vector<Holding> list;
  uint64_t parameters = memory.parameters.bytes(), slot = alignUp(memory.carries.bytes());
  uint64_t tape = tapeBytes(memory), staging = memory.staging.bytes;
  uint64_t host = memory.plan.gpu ? 0 : prediction.host;
  uint64_t process = memory.plan.processBytes(), known = process + prediction.arena + host;
  list.push_back({"parameters", parameters});
  list.push_back({"gradients", parameters});
  list.push_back({"working copies", memory.workingCopies.bytes()});
  list.push_back({"optimizer", memory.plan.adamw ? 2 * parameters : 0});
  list.push_back({"tape", tape});
  list.push_back({"activations", memory.fixedBytes - staging - tape});
  list.push_back({"staging", staging});
  list.push_back({"cotangents", 2 * slot});
  list.push_back({"boundaries", slot * static_cast<uint64_t>(prediction.slots)});
  const uint64_t offloaded = memory.plan.gpu ? 0 : memory.hostBytes;
  list.push_back({"offloaded", offloaded});
  list.push_back({"boundaries on the host", host - std::min(host, offloaded)});
  list.push_back({"process", process});
  list.push_back({"token file", prediction.peak - known});
  return list;
}

const Timeline &PlanReport::peakTimeline() const {
  const Timeline *largest = &timelines.front();
  auto held = [](const Timeline &timeline) {
    return timeline.commands.empty() ? 0 : timeline.commands[timeline.peakCommand()].heldBytes();
  };
  for (const Timeline &timeline : timelines)
    if (held(timeline) > held(*largest))
      largest = &timeline;
  return *largest;
}

adjrt::Expected<PlanReport> makeReport(StringRef spec, ModuleOp programs, ModuleOp formed, const MemoryPlan &memory,
                                       const PlanOptions &options) {
  PlanReport report;
  report.spec = spec.str();
  report.memory = &memory;
  report.machine = &machineOf(options);
  ADJ_ASSIGN_OR_RETURN(report.prediction, predictMemory(memory, memory.plan.context));
  report.holdings = holdingsOf(memory, report.prediction);
  FailureOr<std::vector<ProgramWork>> counted =
      countPrograms(formed, options.gpu ? KernelTarget::Gpu : KernelTarget::Cpu);
  FailureOr<Alternatives> alternatives = findAlternatives(programs, options, memory.plan);
  if (failed(counted) || failed(alternatives))
    return adjrt::failed("the plan's alternatives can't be looked at");
  report.timelines = makeTimelines(memory, *counted, *report.machine);
  report.cost = costOfCall(withCopies(std::move(*counted), memory), *report.machine, memory.plan, memory.plan.context,
                           memory.parameters.bytes(), memory.carries.bytes());
  report.alternatives = std::move(*alternatives);
  return report;
}

} // namespace adjc
