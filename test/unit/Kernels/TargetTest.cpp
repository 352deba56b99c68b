//===- TargetTest.cpp - the CPU target: levels, dependencies, errors --------------------------------------------===//
#include "KernelRunner.h"
#include "adjc/Target/CPU/CpuLevels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Object/ELFObjectFile.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace adjc;

namespace {
struct TargetTest : testing::Test {
  TargetTest() {
    DialectRegistry registry;
    registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect, memref::MemRefDialect>();
    registerCpuTranslations(registry);
    context.appendDialectRegistry(registry);
    context.disableMultithreading();
    handler.emplace(&context, [this](Diagnostic &diagnostic) { messages += diagnostic.str(); });
  }
  FailureOr<std::vector<char>> compile(const std::string &operation, const char *cpu) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
        "func.func @k(%p: memref<f32>, %b: index, %t: index, %r: index, %f: index, %l: index) {\n"
        "%v = memref.load %p[] : memref<f32>\n%w = " +
            operation + " : f32\nmemref.store %w, %p[] : memref<f32>\nreturn\n}",
        &context);
    EXPECT_TRUE(module);
    return compileForCpu(*module, llvm::cantFail(resolveCpu(cpu)));
  }
  MLIRContext context;
  std::optional<ScopedDiagnosticHandler> handler;
  std::string messages;
};

TEST_F(TargetTest, LevelsNameTheirFeatures) {
  for (const char *name : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    EXPECT_EQ(llvm::cantFail(resolveCpu(name)).name, name);
  auto has = [](const char *cpu, const char *feature) {
    return llvm::is_contained(llvm::cantFail(resolveCpu(cpu)).features, std::string(feature));
  };
  EXPECT_TRUE(has("x86-64-v2", "sse4_2"));
  EXPECT_FALSE(has("x86-64-v2", "avx2"));
  EXPECT_TRUE(has("x86-64-v3", "fma"));
  EXPECT_TRUE(has("x86-64-v3", "sse4_2"));
  EXPECT_FALSE(has("x86-64-v3", "avx512f"));
  EXPECT_TRUE(has("x86-64-v4", "avx512f"));
  // This machine compiles for itself.
  EXPECT_EQ(llvm::cantFail(resolveCpu("native")).name.rfind("x86-64-v", 0), 0u);
}

TEST_F(TargetTest, NativeIsTheHighestLevelThatTheMachineHas) {
  llvm::StringMap<bool> features;
  for (const char *feature : {"cx16", "sahf", "popcnt", "ssse3", "sse4.1", "sse4.2", "avx", "avx2"})
    features[feature] = true;
  EXPECT_EQ(llvm::cantFail(resolveNativeCpu(features)).name, "x86-64-v2"); // no FMA
  for (const char *feature : {"bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"})
    features[feature] = true;
  EXPECT_EQ(llvm::cantFail(resolveNativeCpu(features)).name, "x86-64-v3");
  features["popcnt"] = false;
  llvm::Expected<CpuTarget> target = resolveNativeCpu(features);
  ASSERT_FALSE(static_cast<bool>(target));
  EXPECT_EQ(llvm::toString(target.takeError()), "this machine's CPU lacks popcnt, which x86-64-v2 needs; name the CPU "
                                                "to compile for: --cpu=x86-64-v2, x86-64-v3 or x86-64-v4");
}

TEST_F(TargetTest, AnUnknownCpuIsAnError) {
  llvm::Expected<CpuTarget> target = resolveCpu("haswell");
  ASSERT_FALSE(static_cast<bool>(target));
  EXPECT_EQ(llvm::toString(target.takeError()), "unknown CPU 'haswell'; use native, x86-64-v2, x86-64-v3 or x86-64-v4");
}

TEST_F(TargetTest, TheSharedObjectIsSelfContained) {
  for (const char *cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    FailureOr<std::vector<char>> code = compile("math.exp %v", cpu);
    ASSERT_TRUE(succeeded(code)) << messages;
    auto object = llvm::cantFail(llvm::object::ObjectFile::createELFObjectFile(
        llvm::MemoryBufferRef(llvm::StringRef(code->data(), code->size()), "k")));
    std::vector<std::string> symbols;
    for (llvm::object::ELFSymbolRef symbol :
         llvm::cast<llvm::object::ELFObjectFileBase>(*object).getDynamicSymbolIterators()) {
      EXPECT_FALSE(llvm::cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined);
      symbols.push_back(llvm::cantFail(symbol.getName()).str());
    }
    EXPECT_EQ(symbols, std::vector<std::string>{"k"});
  }
}

TEST_F(TargetTest, AFunctionThatNeedsALibraryIsAnError) {
  EXPECT_TRUE(failed(compile("math.acos %v", "x86-64-v3")));
  EXPECT_NE(messages.find("acos"), std::string::npos) << messages;
}

TEST_F(TargetTest, EqualInputGivesEqualBytes) {
  auto first = compile("math.tanh %v", "x86-64-v3"), second = compile("math.tanh %v", "x86-64-v3");
  ASSERT_TRUE(succeeded(first) && succeeded(second));
  EXPECT_EQ(*first, *second);
}

TEST_F(TargetTest, WithoutATemporaryFolderLinkingIsAnError) {
  const char *before = getenv("TMPDIR");
  std::string saved = before ? before : "";
  setenv("TMPDIR", "/nonexistent", 1);
  bool failedToCompile = failed(compile("math.exp %v", "x86-64-v3"));
  before ? setenv("TMPDIR", saved.c_str(), 1) : unsetenv("TMPDIR");
  EXPECT_TRUE(failedToCompile);
  EXPECT_NE(messages.find("cannot make a temporary folder"), std::string::npos) << messages;
  EXPECT_NE(messages.find("set TMPDIR to a folder that can be written"), std::string::npos) << messages;
}

TEST_F(TargetTest, PrintsOptimizedLLVM) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      "func.func @k(%p: memref<f32>, %b: index, %t: index, %r: index, %f: index, %l: index) {\nreturn\n}", &context);
  FailureOr<std::string> text = printCpuLLVM(*module, llvm::cantFail(resolveCpu("x86-64-v4")));
  ASSERT_TRUE(succeeded(text)) << messages;
  EXPECT_NE(text->find("define void @k(ptr"), std::string::npos) << *text;
  EXPECT_NE(text->find("\"target-cpu\"=\"x86-64-v4\""), std::string::npos) << *text;
  EXPECT_EQ(text->find("k.body"), std::string::npos) << "the body is internal, and inlined: " << *text;
}

} // namespace
