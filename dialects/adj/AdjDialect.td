//===- AdjDialect.td - the adj dialect -----------------------------------------------------------------------------===//
#ifndef ADJ_DIALECT_TD
#define ADJ_DIALECT_TD

include "mlir/IR/OpBase.td"

def Adj_Dialect : Dialect {
  let name = "adj";
  let cppNamespace = "::mlir::adj";
  let summary = "How a gradient is evaluated.";
  let description = [{
    Programs for one token shard: vjps, carried states and cotangents, accumulation, kernels and their dispatches, buffers.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{ void registerAttributes(); }];
}

class Adj_Op<string mnemonic, list<Trait> traits = []> : Op<Adj_Dialect, mnemonic, traits>;

#endif
