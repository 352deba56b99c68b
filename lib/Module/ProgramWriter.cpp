//===- ProgramWriter.cpp - a planned program as commands --------------------------------------------------------===//
#include "adjc/Module/ModuleWriter.h"
#include "adjc/Plan/Sizes.h"
#include "adjc/Plan/SpecPlace.h"
#include "adjm_generated.h"
#include "ssm/SsmOps.h"

#include "llvm/ADT/DenseMap.h"
#include <map>

using namespace mlir;
namespace fb = adjrt::fb;

namespace adjc {

namespace {

class ProgramWriter {
public:
  ProgramWriter(const std::vector<KernelEntry> &kernels, const MemoryPlan &memory) : kernels(kernels), memory(memory) {
    for (auto [i, kernel] : llvm::enumerate(kernels))
      numbers.try_emplace(kernel.kernel, i); // the first launch
  }

  fb::ProgramT write(adj::ProgramOp program) {
    result.name = program.getSymName().str();
    block(program.getBody().front());
    close();
    if (workspaceBuffer)
      for (const auto &part : result.blocks)
        result.buffers[*workspaceBuffer]->last_command += static_cast<uint32_t>(part->commands.size());
    if (workspaceBuffer)
      --result.buffers[*workspaceBuffer]->last_command;
    uint32_t commands = 0;
    for (const auto &part : result.blocks)
      commands += static_cast<uint32_t>(part->commands.size());
    for (uint32_t buffer : hostBuffers)
      result.buffers[buffer]->last_command = commands - 1;
    return std::move(result);
  }

private:
  /// Commands are gathered until a loop begins or ends.
  fb::BlockT &open() {
    if (current)
      return *current;
    current = std::make_unique<fb::BlockT>();
    if (stack) {
      current->layers = static_cast<uint32_t>(stack.getCount());
      current->reverse = stack.getReverse();
      current->joined = stackOpened;
    }
    return *current;
  }
  void close() {
    if (current && !current->commands.empty()) {
      result.blocks.push_back(std::move(current));
      stackOpened = static_cast<bool>(stack);
    }
    current.reset();
  }

  void block(Block &body) {
    for (Operation &op : body) {
      if (auto repeat = dyn_cast<ssm::RepeatOp>(op)) {
        close();
        stack = repeat;
        stackOpened = false;
        block(repeat.getBody().front());
        close();
        stack = {};
      } else if (auto mini = dyn_cast<adj::MiniSequencesOp>(op)) {
        close();
        open().mini_sequence = *mini.getRows();
        inMini = true;
        block(mini.getBody().front());
        inMini = false;
        close();
      } else if (auto dispatch = dyn_cast<adj::DispatchOp>(op)) {
        uint32_t first = numbers.lookup(dispatch.getKernel());
        for (uint32_t i = first; i < kernels.size() && kernels[i].kernel == dispatch.getKernel(); ++i)
          add(&op, kernels[i].name, makeDispatch(dispatch, i));
      } else if (auto gemm = dyn_cast<adj::GemmOp>(op)) {
        add(&op, "gemm", makeGemm(gemm));
      } else if (auto copy = dyn_cast<adj::CopyOp>(op)) {
        add(&op, "copy", makeCopy(copy));
      } else if (auto transfer = dyn_cast<adj::TransferOp>(op)) {
        add(&op, transfer.getToHost() ? "offload" : "prefetch", makeTransfer(transfer));
      } else if (auto await = dyn_cast<adj::AwaitOp>(op)) {
        fb::AwaitT table;
        table.to_host = await.getToHost();
        table.behind = static_cast<uint32_t>(await.getBehind());
        add(&op, await.getToHost() ? "await offload" : "await prefetch", table);
      }
    }
  }

  template <typename Table> void add(Operation *op, StringRef what, Table table) {
    auto command = std::make_unique<fb::CommandT>();
    std::string place = placeOf(op->getLoc());
    command->name = what.str() + (place.empty() ? "" : " at " + place);
    command->operation.Set(std::move(table));
    open().commands.push_back(std::move(command));
  }

