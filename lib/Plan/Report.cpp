#include "adjc/Plan/Report.h"

#include "adjc/Plan/IntervalPacking.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
namespace json = llvm::json;

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

static json::Array layoutAsJson(const Layout &layout) {
  json::Array list;
  for (const LayoutEntry &entry : layout.entries()) {
    json::Array shape;
    for (int64_t size : entry.type.getShape())
      shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
    list.push_back(json::Object{{"name", entry.name},
                                {"shape", std::move(shape)},
                                {"layers", entry.layers},
                                {"bytes", entry.bytes},
                                {"offset", entry.offset},
                                {"layer_stride", entry.layerStride}});
  }
  return list;
}

adjrt::Expected<std::string> planAsJson(const MemoryPlan &memory) {
  const Plan &plan = memory.plan;
  ADJ_ASSIGN_OR_RETURN(MemoryPrediction prediction, predictMemory(memory, plan.context));
  json::Object holdings;
  for (const Holding &holding : holdingsOf(memory, prediction))
    holdings[holding.name] = holding.bytes;
  json::Array programs;
  for (const ProgramPlan &program : memory.programs) {
    json::Array buffers;
    for (const Storage &storage : program.storages)
      if (storage.inArena())
        buffers.push_back(json::Object{{"name", storage.name},
                                       {"offset", storage.offset},
                                       {"size", storage.size},
                                       {"layers", storage.layers},
                                       {"layer_stride", storage.layerStride}});
    programs.push_back(
        json::Object{{"copies", static_cast<int64_t>(program.copies.size())}, {"arena", std::move(buffers)}});
  }
  json::Array tape;
  for (const TapeChoice &choice : plan.tape)
    tape.push_back(json::Object{{"value", choice.name}, {"keep", stringifyKeep(choice.keep)}, {"bytes", choice.bytes}});
  json::Object root{{"batch", plan.batch},
                    {"shard", plan.shard},
                    {"context", plan.context},
                    {"shards", plan.shards()},
                    {"mini_sequence", plan.miniSequence},
                    {"budget", plan.budget},
                    {"policy", plan.policy},
                    {"tape", std::move(tape)},
                    {"boundaries", plan.boundaries},
                    {"optimizer", plan.adamw ? "adamw" : "none"},
                    {"dtype", plan.dtype},
                    {"parameter_bytes", memory.parameters.bytes()},
                    {"working_copy_bytes", memory.workingCopies.bytes()},
                    {"fixed_bytes", memory.fixedBytes},
                    {"host_bytes", prediction.host},
                    {"boundary_bytes", memory.carries.bytes()},
                    {"boundary_slots", prediction.slots},
                    {"process_bytes", plan.processBytes()},
                    {"arena_bytes", prediction.arena},
                    {"predicted_peak_bytes", prediction.peak},
                    {"holdings", std::move(holdings)},
                    {"parameters", layoutAsJson(memory.parameters)},
                    {"carries", layoutAsJson(memory.carries)},
                    {"programs", std::move(programs)}};
  return llvm::formatv("{0:2}\n", json::Value(std::move(root))).str();
}

adjrt::Expected<std::string> planAsText(const MemoryPlan &memory, StringRef specName) {
  const Plan &plan = memory.plan;
  ADJ_ASSIGN_OR_RETURN(MemoryPrediction prediction, predictMemory(memory, plan.context));
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "plan of " << specName << "\n\n";
  out << llvm::formatv("  {0,-16}{1} tokens (longest planned for)\n", "context", plan.context);
  out << llvm::formatv("  {0,-16}{1} tokens x batch {2}, {3} shards\n", "shard", plan.shard, plan.batch, plan.shards());
  out << llvm::formatv("  {0,-16}{1} rows\n", "mini-sequence", plan.miniSequence);
  out << llvm::formatv("  {0,-16}{1}, {2} slots of {3}\n", "boundaries", plan.boundaries, prediction.slots,
                       formatSize(memory.carries.bytes(), "MB"));
  out << llvm::formatv("  {0,-16}{1}\n", "policy", plan.policy);
  out << llvm::formatv("  {0,-16}{1}\n\n", "stored in", plan.dtype);
  if (!plan.tape.empty()) {
    out << "what layers keep for their adjoints, in MB for all layers of a shard\n\n";
    for (const TapeChoice &choice : plan.tape)
      out << llvm::formatv("  {0,-40}{1,12}  {2}\n", choice.name,
                           StringRef(formatSize(choice.bytes, "MB")).drop_back(2), stringifyKeep(choice.keep));
    out << "\n";
  }
  out << "who holds the memory, in MB\n\n";
  for (const Holding &holding : holdingsOf(memory, prediction))
    if (holding.bytes != 0)
      out << llvm::formatv("  {0,-16}{1,12}\n", holding.name, StringRef(formatSize(holding.bytes, "MB")).drop_back(2));
  out << llvm::formatv("  {0,-16}{1,12}\n", "predicted peak",
                       StringRef(formatSize(prediction.peak, "MB")).drop_back(2));
  if (plan.gpu && prediction.host > 0)
    out << llvm::formatv("  {0,-16}{1,12}\n", "on the host", StringRef(formatSize(prediction.host, "MB")).drop_back(2));
  out << llvm::formatv("  {0,-16}{1,12}\n", "budget", StringRef(formatSize(plan.budget, "MB")).drop_back(2));
  return text;
}

} // namespace adjc
