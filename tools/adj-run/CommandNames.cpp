#include "CommandNames.h"

#include <algorithm>

using namespace adjrt;
using namespace adjrun;

namespace {

/// An extent of the module format: factor * ceil(value(unit) / block).
double count(const fb::Extent &extent, const CommandTiming &timing) {
  const std::int64_t units[] = {1, timing.batch, timing.tokens, timing.rows};
  return static_cast<double>(extent.factor() *
                             ((units[static_cast<int>(extent.unit())] + extent.block() - 1) / extent.block()));
}

/// "3072", "rows", "tokens/64": what an extent is, before the number of tokens is known.
std::string spell(const fb::Extent &extent) {
  if (extent.unit() == fb::Unit::one)
    return std::to_string(extent.factor());
  std::string text = fb::EnumNameUnit(extent.unit());
  if (extent.block() != 1)
    text += "/" + std::to_string(extent.block());
  return extent.factor() == 1 ? text : std::to_string(extent.factor()) + " " + text;
}

} // namespace

const fb::Command &adjrun::commandAt(const Module &module, const CommandPlace &place) {
  return *module.table().programs()->Get(place.program)->blocks()->Get(place.block)->commands()->Get(place.command);
}

std::string adjrun::kindOf(const Module &module, const fb::Command &command) {
  if (const auto *dispatch = command.operation_as_Dispatch()) {
    const auto *op = module.table().kernels()->Get(dispatch->kernel())->op();
    return op ? op->str() : "dispatch";
  }
  std::string kind = fb::EnumNameOperation(command.operation_type());
  std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
  return kind;
}

std::string adjrun::describe(const Module &module, const fb::Command &command) {
  std::string text;
  if (const auto *dispatch = command.operation_as_Dispatch())
    text = module.table().kernels()->Get(dispatch->kernel())->name()->str();
  else if (const auto *gemm = command.operation_as_Gemm())
    text = (gemm->dtype() == fb::DType::f32 ? "gemm " : std::string("gemm ") + fb::EnumNameDType(gemm->dtype()) + " ") +
           spell(*gemm->m()) + " x " + spell(*gemm->n()) + " x " + spell(*gemm->k()) +
           (gemm->accumulate() ? ", added" : "");
  else
    text = kindOf(module, command);
  return text;
}

std::string adjrun::placeOf(const fb::Command &command) {
  // Names are "kernel at place": the kernel is in a column of its own.
  const std::string name = command.name() ? command.name()->str() : "";
  const std::size_t at = name.find(" at ");
  return at == std::string::npos ? name : name.substr(at + 4);
}

double adjrun::flopsOf(const fb::Command &command, const CommandTiming &timing) {
  const auto *gemm = command.operation_as_Gemm();
  return gemm ? 2 * count(*gemm->m(), timing) * count(*gemm->n(), timing) * count(*gemm->k(), timing) : 0;
}
