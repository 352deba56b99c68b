// Tests write tables that lack what the schema requires; the builder's own assertion would stop them before the loader
// can refuse.
#define FLATBUFFERS_ASSERT(condition) ((void)0)

#include "TestModule.h"
#include "adjrt/abi.h"
#include "adjrt/module/format.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <xxhash.h>

namespace adjrt::test {
namespace {

std::size_t roundUp(std::size_t value) { return (value + ADJ_ALIGNMENT - 1) / ADJ_ALIGNMENT * ADJ_ALIGNMENT; }

template <typename Table> void append(fb::ProgramT &program, Table operation, std::string name) {
  auto command = std::make_unique<fb::CommandT>();
  command->name = std::move(name);
  command->operation.Set(std::move(operation));
  program.blocks.back()->commands.push_back(std::move(command));
}

template <typename T> std::unique_ptr<T> own(const T &value) { return std::make_unique<T>(value); }

} // namespace

fb::ModuleT minimalModule() {
  fb::ModuleT module;
  module.producer = "test";
  module.model = std::make_unique<fb::ModelT>();
  module.model->name = "nothing";
  for (fb::DType dtype : {fb::DType::i32, fb::DType::i32, fb::DType::f32}) {
    auto value = std::make_unique<fb::ValueTypeT>();
    value->dtype = dtype;
    if (dtype == fb::DType::i32)
      value->shape = {-1, -1};
    module.model->values.push_back(std::move(value));
  }
  module.model->graph = std::make_unique<fb::GraphT>();
  module.model->graph->arguments = {0, 1};
  auto node = std::make_unique<fb::NodeT>();
  node->op = "ssm.lm_loss";
  node->operands = {0, 1};
  node->results = {2};
  node->location = "spec.mlir:3:5";
  module.model->graph->nodes.push_back(std::move(node));
  module.model->graph->results = {2};
  module.target = std::make_unique<fb::TargetT>();
  module.target->name = "cpu";
  module.target->abi_version = ADJ_ABI_VERSION;
  module.plan = std::make_unique<fb::PlanT>();
  fb::PlanT &plan = *module.plan;
  plan.batch = 1;
  plan.shard = 4;
  plan.context = 64;
  plan.vocabulary = 10;
  plan.boundaries = "device";
  plan.optimizer = "none";
  plan.fixed_bytes = 512;
  plan.boundary_bytes = 64;
  plan.staging = std::make_unique<fb::StagingT>();
  plan.staging->targets = 64;
  plan.staging->resets = 128;
  plan.staging->loss_scale = 192;
  plan.staging->losses = 256;
  for (const char *name : {"forward", "gradient"}) {
    auto program = std::make_unique<fb::ProgramT>();
    program->name = name;
    module.programs.push_back(std::move(program));
  }
  return module;
}

void sealHeader(std::string &image) {
  const std::uint64_t checksum = XXH3_64bits(image.data(), offsetof(FileHeader, headerChecksum));
  std::memcpy(image.data() + offsetof(FileHeader, headerChecksum), &checksum, sizeof checksum);
}

void resealTable(std::string &image) {
  FileHeader header;
  std::memcpy(&header, image.data(), sizeof header);
  header.tableChecksum = XXH3_64bits(image.data() + sizeof header, header.tableSize);
  std::memcpy(image.data(), &header, sizeof header);
  sealHeader(image);
}

std::string fileImage(fb::ModuleT module, const std::vector<std::string> &blobs) {
  module.blobs.clear();
  for (const std::string &bytes : blobs) {
    auto blob = std::make_unique<fb::BlobT>();
    blob->kind = module.target && module.target->name != "cpu" ? "ptx" : "shared-object";
    blob->offset =
        ADJ_ALIGNMENT; // not 0: defaults are not stored, and the table must keep its size when offsets become known
    blob->size = bytes.size();
    blob->checksum = XXH3_64bits(bytes.data(), bytes.size());
    module.blobs.push_back(std::move(blob));
  }
  const auto table = [&] {
    flatbuffers::FlatBufferBuilder builder;
    fb::FinishModuleBuffer(builder, fb::Module::Pack(builder, &module));
    return std::string(reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize());
  };
  std::size_t end = sizeof(FileHeader) + table().size();
  for (auto &blob : module.blobs) {
    blob->offset = roundUp(end);
    end = blob->offset + blob->size;
  }
  const std::string finalTable = table();
  std::string image(sizeof(FileHeader), '\0');
  image += finalTable;
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    image.resize(module.blobs[i]->offset, '\0');
    image += blobs[i];
  }
  FileHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kFormatVersion;
  header.fileSize = image.size();
  header.tableSize = finalTable.size();
  header.tableChecksum = XXH3_64bits(finalTable.data(), finalTable.size());
  std::memcpy(image.data(), &header, sizeof header);
  sealHeader(image);
  return image;
}

