//===- GpuTargetTest.cpp - the GPU targets: names, PTX, errors --------------------------------------------------===//
#include "adjc/Target/GPU/GpuTarget.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace adjc;

TEST(GpuTargetTest, Names) {
  for (const char *name : {"sm_80", "sm_90", "sm_90a", "sm_100"})
    EXPECT_EQ(llvm::cantFail(resolveGpu(name)).name, name);
  for (const char *name : {"sm_70", "sm_90b", "cpu", ""}) {
    llvm::Expected<GpuTarget> target = resolveGpu(name);
    ASSERT_FALSE(target);
    EXPECT_EQ(llvm::toString(target.takeError()),
              "not a GPU that adjc compiles for; give one of: sm_80, sm_90, sm_90a, sm_100");
  }
}

/// No pass of ours leaves a call: what comes from elsewhere must not become an `.extern` that only the driver misses.
TEST(GpuTargetTest, CallOfAFunctionThatIsNotThere) {
  DialectRegistry registry;
  registry.insert<func::FuncDialect, memref::MemRefDialect>();
  registerGpuTranslations(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  std::string messages;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) { messages += diagnostic.str(); });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(R"(
    func.func private @__nv_expf(f32) -> f32
    func.func @k(%p: memref<f32, 1>) attributes {adj.threads = 32 : i64} {
      %v = memref.load %p[] : memref<f32, 1>
      %w = func.call @__nv_expf(%v) : (f32) -> f32
      memref.store %w, %p[] : memref<f32, 1>
      return
    })",
                                                             &context);
  ASSERT_TRUE(module);
  EXPECT_TRUE(failed(compileForGpu(*module, llvm::cantFail(resolveGpu("sm_90")))));
  EXPECT_EQ(messages, "kernels call __nv_expf, which PTX has no instruction for");
}