  fb::BufferRef ref(Value memref) {
    auto op = memref.getDefiningOp<adj::BufferOp>();
    auto view = cast<IntegerAttr>(op->getAttr("view")).getInt();
    auto layers = cast<IntegerAttr>(op->getAttr("layers")).getInt();
    auto lifetime = cast<DenseI64ArrayAttr>(op->getAttr("lifetime"));
    uint64_t offset = op.getOffset() - static_cast<uint64_t>(view);
    auto ring = op->getAttrOfType<IntegerAttr>("instances");
    Key key{static_cast<int>(op.getKind()), offset, op.getSize(), op.getLayerStride(), lifetime[0], lifetime[1]};
    auto [slot, inserted] = buffers.try_emplace(key, static_cast<uint32_t>(result.buffers.size()));
    if (inserted) {
      auto buffer = std::make_unique<fb::BufferT>();
      buffer->name = op.getName().str();
      buffer->kind = static_cast<fb::BufferKind>(op.getKind());
      buffer->offset = offset;
      buffer->size = op.getSize();
      buffer->layer_stride = layers > 1 ? op.getLayerStride() : 0;
      buffer->layers = static_cast<uint32_t>(layers);
      buffer->instances = ring ? static_cast<uint32_t>(ring.getInt()) : 0;
      buffer->first_command = static_cast<uint32_t>(lifetime[0]);
      buffer->last_command = static_cast<uint32_t>(lifetime[1]);
      result.buffers.push_back(std::move(buffer));
    }
    return fb::BufferRef(slot->second, 0, static_cast<uint64_t>(view), op.getRowBytes());
  }

  /// A place in host memory. Its layers' values are there from the forward to the reverse: it shares memory with none.
  fb::BufferRef hostRef(adj::HostBufferOp op) {
    Key key{static_cast<int>(fb::BufferKind::host), op.getOffset(), op.getSize(), op.getLayerStride(), 0, 0};
    auto [slot, inserted] = buffers.try_emplace(key, static_cast<uint32_t>(result.buffers.size()));
    if (inserted) {
      auto buffer = std::make_unique<fb::BufferT>();
      buffer->name = op.getName().str();
      buffer->kind = fb::BufferKind::host;
      buffer->offset = op.getOffset();
      buffer->size = op.getSize();
      buffer->layer_stride = op.getLayerStride();
      buffer->layers = static_cast<uint32_t>(op.getLayers());
      hostBuffers.push_back(slot->second);
      result.buffers.push_back(std::move(buffer));
    }
    return fb::BufferRef(slot->second, 0, 0, 0);
  }

  std::unique_ptr<fb::BufferRef> refPointer(Value memref) { return std::make_unique<fb::BufferRef>(ref(memref)); }

  /// What the launches of a dispatch leave for each other: one place for all, since they run one after the other.
  fb::BufferRef workspace() {
    if (!workspaceBuffer) {
      workspaceBuffer = static_cast<uint32_t>(result.buffers.size());
      auto buffer = std::make_unique<fb::BufferT>();
      buffer->name = "workspace";
      buffer->kind = fb::BufferKind::arena;
      buffer->offset = memory.workspaceOffset;
      buffer->size = memory.workspaceBytes;
      buffer->layers = 1;
      result.buffers.push_back(std::move(buffer));
    }
    return fb::BufferRef(*workspaceBuffer, 0, 0, 0);
  }

  fb::DispatchT makeDispatch(adj::DispatchOp op, uint32_t number) {
    fb::DispatchT table;
    table.kernel = number;
    for (Value operand : op->getOperands())
      table.operands.push_back(ref(operand));
    if (kernels[number].workspace)
      table.operands.push_back(workspace());
    const KernelEntry &kernel = kernels[table.kernel];
    table.groups = std::make_unique<fb::Extent>(kernel.factor, kernel.block, static_cast<fb::Unit>(kernel.unit));
    return table;
  }

  /// The leading dimensions: batch and tokens, or the batch alone, or a mini-sequence's rows; of a static value all but
  /// the last.
  fb::Extent rows(MemRefType type) const {
    int64_t factor = 1;
    unsigned dynamic = countLeadingDynamic(type.getShape());
    if (dynamic == 0 && type.getRank() > 0)
      for (int64_t size : type.getShape().drop_back())
        factor *= ShapedType::isDynamic(size) ? 1 : size;
    fb::Unit unit = dynamic == 0 ? fb::Unit::one : dynamic == 2 || inMini ? fb::Unit::rows : fb::Unit::batch;
    return fb::Extent(factor, 1, unit);
  }

  static fb::Extent columns(MemRefType type) { return fb::Extent(type.getShape().back(), 1, fb::Unit::one); }

