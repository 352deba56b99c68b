//===- ModuleWriter.cpp - the module file -----------------------------------------------------------------------===//
#include "adjc/Module/ModuleWriter.h"
#include "adjc/Kernels/Emitters.h"
#include "adjc/Kernels/KernelGrid.h"
#include "adjc/Kernels/SharedMemory.h"
#include "adjc/Plan/Budget.h"
#include "adjc/Plan/IntervalPacking.h"
#include "adjc/Plan/Report.h"
#include "adjm_generated.h"
#include "adjrt/abi.h"
#include "adjrt/module/format.h"
#include "ssm/SsmOps.h"

#include <cstring>
#include <xxhash.h>

using namespace mlir;
namespace fb = adjrt::fb;

namespace adjc {

FailureOr<std::vector<KernelEntry>> listKernels(ModuleOp module, const Plan &plan) {
  std::vector<KernelEntry> list;
  for (auto kernel : module.getOps<adj::KernelOp>()) {
    FailureOr<KernelLaunches> launches = getKernelLaunches(kernel, plan.gpu ? KernelTarget::Gpu : KernelTarget::Cpu);
    FailureOr<Operation *> computation = getComputation(kernel);
    if (failed(launches) || failed(computation))
      return failure();
    for (const KernelLaunch &launch : launches->list) {
      KernelEntry entry;
      entry.kernel = kernel.getSymName().str();
      entry.name = entry.kernel + launch.suffix;
      entry.op = (*computation)->getName().getStringRef().str();
      entry.workspace = launches->workspace > 0;
      entry.operands = kernel.getBody().getNumArguments() + kernel.getBody().front().getTerminator()->getNumOperands() +
                       (entry.workspace ? 1 : 0);
      bool chunks = launch.grid.unit == GridUnit::Chunks;
      entry.unit = static_cast<int8_t>(chunks ? GridUnit::Tokens : launch.grid.unit);
      entry.factor = launch.grid.factor * (chunks ? plan.batch : 1);
      entry.block = launch.grid.block;
      list.push_back(std::move(entry));
    }
  }
  return list;
}

void readLaunchSizes(ModuleOp lowered, std::vector<KernelEntry> &kernels) {
  for (KernelEntry &kernel : kernels) {
    Operation *function = lowered.lookupSymbol(kernel.name);
    if (auto threads = function->getAttrOfType<IntegerAttr>(threadsAttribute))
      kernel.threads = static_cast<uint32_t>(threads.getInt());
    if (auto bytes = function->getAttrOfType<IntegerAttr>(sharedBytesAttribute))
      kernel.sharedBytes = static_cast<uint32_t>(bytes.getInt());
  }
}

namespace {

fb::DType dtypeOf(Type type) {
  if (isa<ComplexType>(type))
    return fb::DType::c64;
  if (type.isF32())
    return fb::DType::f32;
  if (type.isBF16())
    return fb::DType::bf16;
  if (type.isF64())
    return fb::DType::f64;
  return type.isInteger(32) ? fb::DType::i32 : fb::DType::u8;
}

std::unique_ptr<fb::InitializerT> initializerOf(Attribute attribute) {
  auto init = cast<ssm::InitAttr>(attribute);
  auto table = std::make_unique<fb::InitializerT>();
  table->kind = init.getKind().str();
  ArrayRef<double> values = init.getValues();
  table->a = !values.empty() ? values[0] : 0;
  table->b = values.size() > 1 ? values[1] : 0;
  table->c = values.size() > 2 ? values[2] : 0;
  return table;
}

/// The parameters, layer by layer, with their names spelled out.
std::vector<std::unique_ptr<fb::ParameterT>> writeParameters(const Layout &layout, const Layout &workingCopies) {
  std::vector<std::unique_ptr<fb::ParameterT>> list;
  for (const LayoutEntry &entry : layout.entries())
    for (int64_t layer = 0; layer < entry.layers; ++layer) {
      auto table = std::make_unique<fb::ParameterT>();
      table->name = entry.nameOf(layer);
      table->dtype = dtypeOf(entry.type.getElementType());
      table->shape.assign(entry.type.getShape().begin(), entry.type.getShape().end());
      table->offset = entry.offset + static_cast<uint64_t>(layer) * entry.layerStride;
      table->initializer = initializerOf(entry.init);
      table->rounded = workingCopies.find(entry.name) != nullptr;
      list.push_back(std::move(table));
    }
  return list;
}

void addHolding(fb::PlanT &plan, StringRef name, uint64_t bytes) {
  auto holding = std::make_unique<fb::HoldingT>();
  holding->name = name.str();
  holding->bytes = bytes;
  plan.holdings.push_back(std::move(holding));
}

/// Appends zeros up to a multiple of the alignment.
void pad(std::vector<char> &bytes) { bytes.resize(alignUp(bytes.size()), 0); }

} // namespace

adjrt::Expected<std::unique_ptr<fb::PlanT>> writePlan(const MemoryPlan &memory, int64_t vocabulary) {
  const Plan &chosen = memory.plan;
  ADJ_ASSIGN_OR_RETURN(MemoryPrediction prediction, predictMemory(memory, chosen.context));
  auto plan = std::make_unique<fb::PlanT>();
  plan->batch = chosen.batch;
  plan->shard = chosen.shard;
  plan->context = chosen.context;
  plan->mini_sequence = chosen.miniSequence;
  plan->vocabulary = vocabulary;
  for (const LayoutEntry &entry : memory.parameters.entries())
    plan->layers = std::max(plan->layers, entry.perLayer ? entry.layers : 0);
  plan->budget = chosen.budget;
  plan->boundaries = chosen.boundaries;
  plan->parameter_bytes = memory.parameters.bytes();
  plan->optimizer = chosen.adamw ? "adamw" : "none";
  plan->fixed_bytes = memory.fixedBytes;
  plan->boundary_bytes = memory.carries.bytes();
  plan->working_copy_bytes = memory.workingCopies.bytes();
  plan->host_bytes = memory.hostBytes;
  plan->process_bytes = chosen.processBytes();
  plan->predicted_peak_bytes = prediction.peak;
  plan->staging = std::make_unique<fb::StagingT>();
  plan->staging->tokens = memory.staging.tokens;
  plan->staging->targets = memory.staging.targets;
  plan->staging->resets = memory.staging.resets;
  plan->staging->loss_scale = memory.staging.lossScale;
  plan->staging->losses = memory.staging.losses;
  for (const LayoutEntry &entry : memory.carries.entries()) {
    auto carry = std::make_unique<fb::CarryT>();
    carry->name = entry.name;
    carry->dtype = dtypeOf(entry.type.getElementType());
    for (int64_t size : entry.type.getShape())
      if (!ShapedType::isDynamic(size))
        carry->shape.push_back(size);
    if (carry->dtype == fb::DType::c64) { // real and imaginary parts
      carry->dtype = fb::DType::f32;
      carry->shape.push_back(2);
    }
    carry->offset = entry.offset;
    carry->layer_stride = entry.layerStride;
    carry->layers = static_cast<uint32_t>(entry.layers);
    plan->carries.push_back(std::move(carry));
  }
  for (const Holding &holding : holdingsOf(memory, prediction))
    addHolding(*plan, holding.name, holding.bytes);
  return plan;
}

adjrt::Expected<std::vector<char>> writeModule(ModuleOp module, const MemoryPlan &memory, ModuleParts parts) {
  fb::ModuleT table;
  table.producer = "adjc " ADJC_VERSION;
  table.dtype = memory.plan.dtype == "bf16" ? fb::DType::bf16 : fb::DType::f32;
  table.model = std::move(parts.model);
  table.parameters = writeParameters(memory.parameters, memory.workingCopies);
  table.target = std::make_unique<fb::TargetT>();
  table.target->name = parts.target;
  table.target->cpu = parts.cpu;
  table.target->features = parts.features;
  table.target->abi_version = ADJ_ABI_VERSION;
  ADJ_ASSIGN_OR_RETURN(table.plan, writePlan(memory, parts.vocabulary));
  for (const KernelEntry &entry : parts.kernels) {
    auto kernel = std::make_unique<fb::KernelT>();
    kernel->name = entry.name;
    kernel->operand_count = entry.operands;
    kernel->op = entry.op;
    kernel->threads = entry.threads;
    kernel->shared_bytes = entry.sharedBytes;
    table.kernels.push_back(std::move(kernel));
  }
  for (auto program : module.getOps<adj::ProgramOp>())
    table.programs.push_back(std::make_unique<fb::ProgramT>(writeProgram(program, parts.kernels, memory)));
  auto blob = std::make_unique<fb::BlobT>();
  blob->kind = parts.target == "cpu" ? "shared-object" : "ptx";
  blob->size = parts.code.size();
  blob->checksum = XXH3_64bits(parts.code.data(), parts.code.size());
  // Not zero, so that the field is present and the table's size does not depend on the offset.
  blob->offset = sizeof(adjrt::FileHeader);
  table.blobs.push_back(std::move(blob));

  auto pack = [&](flatbuffers::FlatBufferBuilder &builder) {
    builder.Finish(fb::Module::Pack(builder, &table), fb::ModuleIdentifier());
  };
  flatbuffers::FlatBufferBuilder first;
  pack(first);
  table.blobs[0]->offset = alignUp(sizeof(adjrt::FileHeader) + first.GetSize());
  flatbuffers::FlatBufferBuilder builder;
  pack(builder);
  if (builder.GetSize() != first.GetSize())
    return adjrt::failed("the module's table changed its size while it was written");

  adjrt::FileHeader header{};
  std::memcpy(header.magic, adjrt::kMagic, sizeof header.magic);
  header.version = adjrt::kFormatVersion;
  header.tableSize = builder.GetSize();
  header.tableChecksum = XXH3_64bits(builder.GetBufferPointer(), builder.GetSize());
  header.fileSize = table.blobs[0]->offset + parts.code.size();
  header.headerChecksum = XXH3_64bits(&header, offsetof(adjrt::FileHeader, headerChecksum));

  std::vector<char> file(sizeof header);
  std::memcpy(file.data(), &header, sizeof header);
  const char *bytes = reinterpret_cast<const char *>(builder.GetBufferPointer());
  file.insert(file.end(), bytes, bytes + builder.GetSize());
  pad(file);
  file.insert(file.end(), parts.code.begin(), parts.code.end());
  return file;
}

} // namespace adjc
