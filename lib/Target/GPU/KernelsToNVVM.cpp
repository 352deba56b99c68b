//===- KernelsToNVVM.cpp - adj-kernels-to-nvvm: conversion to the NVVM dialect ----------------------------------===//
#include "../LLVM/KernelPatterns.h"
#include "adjc/Kernels/SharedMemory.h"
#include "adjc/Target/GPU/Passes.h"
#include "adjc/Target/Math/Passes.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/Passes.h"

namespace adjc {
#define GEN_PASS_DEF_ADJKERNELSTONVVM
#include "adjc/Target/GPU/Passes.h.inc"
} // namespace adjc

using namespace mlir;
using namespace adjc;

/// What is left of math after adj-expand-math and is an instruction of PTX.
static bool isInstruction(Operation *op) {
  return isa<math::AbsFOp, math::SqrtOp, math::Exp2Op, math::FloorOp, math::CeilOp, math::TruncOp, math::RoundEvenOp,
             math::CopySignOp>(op) &&
         getElementTypeOrSelf(op->getResult(0).getType()).isF32();
}

/// f32 2^x and 1 / x by one instruction of the special-function units each. With denormal operands and results, which
/// ".ftz" flushes, LLVM's own choice would be four.
static void replaceByIntrinsic(Operation *op, Value operand, StringRef name, ConversionPatternRewriter &rewriter) {
  rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(op, rewriter.getF32Type(), rewriter.getStringAttr(name),
                                                     ValueRange{operand});
}

namespace {
struct LowerExp2 : OpConversionPattern<math::Exp2Op> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(math::Exp2Op op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return failure();
    replaceByIntrinsic(op, adaptor.getOperand(), "llvm.nvvm.ex2.approx.ftz.f32", rewriter);
    return success();
  }
};

struct LowerReciprocal : OpConversionPattern<arith::DivFOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::DivFOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    bool approximate = bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::afn);
    if (!op.getType().isF32() || !approximate || !matchPattern(op.getLhs(), m_OneFloat()))
      return failure();
    replaceByIntrinsic(op, adaptor.getRhs(), "llvm.nvvm.rcp.approx.ftz.f", rewriter);
    return success();
  }
};

struct KernelsToNVVM : adjc::impl::AdjKernelsToNVVMBase<KernelsToNVVM> {
  void runOnOperation() override {
    // LLVM would end the process.
    WalkResult known = getOperation().walk([](Operation *op) {
      if (!isa<math::MathDialect>(op->getDialect()) || isInstruction(op))
        return WalkResult::advance();
      op->emitOpError() << "of " << op->getResult(0).getType()
                        << " is not an instruction of a GPU, and adj-expand-math spells no such function";
      return WalkResult::interrupt();
    });
    if (known.wasInterrupted())
      return signalPassFailure();
    LLVMTypeConverter converter(&getContext(), getKernelLowering(&getContext()));
    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp, UnrealizedConversionCastOp>();
    target.addLegalDialect<NVVM::NVVMDialect, gpu::GPUDialect>();
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerExp2, LowerReciprocal>(converter, &getContext(), /*benefit=*/2);
    populateKernelPatterns(converter, patterns);
    if (failed(applyPartialConversion(getOperation(), target, std::move(patterns))))
      return signalPassFailure();
    // After everything else: these patterns would make calls to libdevice of arith and math.
    RewritePatternSet gpuPatterns(&getContext());
    populateGpuToNVVMConversionPatterns(converter, gpuPatterns);
    populateGpuSubgroupReduceOpLoweringPattern(converter, gpuPatterns);
    target.addIllegalDialect<gpu::GPUDialect>();
    if (failed(applyPartialConversion(getOperation(), target, std::move(gpuPatterns))))
      return signalPassFailure();
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (auto threads = function->getAttrOfType<IntegerAttr>(adjc::threadsAttribute)) {
        Builder b(&getContext());
        function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
        function->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                          b.getDenseI32ArrayAttr({static_cast<int32_t>(threads.getInt())}));
        if (auto blocks = function->getAttrOfType<IntegerAttr>(adjc::minimumBlocksAttribute))
          function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                            b.getI32IntegerAttr(static_cast<int32_t>(blocks.getInt())));
      }
  }
};
} // namespace

void adjc::buildGpuPipeline(OpPassManager &manager) {
  AdjExpandMathOptions math;
  math.gpu = true;
  manager.addNestedPass<func::FuncOp>(createAdjExpandMath(math));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createAdjKernelsToNVVM());
  manager.addPass(createReconcileUnrealizedCastsPass());
}
