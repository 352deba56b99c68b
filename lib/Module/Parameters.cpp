//===- Parameters.cpp - the parameters of a model -----------------------------------------------------------------===//
#include "adjc/Module/Parameters.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

static constexpr StringLiteral kPlaceholder = "{layer}";

/// The name in layer number `layer`.
static std::string nameInLayer(StringRef name, int64_t layer) {
  auto [before, after] = name.split(kPlaceholder);
  return before.size() == name.size() ? name.str() : (before + Twine(layer) + after).str();
}

SmallVector<adjc::ParameterInfo> adjc::collectParameters(ssm::ModelOp model) {
  SmallVector<ParameterInfo> parameters;
  llvm::StringSet<> seen;
  auto add = [&](ssm::ParameterOp op, int64_t layer) {
    std::string name = nameInLayer(op.getName(), layer);
    if (seen.insert(name).second)
      parameters.push_back({std::move(name), cast<RankedTensorType>(op.getType()), op.getInit()});
  };
  for (Operation &op : model.getBody().front()) {
    if (auto parameter = dyn_cast<ssm::ParameterOp>(op))
      add(parameter, 0);
    auto repeat = dyn_cast<ssm::RepeatOp>(op);
    for (int64_t layer = 0; repeat && layer < static_cast<int64_t>(repeat.getCount()); ++layer)
      for (auto parameter : repeat.getBody().getOps<ssm::ParameterOp>())
        add(parameter, layer);
  }
  return parameters;
}
