#include "Verify.h"
#include "adjrt/abi.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace adjrt::verify {
namespace {

constexpr std::uint64_t kMostCount = std::uint64_t(1) << 62;
/// A leading dimension that the BLAS interface's int can express.
constexpr std::int64_t kMostLeading = std::numeric_limits<std::int32_t>::max();

std::string name(fb::DType dtype) {
  return dtype >= fb::DType::MIN && dtype <= fb::DType::MAX ? fb::EnumNameDType(dtype)
                                                            : "dtype " + std::to_string(static_cast<int>(dtype));
}

/// The state of the loops around a command at which the addresses it forms are largest.
struct Extreme {
  std::uint64_t layer = 0;
  std::uint64_t firstRow = 0;
  std::uint64_t rows = 0;
};

class ProgramVerifier {
public:
  ProgramVerifier(const fb::Module &module, const fb::Program &program)
      : module(module), program(program), batch(static_cast<std::uint64_t>(module.plan()->batch())),
        shard(static_cast<std::uint64_t>(module.plan()->shard())) {}

  Status verify() {
    std::uint32_t commands = 0;
    for (const fb::Block *block : Items(program.blocks()))
      commands += Items(block->commands()).size();
    ADJ_RETURN_IF_ERROR(buffers(commands));
    std::uint32_t index = 0;
    for (const fb::Block *item : Items(program.blocks()))
      if (Status status = block(*item); !status)
        return tl::unexpected<Error>(status.error().in("block " + std::to_string(index)));
      else
        ++index;
    return {};
  }

private:
  std::uint64_t regionBytes(fb::BufferKind kind) const {
    const fb::Plan &plan = *module.plan();
    switch (kind) {
    case fb::BufferKind::arena:
      return plan.fixed_bytes();
    case fb::BufferKind::parameters:
    case fb::BufferKind::gradients:
      return plan.parameter_bytes();
    case fb::BufferKind::working_copies:
      return plan.working_copy_bytes();
    case fb::BufferKind::host:
      return plan.host_bytes();
    default:
      return plan.boundary_bytes();
    }
  }

  /// Places that the layers of a buffer have, or take turns in.
  static std::uint32_t places(const fb::Buffer &buffer) {
    return buffer.instances() ? buffer.instances() : buffer.layers();
  }

  Status buffers(std::uint32_t commands) {
    std::uint32_t index = 0;
    for (const fb::Buffer *buffer : Items(program.buffers())) {
      const std::string place = "buffer " + quoted(buffer->name(), index++) + ": ";
      if (buffer->kind() < fb::BufferKind::MIN || buffer->kind() > fb::BufferKind::MAX)
        return invalidInput(place + "unknown kind");
      if (buffer->layers() < 1)
        return invalidInput(place + "has no layers");
      if (buffer->offset() % ADJ_ALIGNMENT != 0)
        return invalidInput(place + "offset " + std::to_string(buffer->offset()) + " is not a multiple of " +
                            std::to_string(ADJ_ALIGNMENT));
      if (buffer->instances() > buffer->layers())
        return invalidInput(place + "its " + std::to_string(buffer->layers()) + " layers take turns in " +
                            std::to_string(buffer->instances()) + " places");
      const Wide span = Wide(places(*buffer) - 1) * buffer->layer_stride() + buffer->size();
      if (span + buffer->offset() > regionBytes(buffer->kind()))
        return invalidInput(place + "leaves its region (" + fb::EnumNameBufferKind(buffer->kind()) + ") of " +
                            std::to_string(regionBytes(buffer->kind())) + " bytes");
      if (buffer->first_command() > buffer->last_command() || (commands && buffer->last_command() >= commands))
        return invalidInput(place + "its lifetime is not a range of the program's " + std::to_string(commands) +
                            " commands");
      spans.push_back(static_cast<std::uint64_t>(span));
    }
    return {};
  }

