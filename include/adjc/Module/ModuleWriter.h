//===- ModuleWriter.h - from planned programs to the bytes of a module file ---------------------------*- C++ -*-===//
#ifndef ADJC_MODULE_MODULEWRITER_H
#define ADJC_MODULE_MODULEWRITER_H

#include "adjc/Kernels/KernelGrid.h"
#include "adjc/Plan/MemoryPlan.h"
#include "adjrt/support/Status.h"

#include "llvm/ADT/StringMap.h"

#include <memory>
#include <string>
#include <vector>

namespace adjrt::fb {
struct ModelT;
struct ProgramT;
struct PlanT;
} // namespace adjrt::fb

namespace adjc {

/// One launch of a kernel's dispatches: how many groups it has, and how the module's list of kernels knows it.
struct KernelEntry {
  std::string name;
  std::string kernel; ///< the adj.kernel: consecutive entries of one are its launches
  std::string op;     ///< what it computes, such as "ssm.scan"
  unsigned operands = 0;
  bool workspace = false; ///< its last operand is the workspace
  int8_t unit = 0;        ///< adjrt::fb::Unit
  int64_t factor = 1, block = 1;
  uint32_t threads = 0, sharedBytes = 0; ///< of a block on a GPU; 0 on the CPU
};

/// Everything that goes into a module file beside the programs.
struct ModuleParts {
  std::unique_ptr<adjrt::fb::ModelT> model;
  std::string modelName;
  int64_t vocabulary = 0;
  std::vector<KernelEntry> kernels; ///< in the order of the module's adj.kernels
  std::vector<char> code;           ///< the shared object
  std::string target, cpu;
  std::vector<std::string> features;
};

/// The kernels of a planned module. Fails with a diagnostic at a kernel whose grid is not known.
mlir::FailureOr<std::vector<KernelEntry>> listKernels(mlir::ModuleOp module, const Plan &plan);

/// Completes the list with what lowering has found: the threads and the shared memory of a GPU's kernels (attributes of
/// the functions of `lowered`).
void readLaunchSizes(mlir::ModuleOp lowered, std::vector<KernelEntry> &kernels);

/// One planned program as the module file has it.
adjrt::fb::ProgramT writeProgram(mlir::adj::ProgramOp program, const std::vector<KernelEntry> &kernels,
                                 const MemoryPlan &memory);

/// The plan section: layouts, staging, predictions at the plan's context.
adjrt::Expected<std::unique_ptr<adjrt::fb::PlanT>> writePlan(const MemoryPlan &memory, int64_t vocabulary);

/// The bytes of the module file: header, table, blobs.
adjrt::Expected<std::vector<char>> writeModule(mlir::ModuleOp module, const MemoryPlan &memory, ModuleParts parts);

} // namespace adjc

#endif
