#include "MlpModel.h"

#include "ScanModels.h"

namespace adjrt::reference::test {

int mlp(ModelBuilder &m, int x, const MlpShape &shape) {
  std::vector<int> operands = {x};
  std::vector<std::int64_t> segments = {1};
  const auto add = [&](bool present, const char *name, std::vector<std::int64_t> dimensions) {
    segments.push_back(present);
    if (present)
      operands.push_back(m.parameter(name, std::move(dimensions)));
  };
  add(shape.gated, "gate", {shape.hidden, shape.channels});
  add(shape.gated && shape.biased, "gate_bias", {shape.hidden});
  add(true, "up", {shape.hidden, shape.channels});
  add(shape.biased, "up_bias", {shape.hidden});
  add(true, "down", {shape.channels, shape.hidden});
  add(shape.biased, "down_bias", {shape.channels});
  return m.op("ssm.mlp", operands,
              {Attr::ofText("activation", shape.activation), Attr::ofIntegers("operand_segments", segments)});
}

ModelBuilder mlpModel(const MlpShape &shape) {
  return languageModel(shape.channels, [&](ModelBuilder &m, int x) { return mlp(m, mlp(m, x, shape), shape); });
}

} // namespace adjrt::reference::test
