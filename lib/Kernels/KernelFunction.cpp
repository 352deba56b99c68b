//===- KernelFunction.cpp - the function that a kernel becomes --------------------------------------------------===//
#include "KernelFunction.h"
#include "adjc/Kernels/SharedMemory.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace adjc;

func::FuncOp adjc::makeKernelFunction(OpBuilder &builder, adj::KernelOp kernel, StringRef name, KernelTarget target,
                                      bool workspace) {
  bool gpu = target == KernelTarget::Gpu;
  Attribute space = gpu ? builder.getI64IntegerAttr(globalMemorySpace) : Attribute();
  SmallVector<Type> types;
  Block &body = kernel.getBody().front();
  auto addPointer = [&](Type element) {
    types.push_back(MemRefType::get({}, element, MemRefLayoutAttrInterface(), space));
  };
  auto addOperand = [&](Value tensor) { addPointer(cast<RankedTensorType>(tensor.getType()).getElementType()); };
  llvm::for_each(body.getArguments(), addOperand);
  llvm::for_each(body.getTerminator()->getOperands(), addOperand);
  if (workspace)
    addPointer(builder.getF32Type());
  size_t pointers = types.size();
  types.append(gpu ? 4 : 5, builder.getIndexType());
  auto function = func::FuncOp::create(builder, kernel.getLoc(), name, builder.getFunctionType(types, {}));
  function.addEntryBlock();
  // Operands never overlap: a tied input is read through the output's pointer. Inputs may repeat, and are only read.
  for (size_t i = 0; i < pointers; ++i)
    function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
  if (gpu)
    for (unsigned i = 0; i < body.getNumArguments(); ++i)
      function.setArgAttr(i, LLVM::LLVMDialect::getReadonlyAttrName(), builder.getUnitAttr());
  return function;
}