  /// The largest addresses are formed at the last layer (or the first: the stride is not negative) and at the end of
  /// the rows, by the last whole mini-sequence or by the shorter one after it. Fewer tokens form smaller addresses.
  std::vector<Extreme> extremes(const fb::Block &block) const {
    const std::uint64_t rows = batch * shard, length = block.mini_sequence();
    const std::uint64_t layer = block.layers() ? block.layers() - 1 : 0;
    if (length == 0)
      return {{layer, 0, rows}};
    const std::uint64_t last = (rows - 1) / length * length;
    std::vector<Extreme> result{{layer, last, rows - last}};
    if (last)
      result.push_back({layer, last - length, length});
    return result;
  }

  Status block(const fb::Block &block) {
    if (block.joined() &&
        (!before || !block.layers() || before->layers() != block.layers() || before->reverse() != block.reverse()))
      return invalidInput("joins the pass over the layers of the block before it, but does not run over the same "
                          "layers in the same order");
    before = &block;
    std::uint32_t index = 0;
    for (const fb::Command *item : Items(block.commands())) {
      const std::string place = "command " + std::to_string(index++) +
                                (item->name() && item->name()->size() ? " (" + item->name()->str() + ")" : "");
      for (const Extreme &at : extremes(block))
        if (Status status = command(*item, block, at); !status)
          return tl::unexpected<Error>(status.error().in(place));
    }
    return {};
  }

  Status command(const fb::Command &command, const fb::Block &block, const Extreme &at) {
    switch (command.operation_type()) {
    case fb::Operation::Dispatch:
      return dispatch(*command.operation_as_Dispatch(), at);
    case fb::Operation::Gemm:
      return gemm(*command.operation_as_Gemm(), at);
    case fb::Operation::Copy:
      return copy(*command.operation_as_Copy(), at);
    case fb::Operation::Fill:
      return fill(*command.operation_as_Fill(), at);
    case fb::Operation::Transfer:
      return transfer(*command.operation_as_Transfer(), block, at);
    case fb::Operation::Await:
      return {}; // any number of transfers may be left running
    default:
      return invalidInput("unknown operation");
    }
  }

  /// The count an extent stands for, at its largest.
  Expected<std::uint64_t> count(const fb::Extent &extent, const Extreme &at, const char *what) const {
    std::uint64_t value = 1;
    switch (extent.unit()) {
    case fb::Unit::one:
      break;
    case fb::Unit::batch:
      value = batch;
      break;
    case fb::Unit::tokens:
      value = shard;
      break;
    case fb::Unit::rows:
      value = at.rows;
      break;
    default:
      return invalidInput(std::string(what) + ": unknown unit");
    }
    if (extent.factor() < 1 || extent.block() < 1)
      return invalidInput(std::string(what) + ": factor " + std::to_string(extent.factor()) + " and block " +
                          std::to_string(extent.block()) + " must be at least 1");
    const Wide blocks =
        (Wide(value) + static_cast<std::uint64_t>(extent.block()) - 1) / static_cast<std::uint64_t>(extent.block());
    const Wide total = blocks * static_cast<std::uint64_t>(extent.factor());
    if (total >= kMostCount)
      return invalidInput(std::string(what) + ": is too large");
    return static_cast<std::uint64_t>(total);
  }

  /// `bytes` from a reference on lie in its buffer, which is no host memory unless `host`, and the address is a
  /// multiple of `alignment`.
  Status range(const fb::BufferRef &ref, const Extreme &at, Wide bytes, std::uint64_t alignment,
               const std::string &what, bool host = false) const {
    if (ref.buffer() >= spans.size())
      return invalidInput(what + ": buffer " + std::to_string(ref.buffer()) + " of " + std::to_string(spans.size()));
    const fb::Buffer &buffer = *program.buffers()->Get(ref.buffer());
    if ((buffer.kind() == fb::BufferKind::host) != host)
      return invalidInput(what + ": buffer " + quoted(buffer.name(), ref.buffer()) +
                          (host ? " is not in host memory" : " is in host memory, which only transfers reach"));
    if (ref.offset() % alignment || ref.row_stride() % alignment || buffer.layer_stride() % alignment)
      return invalidInput(what + ": buffer " + quoted(buffer.name(), ref.buffer()) +
                          " is used at an address that is not a multiple of " + std::to_string(alignment));
    if (buffer.instances() && at.layer >= buffer.layers())
      return invalidInput(what + ": layer " + std::to_string(at.layer) + " of buffer " +
                          quoted(buffer.name(), ref.buffer()) + ", which has " + std::to_string(buffer.layers()));
    // The largest place of a ring is its last, and counts even where the layers before do not reach it.
    const std::uint64_t last = std::min<std::uint64_t>(at.layer, places(buffer) - 1);
    const Wide begin = Wide(buffer.instances() ? last : at.layer) * buffer.layer_stride() + ref.offset() +
                       Wide(at.firstRow) * ref.row_stride();
    if (begin + bytes > spans[ref.buffer()])
      return invalidInput(what + ": leaves buffer " + quoted(buffer.name(), ref.buffer()) + " of " +
                          std::to_string(spans[ref.buffer()]) + " bytes");
    return {};
  }

