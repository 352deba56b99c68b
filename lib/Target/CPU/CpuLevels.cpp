//===- CpuLevels.cpp - the CPUs that kernels are compiled for ---------------------------------------------------===//
#include "adjc/Target/CPU/CpuTarget.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/TargetParser/Host.h"

using namespace adjc;

namespace {
/// A feature by LLVM's name and by that of /proc/cpuinfo.
struct Feature {
  llvm::StringLiteral llvm, kernel;
};
/// A psABI level adds features to the one before it.
struct Level {
  llvm::StringLiteral name;
  unsigned vectorBits;
  llvm::SmallVector<Feature> adds;
};
} // namespace

static const std::vector<Level> &getLevels() {
  static const std::vector<Level> levels = {
      {"x86-64-v2",
       128,
       {{"cx16", "cx16"},
        {"sahf", "lahf_lm"},
        {"popcnt", "popcnt"},
        {"ssse3", "ssse3"},
        {"sse4.1", "sse4_1"},
        {"sse4.2", "sse4_2"}}},
      {"x86-64-v3",
       256,
       {{"avx", "avx"},
        {"avx2", "avx2"},
        {"bmi", "bmi1"},
        {"bmi2", "bmi2"},
        {"f16c", "f16c"},
        {"fma", "fma"},
        {"lzcnt", "abm"},
        {"movbe", "movbe"},
        {"xsave", "xsave"}}},
      {"x86-64-v4",
       512,
       {{"avx512f", "avx512f"},
        {"avx512bw", "avx512bw"},
        {"avx512cd", "avx512cd"},
        {"avx512dq", "avx512dq"},
        {"avx512vl", "avx512vl"}}},
  };
  return levels;
}

llvm::Expected<CpuTarget> adjc::resolveCpu(llvm::StringRef name) {
  llvm::StringMap<bool> host;
  if (name == "native")
    host = llvm::sys::getHostCPUFeatures();
  CpuTarget target;
  std::string lacking;
  for (const Level &level : getLevels()) {
    if (name == "native") {
      for (const Feature &feature : level.adds)
        if (!host.lookup(feature.llvm))
          lacking = feature.kernel.str();
      if (!lacking.empty())
        break;
    }
    target.name = level.name.str();
    target.vectorBits = level.vectorBits;
    for (const Feature &feature : level.adds)
      target.features.push_back(feature.kernel.str());
    if (name == level.name)
      return target;
  }
  if (name != "native")
    return llvm::createStringError("unknown CPU '" + name.str() + "'; use native, x86-64-v2, x86-64-v3 or x86-64-v4");
  if (target.name.empty())
    return llvm::createStringError(
        "this machine's CPU lacks " + lacking +
        ", which x86-64-v2 needs; name the CPU to compile for: --cpu=x86-64-v2, x86-64-v3 or x86-64-v4");
  return target;
}
