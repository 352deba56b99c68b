//===- ModelExporter.h - the model section of a module -------------------------------------------------*- C++ -*-===//
#ifndef ADJC_MODULE_MODELEXPORTER_H
#define ADJC_MODULE_MODELEXPORTER_H

#include "ssm/SsmOps.h"

#include <memory>

namespace adjrt::fb {
struct ModelT;
}

namespace adjc {

/// The model section (docs/model-section.md): what the reference device interprets. `model` is a spec: verified, before
/// expansion and differentiation. Fails with a diagnostic at an operation that the section has no form for.
mlir::FailureOr<std::unique_ptr<adjrt::fb::ModelT>> exportModel(mlir::ssm::ModelOp model);

} // namespace adjc

#endif