  /// Elements between rows.
  static int64_t rowStride(MemRefType type) {
    if (auto strided = dyn_cast<StridedLayoutAttr>(type.getLayout()))
      return strided.getStrides()[countLeadingDynamic(type.getShape()) - 1];
    return contiguousRowStride(type);
  }

  fb::GemmT makeGemm(adj::GemmOp op) {
    fb::GemmT table;
    auto a = cast<MemRefType>(op.getA().getType()), b = cast<MemRefType>(op.getB().getType()),
         c = cast<MemRefType>(op.getC().getType());
    bool ta = op.getTransposeA(), tb = op.getTransposeB();
    table.a = refPointer(op.getA());
    table.b = refPointer(op.getB());
    table.c = refPointer(op.getC());
    table.m = std::make_unique<fb::Extent>(ta ? columns(a) : rows(a));
    table.k = std::make_unique<fb::Extent>(ta ? rows(a) : columns(a));
    table.n = std::make_unique<fb::Extent>(tb ? rows(b) : columns(b));
    table.lda = rowStride(a);
    table.ldb = rowStride(b);
    table.ldc = rowStride(c);
    table.transpose_a = ta;
    table.transpose_b = tb;
    table.accumulate = op.getAccumulate();
    auto dtypeOf = [](MemRefType type) { return type.getElementType().isBF16() ? fb::DType::bf16 : fb::DType::f32; };
    table.dtype = dtypeOf(a);
    table.output = dtypeOf(c);
    return table;
  }

  fb::CopyT makeCopy(adj::CopyOp op) {
    fb::CopyT table;
    auto source = cast<MemRefType>(op.getSource().getType()),
         destination = cast<MemRefType>(op.getDestination().getType());
    table.source = refPointer(op.getSource());
    table.destination = refPointer(op.getDestination());
    uint64_t element = elementBytes(source.getElementType());
    if (op->hasAttr("whole")) {
      table.count = std::make_unique<fb::Extent>(1, 1, fb::Unit::one);
      table.width = op.getSource().getDefiningOp<adj::BufferOp>().getSize();
      table.source_stride = table.destination_stride = table.width;
      return table;
    }
    table.count = std::make_unique<fb::Extent>(rows(source));
    table.width = static_cast<uint64_t>(contiguousRowStride(source)) * element;
    table.source_stride = static_cast<uint64_t>(rowStride(source)) * element;
    table.destination_stride = static_cast<uint64_t>(rowStride(destination)) * element;
    return table;
  }

  fb::TransferT makeTransfer(adj::TransferOp op) {
    fb::TransferT table;
    Value device = op.getToHost() ? op.getSource() : op.getDestination();
    Value host = op.getToHost() ? op.getDestination() : op.getSource();
    auto there = std::make_unique<fb::BufferRef>(hostRef(host.getDefiningOp<adj::HostBufferOp>()));
    table.source = op.getToHost() ? refPointer(device) : std::move(there);
    table.destination = op.getToHost() ? std::move(there) : refPointer(device);
    table.to_host = op.getToHost();
    table.layer_shift = static_cast<int32_t>(op.getLayerShift().value_or(0));
    auto type = cast<MemRefType>(device.getType());
    bool whole = op->hasAttr("whole");
    table.count = std::make_unique<fb::Extent>(whole ? fb::Extent(1, 1, fb::Unit::one) : rows(type));
    table.width = whole ? device.getDefiningOp<adj::BufferOp>().getSize()
                        : static_cast<uint64_t>(contiguousRowStride(type)) * elementBytes(type.getElementType());
    table.source_stride = table.destination_stride = table.width;
    return table;
  }

  using Key = std::tuple<int, uint64_t, uint64_t, uint64_t, int64_t, int64_t>;
  const std::vector<KernelEntry> &kernels;
  const MemoryPlan &memory;
  std::optional<uint32_t> workspaceBuffer;
  std::vector<uint32_t> hostBuffers;
  llvm::StringMap<uint32_t> numbers;
  std::map<Key, uint32_t> buffers;
  fb::ProgramT result;
  std::unique_ptr<fb::BlockT> current;
  ssm::RepeatOp stack;      ///< the stack of layers being written
  bool stackOpened = false; ///< it has a block: further ones run in the same pass over its layers
  bool inMini = false;
};

} // namespace

fb::ProgramT writeProgram(adj::ProgramOp program, const std::vector<KernelEntry> &kernels, const MemoryPlan &memory) {
  return ProgramWriter(kernels, memory).write(program);
}

} // namespace adjc
