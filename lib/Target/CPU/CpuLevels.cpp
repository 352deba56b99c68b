//===- CpuLevels.cpp - the CPUs that kernels are compiled for ---------------------------------------------------===//
#include "adjc/Target/CPU/CpuLevels.h"
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

/// Makes `target`, of the level below, a target of this level.
static void raise(CpuTarget &target, const Level &level) {
  target.name = level.name.str();
  target.vectorBits = level.vectorBits;
  for (const Feature &feature : level.adds)
    target.features.push_back(feature.kernel.str());
}

llvm::Expected<CpuTarget> adjc::resolveNativeCpu(const llvm::StringMap<bool> &hostFeatures) {
  CpuTarget target;
  for (const Level &level : getLevels()) {
    for (const Feature &feature : level.adds) {
      if (hostFeatures.lookup(feature.llvm))
        continue;
      if (target.name.empty())
        return llvm::createStringError(
            "this machine's CPU lacks " + feature.kernel.str() +
            ", which x86-64-v2 needs; name the CPU to compile for: --cpu=x86-64-v2, x86-64-v3 or x86-64-v4");
      return target;
    }
    raise(target, level);
  }
  return target;
}

llvm::Expected<CpuTarget> adjc::resolveCpu(llvm::StringRef name) {
  if (name == "native")
    return resolveNativeCpu(llvm::sys::getHostCPUFeatures());
  CpuTarget target;
  for (const Level &level : getLevels()) {
    raise(target, level);
    if (name == level.name)
      return target;
  }
  return llvm::createStringError("unknown CPU '" + name.str() + "'; use native, x86-64-v2, x86-64-v3 or x86-64-v4");
}
