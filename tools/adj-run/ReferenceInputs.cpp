// Packing rows for the reference device.
#include "ReferenceInputs.h"
#include "ModuleParameters.h"

using namespace adjrt;
using namespace adjrun;

Expected<reference::ReferenceModel> adjrun::openReferenceModel(const Module &module, unsigned threads) {
  std::vector<reference::ParameterSpec> parameters;
  for (TensorSpec &tensor : listParameters(module))
    parameters.push_back({std::move(tensor.name), std::move(tensor.shape)});
  auto model = reference::ReferenceModel::create(module.model(), std::move(parameters));
  if (!model)
    return tl::unexpected(model.error().in(module.path()));
  model->setThreads(threads);
  return model;
}

static std::vector<std::int32_t> pack(const std::int32_t *rows, std::int64_t stride, std::int64_t batch,
                                      std::int64_t tokens) {
  std::vector<std::int32_t> packed;
  if (batch == 1 || stride == tokens)
    return packed;
  packed.reserve(static_cast<std::size_t>(batch * tokens));
  for (std::int64_t b = 0; b != batch; ++b)
    packed.insert(packed.end(), rows + b * stride, rows + b * stride + tokens);
  return packed;
}

ReferenceInputs::ReferenceInputs(const TokenStream &stream)
    : stream(stream), inputs(pack(stream.inputs(), stream.inputStride, stream.batch, stream.tokens)),
      targets(pack(stream.targets(), stream.targetStride, stream.batch, stream.tokens)) {}

reference::Batch ReferenceInputs::batch() const {
  auto count = static_cast<std::size_t>(stream.batch * stream.tokens);
  reference::Batch batch;
  batch.batch = stream.batch;
  batch.tokens = stream.tokens;
  batch.inputs = {inputs.empty() ? stream.inputs() : inputs.data(), count};
  batch.targets = {targets.empty() ? stream.targets() : targets.data(), count};
  if (stream.resets())
    batch.resets = {stream.resets(), count};
  return batch;
}
