//===- SsmDialect.td - the ssm dialect -----------------------------------------------------------------------------===//
#ifndef SSM_DIALECT_TD
#define SSM_DIALECT_TD

include "mlir/IR/OpBase.td"

def Ssm_Dialect : Dialect {
  let name = "ssm";
  let cppNamespace = "::mlir::ssm";
  let summary = "What a state space model is.";
  let description = [{
    A model on token-major tensors: activations are `tensor<?x?xCxf32>` (batch, tokens, channels). In every type, the first
    dynamic dimension is the batch and the second the tokens.
  }];
  let dependentDialects = ["::mlir::adj::AdjDialect"];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{ void registerAttributes(); }];
}

class Ssm_Op<string mnemonic, list<Trait> traits = []> : Op<Ssm_Dialect, mnemonic, traits>;

#endif
