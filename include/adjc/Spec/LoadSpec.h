//===- LoadSpec.h - a model spec from a file --------------------------------------------------------------------===//
#ifndef ADJC_SPEC_LOADSPEC_H
#define ADJC_SPEC_LOADSPEC_H

#include "adjc/Import/MambaConfig.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"

namespace adjc {

/// Reads the spec in the file `path`: a Hugging Face config where the name ends in .json, ssm dialect otherwise. The
/// result is a verified module with exactly one `ssm.model`. The dialects of `context` must be registered.
///
/// Errors are InvalidInput; the message has one line per diagnostic, `file:line:column: what is wrong`.
adjrt::Expected<mlir::OwningOpRef<mlir::ModuleOp>> loadSpec(mlir::MLIRContext &context, llvm::StringRef path,
                                                            ComputeType computeType);

} // namespace adjc

#endif
