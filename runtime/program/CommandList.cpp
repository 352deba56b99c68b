#include "CommandList.h"

namespace adjrt::program {

tl::unexpected<Error> noSuchCommand(const CommandPlace &place) {
  return failed("there is no command " + std::to_string(place.command) + " in block " + std::to_string(place.block) +
                " of program " + std::to_string(place.program));
}

namespace {

Reference resolve(const fb::Program &program, const fb::BufferRef &ref) {
  const fb::Buffer &buffer = *program.buffers()->Get(ref.buffer());
  return {static_cast<std::uint8_t>(buffer.kind()), buffer.offset() + ref.offset(), buffer.layer_stride(),
          ref.row_stride(), buffer.instances()};
}

Count resolve(const fb::Extent &extent) { return {extent.unit(), extent.factor(), extent.block()}; }

/// A Copy, or the rows of a Transfer.
template <typename Table> Copy resolveRows(const fb::Program &program, const Table &table) {
  return {resolve(program, *table.source()),
          resolve(program, *table.destination()),
          resolve(*table.count()),
          table.width(),
          table.source_stride(),
          table.destination_stride()};
}

} // namespace

CommandList::CommandList(const fb::Program &program) {
  if (!program.blocks())
    return;
  for (const fb::Block *source : *program.blocks()) {
    Block &block =
        list.emplace_back(Block{source->layers(), source->reverse(), source->joined(), source->mini_sequence(), {}});
    if (!source->commands())
      continue;
    for (const fb::Command *command : *source->commands()) {
      Command &result = block.commands.emplace_back();
      if (command->name())
        result.name = command->name()->str();
      if (const auto *dispatch = command->operation_as_Dispatch()) {
        Dispatch operation{dispatch->kernel(), {}, resolve(*dispatch->groups())};
        for (std::uint32_t i = 0; dispatch->operands() && i < dispatch->operands()->size(); ++i)
          operation.operands.push_back(resolve(program, *dispatch->operands()->Get(i)));
        operands = std::max(operands, operation.operands.size());
        result.operation = std::move(operation);
      } else if (const auto *gemm = command->operation_as_Gemm()) {
        result.operation = Gemm{resolve(program, *gemm->a()),
                                resolve(program, *gemm->b()),
                                resolve(program, *gemm->c()),
                                resolve(*gemm->m()),
                                resolve(*gemm->n()),
                                resolve(*gemm->k()),
                                gemm->lda(),
                                gemm->ldb(),
                                gemm->ldc(),
                                gemm->transpose_a(),
                                gemm->transpose_b(),
                                gemm->accumulate(),
                                gemm->dtype(),
                                gemm->output()};
      } else if (const auto *copy = command->operation_as_Copy()) {
        result.operation = resolveRows(program, *copy);
      } else if (const auto *fill = command->operation_as_Fill()) {
        result.operation = Fill{resolve(program, *fill->destination()), resolve(*fill->bytes())};
      } else if (const auto *transfer = command->operation_as_Transfer()) {
        result.operation = Transfer{resolveRows(program, *transfer), transfer->to_host(), transfer->layer_shift()};
      } else if (const auto *await = command->operation_as_Await()) {
        result.operation = Await{await->to_host(), await->behind()};
      }
    }
  }
}

} // namespace adjrt::program
