//===- Passes.td - kernels become functions ------------------------------------------------------------------------===//
#ifndef ADJC_KERNELS_PASSES_TD
#define ADJC_KERNELS_PASSES_TD

include "mlir/Pass/PassBase.td"

def AdjLowerKernels : Pass<"adj-lower-kernels", "::mlir::ModuleOp"> {
  let summary = "Turns each adj.kernel into a func.func of scf loops on memrefs.";
  let description = [{
    The function takes one rank-0 memref per input and output, then the batch, the tokens, the rows and the range of groups to run, all of type index
    (runtime/include/adjrt/abi.h). Each kind of operation has one emitter (adjc/Kernels/Emitters.h). The new functions replace the kernels in
    place; dispatches keep naming them.

    For a GPU one block of threads runs a group: loops over lanes are spread over the threads, sums over lanes go through shuffles and shared memory, and workspaces are views of the
    one global `@adj_shared`. The function's last arguments are then batch, tokens, rows and the number of groups; it has the attributes `adj.threads` and `adj.shared_bytes`.
  }];
  let options = [Option<"target", "target", "std::string", [{"cpu"}], "What runs the kernels: cpu or gpu">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif
