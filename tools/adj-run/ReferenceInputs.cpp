// Reading rows for the reference device.
#include "ReferenceInputs.h"
#include "ModuleParameters.h"

#include <algorithm>

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

template <typename T>
static Status readAll(RowSource<T> &rows, std::int64_t batch, std::int64_t tokens, std::vector<T> &packed) {
  packed.reserve(static_cast<std::size_t>(batch * tokens));
  for (std::int64_t b = 0; b != batch; ++b)
    for (std::int64_t first = 0; first < tokens; first += kRowWindow) {
      ADJ_ASSIGN_OR_RETURN(const auto values, rows.window(b, first, std::min(kRowWindow, tokens - first)));
      packed.insert(packed.end(), values.begin(), values.end());
    }
  return {};
}

Expected<ReferenceInputs> ReferenceInputs::read(const TokenStream &stream) {
  ReferenceInputs result;
  result.sequences = stream.batch;
  result.tokens = stream.tokens;
  ADJ_RETURN_IF_ERROR(readAll(stream.inputs(), stream.batch, stream.tokens, result.inputs));
  ADJ_RETURN_IF_ERROR(readAll(stream.targets(), stream.batch, stream.tokens, result.targets));
  if (stream.resets())
    ADJ_RETURN_IF_ERROR(readAll(*stream.resets(), stream.batch, stream.tokens, result.resets));
  return result;
}

reference::Batch ReferenceInputs::batch() const {
  reference::Batch batch;
  batch.batch = sequences;
  batch.tokens = tokens;
  batch.inputs = inputs;
  batch.targets = targets;
  batch.resets = resets;
  return batch;
}
