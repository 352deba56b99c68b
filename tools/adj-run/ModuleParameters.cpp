// Streaming parameters in pieces of 1 MiB: nothing here grows with the model.
#include "ModuleParameters.h"
#include "adjrt/initialize/Initialize.h"

#include <algorithm>
#include <map>

using namespace adjrt;
using namespace adjrun;

std::vector<TensorSpec> adjrun::listParameters(const Module &module) {
  std::vector<TensorSpec> tensors;
  if (const auto *parameters = module.table().parameters())
    for (const fb::Parameter *parameter : *parameters) {
      TensorSpec &tensor = tensors.emplace_back();
      tensor.name = parameter->name()->str();
      if (parameter->shape())
        tensor.shape.assign(parameter->shape()->begin(), parameter->shape()->end());
    }
  return tensors;
}

std::uint64_t adjrun::countParameters(const Module &module) {
  std::uint64_t count = 0;
  if (const auto *parameters = module.table().parameters())
    for (const fb::Parameter *parameter : *parameters)
      count += elementCount(*parameter);
  return count;
}

bool adjrun::hasTiedHead(const Module &module) {
  const auto *nodes = module.model().graph()->nodes();
  if (!nodes)
    return false;
  std::map<std::int32_t, std::string> parameterOf;
  std::string table, head;
  for (const fb::Node *node : *nodes) {
    std::string op = node->op()->str();
    if (op == "ssm.parameter" && node->attributes() && node->results() && node->results()->size() == 1) {
      for (const fb::Attribute *attribute : *node->attributes())
        if (attribute->name()->str() == "name" && attribute->text())
          parameterOf[node->results()->Get(0)] = attribute->text()->str();
    } else if ((op == "ssm.embedding" || op == "ssm.lm_loss") && node->operands() && node->operands()->size() > 1) {
      auto found = parameterOf.find(node->operands()->Get(1));
      if (found != parameterOf.end())
        (op == "ssm.embedding" ? table : head) = found->second;
    }
  }
  return !table.empty() && table == head;
}

Expected<ParameterSource> adjrun::openParameters(const Module &module, const std::string &path) {
  ADJ_ASSIGN_OR_RETURN(ParameterSource source, ParameterSource::open(path));
  std::vector<std::string> ignored;
  if (hasTiedHead(module))
    ignored.push_back("lm_head.weight");
  ADJ_RETURN_IF_ERROR(source.match(listParameters(module), ignored));
  return source;
}

Status adjrun::forEachPiece(const Module &module,
                            const std::function<Status(std::uint32_t, std::uint64_t, std::size_t)> &visit) {
  const auto *parameters = module.table().parameters();
  for (std::uint32_t index = 0; index != (parameters ? parameters->size() : 0); ++index) {
    std::uint64_t count = elementCount(*parameters->Get(index));
    for (std::uint64_t first = 0; first < count; first += kPiece)
      ADJ_RETURN_IF_ERROR(
          visit(index, first, static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, count - first))));
  }
  return {};
}

Status adjrun::loadParameters(const Module &module, const ParameterSource &source, Evaluator &evaluator) {
  std::vector<float> buffer(kPiece);
  return forEachPiece(module, [&](std::uint32_t index, std::uint64_t first, std::size_t count) -> Status {
    std::span<float> piece = std::span(buffer).first(count);
    ADJ_RETURN_IF_ERROR(source.read(module.table().parameters()->Get(index)->name()->str(), piece, first));
    return evaluator.setParameter(index, piece, first);
  });
}

Status adjrun::initializeParameters(const Module &module, std::uint64_t seed, Evaluator &evaluator) {
  std::vector<float> buffer(kPiece);
  return forEachPiece(module, [&](std::uint32_t index, std::uint64_t first, std::size_t count) -> Status {
    std::span<float> piece = std::span(buffer).first(count);
    Status status = initializeParameter(*module.table().parameters()->Get(index), seed, piece, first);
    if (!status)
      return tl::unexpected(status.error().in(module.path()));
    return evaluator.setParameter(index, piece, first);
  });
}

Status adjrun::saveTensors(const Module &module, Evaluator &evaluator, Saved what, SafetensorsWriter &writer) {
  std::vector<float> buffer(kPiece);
  ADJ_RETURN_IF_ERROR(forEachPiece(module, [&](std::uint32_t index, std::uint64_t first, std::size_t count) -> Status {
    std::span<float> piece = std::span(buffer).first(count);
    ADJ_RETURN_IF_ERROR(what == Saved::Gradients ? evaluator.getGradient(index, piece, first)
                                                 : evaluator.getParameter(index, piece, first));
    return writer.write(index, piece, first);
  }));
  return writer.commit();
}
