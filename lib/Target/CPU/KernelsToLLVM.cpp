//===- KernelsToLLVM.cpp - adj-kernels-to-llvm: conversion and entry points -------------------------------------===//
#include "../LLVM/KernelPatterns.h"
#include "adjc/Target/CPU/Passes.h"
#include "adjc/Target/Math/Passes.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/Passes.h"

namespace adjc {
#define GEN_PASS_DEF_ADJKERNELSTOLLVM
#include "adjc/Target/CPU/Passes.h.inc"
} // namespace adjc

using namespace mlir;
using namespace adjc;

/// The fields of adj_kernel_args after `buffers`: batch, tokens, rows, first_group, last_group.
static constexpr unsigned sizeFields = 5;

/// Makes `body` internal and gives its name to a function that takes a const adj_kernel_args *.
static void addEntryPoint(LLVM::LLVMFuncOp body) {
  ImplicitLocOpBuilder b(body.getLoc(), body);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto entry = LLVM::LLVMFuncOp::create(b, body.getName(),
                                        LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), pointer));
  body.setSymName((body.getName() + ".body").str());
  body.setLinkage(LLVM::Linkage::Internal);

  b.setInsertionPointToStart(entry.addEntryBlock(b));
  // Every field, and every address, is eight bytes.
  auto loadWord = [&](Value base, unsigned index, Type type) -> Value {
    Value place =
        LLVM::GEPOp::create(b, pointer, b.getI64Type(), base, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    return LLVM::LoadOp::create(b, type, place, /*alignment=*/8);
  };
  Value arguments = entry.getArgument(0);
  Value buffers = loadWord(arguments, 0, pointer);
  unsigned count = body.getNumArguments() - sizeFields;
  SmallVector<Value> operands;
  for (unsigned i = 0; i < count; ++i)
    operands.push_back(loadWord(buffers, i, pointer));
  for (unsigned i = 0; i < sizeFields; ++i)
    operands.push_back(loadWord(arguments, 1 + i, b.getI64Type()));
  LLVM::CallOp::create(b, body, operands);
  LLVM::ReturnOp::create(b, ValueRange());
}

namespace {
struct KernelsToLLVM : adjc::impl::AdjKernelsToLLVMBase<KernelsToLLVM> {
  void runOnOperation() override {
    LLVMTypeConverter converter(&getContext(), getKernelLowering(&getContext()));
    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp>();
    RewritePatternSet patterns(&getContext());
    populateKernelPatterns(converter, patterns);
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      return signalPassFailure();
    SmallVector<LLVM::LLVMFuncOp> bodies(getOperation().getOps<LLVM::LLVMFuncOp>());
    for (LLVM::LLVMFuncOp body : bodies)
      if (!body.isExternal())
        addEntryPoint(body);
  }
};
} // namespace

void adjc::buildCpuPipeline(OpPassManager &manager) {
  manager.addNestedPass<func::FuncOp>(createAdjExpandMath());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createAdjKernelsToLLVM());
}
