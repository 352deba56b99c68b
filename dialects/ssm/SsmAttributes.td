//===- SsmAttributes.td - attributes of the ssm dialect ------------------------------------------------------------===//
#ifndef SSM_ATTRIBUTES_TD
#define SSM_ATTRIBUTES_TD

include "ssm/SsmDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Ssm_InitAttr : AttrDef<Ssm_Dialect, "Init"> {
  let mnemonic = "init";
  let summary = "How a parameter is initialised.";
  let description = [{
    `kind` is one of `zeros`, `ones`, `constant` (a), `normal` (mean a, standard deviation b), `uniform` (from a to b),
    `arange` (every row a, a + b, a + 2 b, ...), `a_log` (every row log(1), ..., log(N): S4D-Real) and `dt_bias` (the inverse softplus of max(dt, c), dt log-uniform in [a, b];
    arXiv 2312.00752, section 3.6).

    Example: `#ssm.init<normal, 0.0, 0.02>`.
  }];
  let parameters = (ins StringRefParameter<"kind of initialiser">:$kind,
                        "::mlir::DenseF64ArrayAttr":$numbers);
  let builders = [AttrBuilder<(ins "::llvm::StringRef":$kind, CArg<"::llvm::ArrayRef<double>", "{}">:$values), [{
    return $_get($_ctxt, kind, ::mlir::DenseF64ArrayAttr::get($_ctxt, values));
  }]>];
  let extraClassDeclaration = [{
    /// The kind's numbers, a, b and c.
    ::llvm::ArrayRef<double> getValues() const { return getNumbers().asArrayRef(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

// Named as in Hugging Face's configs.
def Ssm_Activation : I32EnumAttr<"Activation", "an MLP's activation", [
    I32EnumAttrCase<"Silu", 0, "silu">,                       // x sigmoid(x)
    I32EnumAttrCase<"Gelu", 1, "gelu">,                       // x (1 + erf(x / sqrt(2))) / 2
    I32EnumAttrCase<"GeluTanh", 2, "gelu_pytorch_tanh">]> {   // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  let cppNamespace = "::mlir::ssm";
}

#endif
