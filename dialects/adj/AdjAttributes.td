//===- AdjAttributes.td - attributes of the adj dialect ------------------------------------------------------------===//
#ifndef ADJ_ATTRIBUTES_TD
#define ADJ_ATTRIBUTES_TD

include "adj/AdjDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Adj_BlocksAttr : AttrDef<Adj_Dialect, "Blocks"> {
  let mnemonic = "blocks";
  let summary = "Tensor encoding: a dynamic dimension that counts blocks of tokens or rows.";
  let description = [{
    Without an encoding the first dynamic dimension of a type is the batch and the second the tokens. With
    `#adj.blocks<rows, 64>` the only dynamic dimension is ceil(batch * tokens / 64); with `#adj.blocks<tokens, 64>` the
    first is the batch and the second ceil(tokens / 64).
  }];
  let parameters = (ins StringRefParameter<"rows or tokens">:$unit, "int64_t":$size);
  let assemblyFormat = "`<` $unit `,` $size `>`";
}

def Adj_BufferKind : I32EnumAttr<"BufferKind", "what a buffer's offset is relative to (adjrt::fb::BufferKind)", [
    I32EnumAttrCase<"Arena", 0, "arena">, I32EnumAttrCase<"Parameters", 1, "parameters">, I32EnumAttrCase<"Gradients", 2, "gradients">,
    I32EnumAttrCase<"CarryIn", 3, "carry_in">, I32EnumAttrCase<"CarryOut", 4, "carry_out">,
    I32EnumAttrCase<"CotangentIn", 5, "cotangent_in">, I32EnumAttrCase<"CotangentOut", 6, "cotangent_out">,
    I32EnumAttrCase<"WorkingCopies", 7, "working_copies">]> {
  let cppNamespace = "::mlir::adj";
}

#endif
