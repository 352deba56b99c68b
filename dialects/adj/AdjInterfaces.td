//===- AdjInterfaces.td - the two interfaces that hold the dialects together ----------------------------------------===//
#ifndef ADJ_INTERFACES_TD
#define ADJ_INTERFACES_TD

include "mlir/IR/OpBase.td"

def AdjointOpInterface : OpInterface<"AdjointOpInterface"> {
  let description = [{
    Builds an operation's adjoint, on values. `adj-derive-adjoint` knows operations only through this interface.
  }];
  let cppNamespace = "::mlir::adj";
  let methods = [
    InterfaceMethod<[{
      Rewrites the forward operation so that it also yields what its adjoint needs (for example a scan's checkpoints). Returns the operation to
      differentiate (this one, when nothing is needed beyond its operands and results).
    }], "::mlir::adj::AdjointOpInterface", "augmentForward", (ins "::mlir::RewriterBase &":$rewriter), "",
    [{ return ::mlir::cast<::mlir::adj::AdjointOpInterface>($_op.getOperation()); }]>,
    InterfaceMethod<[{
      Builds the vjp at `builder`'s insertion point. `cotangents` has one value per result of the operation (null where the cotangent is zero, and for
      results that are not differentiated). Operands and results of the forward operation may be used directly as values: the pass makes them
      available in the reverse program. Returns one value per operand, of the operand's type, null where there is no cotangent (integers, or zero).
      Fails with a diagnostic that names what has no rule.
    }], "::llvm::FailureOr<::llvm::SmallVector<::mlir::Value>>", "buildAdjoint",
      (ins "::mlir::OpBuilder &":$builder, "::llvm::ArrayRef<::mlir::Value>":$cotangents)>,
  ];
}

def CarryOpInterface : OpInterface<"CarryOpInterface"> {
  let description = [{
    Lists what an operation carries across a token boundary. Shard, distribute and plan passes know only this interface. The adjoint of a carrying
    operation implements it too: what it carries, from right to left, is the cotangent of the forward operation's carry of the same name.
  }];
  let cppNamespace = "::mlir::adj";
  let methods = [
    InterfaceMethod<"What is carried; names are unique within the operation.",
      "::llvm::SmallVector<::mlir::adj::Carry>", "getCarries", (ins)>,
    InterfaceMethod<"The name under which the operation's carries are kept: given by adj-derive-adjoint, the same for forward and adjoint.",
      "::llvm::StringRef", "getCarryScope", (ins)>,
    InterfaceMethod<"Gives that name.", "void", "setCarryScope", (ins "::llvm::StringRef":$name)>,
    InterfaceMethod<"True for an adjoint operation: its carries are cotangents and travel from right to left.",
      "bool", "carriesCotangents", (ins)>,
    InterfaceMethod<[{
      Rewrites the operation to start from `carriedIn` (one value per carry) and to hand over `carriedOut`; `resets` is the (b, t) i8 tensor of
      document starts, or null. Results of the old operation are replaced.
    }], "::mlir::LogicalResult", "attachCarries", (ins "::mlir::RewriterBase &":$rewriter, "::mlir::ValueRange":$carriedIn,
        "::mlir::Value":$resets, "::llvm::SmallVectorImpl<::mlir::Value> &":$carriedOut)>,
  ];
}

#endif