  Status dispatch(const fb::Dispatch &dispatch, const Extreme &at) const {
    if (dispatch.kernel() >= Items(module.kernels()).size())
      return invalidInput("kernel " + std::to_string(dispatch.kernel()) + " of " +
                          std::to_string(Items(module.kernels()).size()));
    const fb::Kernel &kernel = *module.kernels()->Get(dispatch.kernel());
    const std::uint32_t operands = Items(dispatch.operands()).size();
    if (operands != kernel.operand_count())
      return invalidInput("kernel " + quoted(kernel.name(), dispatch.kernel()) + " takes " +
                          std::to_string(kernel.operand_count()) + " operands, not " + std::to_string(operands));
    // What a kernel reads from there on is up to native code; that it is given a place in its buffer is not.
    for (std::uint32_t i = 0; i < operands; ++i)
      ADJ_RETURN_IF_ERROR(range(*dispatch.operands()->Get(i), at, 1, 1, "operand " + std::to_string(i)));
    return count(*dispatch.groups(), at, "groups").map([](std::uint64_t) {});
  }

  Status matrix(const fb::BufferRef &ref, const Extreme &at, std::uint64_t rows, std::uint64_t columns,
                std::int64_t leading, fb::DType dtype, const char *what) const {
    if (leading > kMostLeading || leading < 1 || columns > static_cast<std::uint64_t>(leading))
      return invalidInput(std::string(what) + ": " + std::to_string(leading) + " elements between rows of " +
                          std::to_string(columns));
    if (rows > kMostCount >> 2)
      return invalidInput(std::string(what) + ": too many rows");
    const std::uint64_t bytes = elementBytes(dtype);
    return range(ref, at, (Wide(rows - 1) * static_cast<std::uint64_t>(leading) + columns) * bytes, bytes, what);
  }

  Status gemm(const fb::Gemm &gemm, const Extreme &at) const {
    const fb::DType inputs = gemm.dtype(), output = gemm.output();
    const auto floats = [](fb::DType dtype) { return dtype == fb::DType::f32 || dtype == fb::DType::bf16; };
    if (!floats(inputs) || !floats(output) || (inputs == fb::DType::f32 && output != fb::DType::f32))
      return invalidInput("gemm: there is no product of " + name(inputs) + " matrices into " + name(output) +
                          "; f32 goes into f32, bf16 into f32 or bf16");
    ADJ_ASSIGN_OR_RETURN(const std::uint64_t m, count(*gemm.m(), at, "m"));
    ADJ_ASSIGN_OR_RETURN(const std::uint64_t n, count(*gemm.n(), at, "n"));
    ADJ_ASSIGN_OR_RETURN(const std::uint64_t k, count(*gemm.k(), at, "k"));
    if (k > static_cast<std::uint64_t>(kMostLeading))
      return invalidInput("gemm: k is too large");
    const bool ta = gemm.transpose_a(), tb = gemm.transpose_b();
    ADJ_RETURN_IF_ERROR(matrix(*gemm.a(), at, ta ? k : m, ta ? m : k, gemm.lda(), inputs, "a"));
    ADJ_RETURN_IF_ERROR(matrix(*gemm.b(), at, tb ? n : k, tb ? k : n, gemm.ldb(), inputs, "b"));
    return matrix(*gemm.c(), at, m, n, gemm.ldc(), output, "c");
  }