Expected<std::unique_ptr<Module>> parseImage(const std::string &image) {
  ADJ_ASSIGN_OR_RETURN(AlignedBytes bytes, AlignedBytes::allocate(image.size()));
  std::memcpy(bytes.data(), image.data(), image.size());
  return Module::parse(std::move(bytes), "test.adjm");
}

std::string readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

fb::BufferT buffer(std::string name, fb::BufferKind kind, std::uint64_t offset, std::uint64_t size,
                   std::uint64_t layerStride, std::uint32_t layers) {
  fb::BufferT result;
  result.name = std::move(name);
  result.kind = kind;
  result.offset = offset;
  result.size = size;
  result.layer_stride = layerStride;
  result.layers = layers;
  return result;
}

fb::Extent fixed(std::int64_t count) { return {count, 1, fb::Unit::one}; }
fb::Extent rows(std::int64_t factor, std::int64_t block) { return {factor, block, fb::Unit::rows}; }
fb::BufferRef ref(std::uint32_t buffer, std::uint64_t offset, std::uint64_t rowStride) {
  return {buffer, 0, offset, rowStride};
}

void addBlock(fb::ProgramT &program, std::uint32_t layers, bool reverse, std::uint64_t miniSequence) {
  auto block = std::make_unique<fb::BlockT>();
  block->layers = layers;
  block->reverse = reverse;
  block->mini_sequence = miniSequence;
  program.blocks.push_back(std::move(block));
}

void addCommand(fb::ProgramT &program, fb::DispatchT operation, std::string name) {
  append(program, std::move(operation), std::move(name));
}
void addCommand(fb::ProgramT &program, fb::GemmT operation, std::string name) {
  append(program, std::move(operation), std::move(name));
}
void addCommand(fb::ProgramT &program, fb::CopyT operation, std::string name) {
  append(program, std::move(operation), std::move(name));
}
void addCommand(fb::ProgramT &program, fb::FillT operation, std::string name) {
  append(program, std::move(operation), std::move(name));
}
void addCommand(fb::ProgramT &program, fb::TransferT operation, std::string name) {
  append(program, std::move(operation), std::move(name));
}
void addCommand(fb::ProgramT &program, fb::AwaitT operation, std::string name) {
  append(program, std::move(operation), std::move(name));
}

fb::DispatchT dispatch(std::uint32_t kernel, std::vector<fb::BufferRef> operands, fb::Extent groups) {
  fb::DispatchT result;
  result.kernel = kernel;
  result.operands = std::move(operands);
  result.groups = own(groups);
  return result;
}

fb::GemmT gemm(fb::BufferRef a, fb::BufferRef b, fb::BufferRef c, fb::Extent m, fb::Extent n, fb::Extent k,
               std::int64_t lda, std::int64_t ldb, std::int64_t ldc) {
  fb::GemmT result;
  result.a = own(a);
  result.b = own(b);
  result.c = own(c);
  result.m = own(m);
  result.n = own(n);
  result.k = own(k);
  result.lda = lda;
  result.ldb = ldb;
  result.ldc = ldc;
  return result;
}

fb::CopyT copy(fb::BufferRef source, fb::BufferRef destination, fb::Extent count, std::uint64_t width,
               std::uint64_t sourceStride, std::uint64_t destinationStride) {
  fb::CopyT result;
  result.source = own(source);
  result.destination = own(destination);
  result.count = own(count);
  result.width = width;
  result.source_stride = sourceStride;
  result.destination_stride = destinationStride;
  return result;
}

fb::FillT fill(fb::BufferRef destination, fb::Extent bytes) {
  fb::FillT result;
  result.destination = own(destination);
  result.bytes = own(bytes);
  return result;
}

fb::TransferT toHost(fb::BufferRef source, fb::BufferRef destination, fb::Extent count, std::uint64_t width,
                     std::int32_t shift) {
  fb::TransferT result = toDevice(source, destination, count, width, shift);
  result.to_host = true;
  return result;
}

fb::TransferT toDevice(fb::BufferRef source, fb::BufferRef destination, fb::Extent count, std::uint64_t width,
                       std::int32_t shift) {
  fb::TransferT result;
  result.source = own(source);
  result.destination = own(destination);
  result.count = own(count);
  result.width = result.source_stride = result.destination_stride = width;
  result.layer_shift = shift;
  return result;
}

fb::AwaitT awaitToHost(std::uint32_t behind) {
  fb::AwaitT result = awaitToDevice(behind);
  result.to_host = true;
  return result;
}

fb::AwaitT awaitToDevice(std::uint32_t behind) {
  fb::AwaitT result;
  result.behind = behind;
  return result;
}

} // namespace adjrt::test
