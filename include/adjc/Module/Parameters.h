//===- Parameters.h - the parameters of a model --------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_MODULE_PARAMETERS_H
#define ADJC_MODULE_PARAMETERS_H

#include "ssm/SsmOps.h"

namespace adjc {

/// A parameter after the layer placeholder was replaced.
struct ParameterInfo {
  std::string name;            ///< "backbone.layers.3.mixer.A_log"
  mlir::RankedTensorType type; ///< static, f32
  mlir::ssm::InitAttr init;
};

/// The parameters of a verified model, each once, in the order in which they first occur; those of a stack of layers
/// layer by layer.
llvm::SmallVector<ParameterInfo> collectParameters(mlir::ssm::ModelOp model);

} // namespace adjc

#endif
