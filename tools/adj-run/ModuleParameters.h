// A module's parameters, moved between files, initializers and devices in small pieces.
#ifndef ADJC_TOOLS_ADJRUN_MODULEPARAMETERS_H
#define ADJC_TOOLS_ADJRUN_MODULEPARAMETERS_H

#include "Evaluator.h"
#include "adjrt/io/Parameters.h"
#include "adjrt/io/Safetensors.h"
#include "adjrt/module/Module.h"

#include <vector>

namespace adjrun {

/// Names and shapes, in the module's order.
std::vector<adjrt::TensorSpec> listParameters(const adjrt::Module &module);

/// Number of elements of all parameters.
std::uint64_t countParameters(const adjrt::Module &module);

/// Whether the loss's head is the table of the embedding.
bool hasTiedHead(const adjrt::Module &module);

/// Opens `path` and holds its tensors against the module's list (see ParameterSource::match). A tied model's file may
/// have an lm_head.weight of its own, which is not read.
adjrt::Expected<adjrt::ParameterSource> openParameters(const adjrt::Module &module, const std::string &path);

/// Gives the evaluator the parameters of a file that openParameters accepted.
adjrt::Status loadParameters(const adjrt::Module &module, const adjrt::ParameterSource &source, Evaluator &evaluator);

/// Gives the evaluator initial parameters.
adjrt::Status initializeParameters(const adjrt::Module &module, std::uint64_t seed, Evaluator &evaluator);

/// Which of an evaluator's arrays to save.
enum class Saved { Parameters, Gradients };

/// Writes all tensors and commits the file. `writer` was created with listParameters.
adjrt::Status saveTensors(const adjrt::Module &module, Evaluator &evaluator, Saved what,
                          adjrt::SafetensorsWriter &writer);

/// Calls `visit(parameter index, first element, number of elements)` for pieces that together cover all parameters.
adjrt::Status forEachPiece(const adjrt::Module &module,
                           const std::function<adjrt::Status(std::uint32_t, std::uint64_t, std::size_t)> &visit);

/// Most elements in a piece.
inline constexpr std::size_t kPiece = 1 << 18;

} // namespace adjrun

#endif
