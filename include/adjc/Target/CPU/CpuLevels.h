//===- CpuLevels.h - the level of the machine that compiles ------------------------------------------*- C++ -*-===//
#ifndef ADJC_TARGET_CPU_CPULEVELS_H
#define ADJC_TARGET_CPU_CPULEVELS_H

#include "adjc/Target/CPU/CpuTarget.h"
#include "llvm/ADT/StringMap.h"

namespace adjc {

/// What resolveCpu("native") means on a machine with these features, by LLVM's names for them: the highest level that
/// it has all of. The error names a feature that the lowest level needs.
llvm::Expected<CpuTarget> resolveNativeCpu(const llvm::StringMap<bool> &hostFeatures);

} // namespace adjc

#endif