  Status copy(const fb::Copy &copy, const Extreme &at) const {
    ADJ_ASSIGN_OR_RETURN(const std::uint64_t rows, count(*copy.count(), at, "count"));
    const auto bytes = [&](std::uint64_t stride) { return Wide(rows - 1) * stride + copy.width(); };
    ADJ_RETURN_IF_ERROR(range(*copy.source(), at, bytes(copy.source_stride()), 1, "source"));
    return range(*copy.destination(), at, bytes(copy.destination_stride()), 1, "destination");
  }

  Status transfer(const fb::Transfer &transfer, const fb::Block &block, Extreme at) const {
    const std::int64_t shift = transfer.layer_shift(), layers = std::max<std::int64_t>(block.layers(), 1);
    if (shift <= -layers || shift >= layers)
      return invalidInput("transfer: no layer of " + std::to_string(layers) + " is " + std::to_string(shift) +
                          " layers from another");
    if (shift < 0) // the last layer that is reached; with a positive shift it is the stack's last
      at.layer -= static_cast<std::uint64_t>(-shift);
    if (transfer.width() < 1 || transfer.source_stride() < transfer.width() ||
        transfer.destination_stride() < transfer.width())
      return invalidInput("transfer: rows of " + std::to_string(transfer.width()) + " bytes, " +
                          std::to_string(transfer.source_stride()) + " and " +
                          std::to_string(transfer.destination_stride()) + " bytes apart, are empty or overlap");
    ADJ_ASSIGN_OR_RETURN(const std::uint64_t rows, count(*transfer.count(), at, "count"));
    const auto bytes = [&](std::uint64_t stride) { return Wide(rows - 1) * stride + transfer.width(); };
    ADJ_RETURN_IF_ERROR(
        range(*transfer.source(), at, bytes(transfer.source_stride()), 1, "source", !transfer.to_host()));
    ADJ_RETURN_IF_ERROR(
        range(*transfer.destination(), at, bytes(transfer.destination_stride()), 1, "destination", transfer.to_host()));
    const fb::BufferRef &here = transfer.to_host() ? *transfer.source() : *transfer.destination();
    const fb::Buffer &buffer = *program.buffers()->Get(here.buffer());
    if (buffer.kind() != fb::BufferKind::arena)
      return invalidInput("transfer: buffer " + quoted(buffer.name(), here.buffer()) +
                          " is not of the arena's fixed part");
    return {};
  }

  Status fill(const fb::Fill &fill, const Extreme &at) const {
    ADJ_ASSIGN_OR_RETURN(const std::uint64_t bytes, count(*fill.bytes(), at, "bytes"));
    return range(*fill.destination(), at, bytes, 1, "destination");
  }

  const fb::Module &module;
  const fb::Program &program;
  std::uint64_t batch, shard;
  std::vector<std::uint64_t> spans;  ///< of each buffer, all its layers
  const fb::Block *before = nullptr; ///< the block verified last
};

} // namespace

Status programs(const fb::Module &module) {
  std::array<std::uint32_t, 3> found{};
  for (const fb::Program *program : Items(module.programs())) {
    const std::string_view name = program->name()->string_view();
    found[0] += name == "forward";
    found[1] += name == "gradient";
    found[2] += name == "prepare";
    if (Status status = ProgramVerifier(module, *program).verify(); !status)
      return tl::unexpected<Error>(status.error().in("program '" + std::string(name) + "'"));
  }
  if (found[0] != 1 || found[1] != 1)
    return invalidInput("programs: there must be one 'forward' and one 'gradient'; there are " +
                        std::to_string(found[0]) + " and " + std::to_string(found[1]));
  const bool copies = module.plan()->working_copy_bytes() > 0;
  if (found[2] != (copies ? 1 : 0))
    return invalidInput("programs: there must be " +
                        std::string(copies ? "one 'prepare', which makes the parameters' working copies"
                                           : "no 'prepare': the plan has no working copies") +
                        "; there are " + std::to_string(found[2]));
  return {};
}

} // namespace adjrt::verify
