//===- Layouts.h - where parameters and carries lie ---------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_LAYOUTS_H
#define ADJC_PLAN_LAYOUTS_H

#include "adjc/Plan/Plan.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"

#include <vector>

namespace adjc {

/// One named tensor per layer of its stack. Offsets and strides in bytes; layer k lies at offset + k * layerStride.
struct LayoutEntry {
  std::string name; ///< with its `{layer}` placeholder
  mlir::RankedTensorType type;
  mlir::Attribute init;             ///< a parameter's initialiser
  mlir::Operation *first = nullptr; ///< the operation that names it first
  int64_t layers = 1;
  bool perLayer = false; ///< inside a stack, which may have one layer
  uint64_t bytes = 0;
  uint64_t offset = 0;
  uint64_t layerStride = 0; ///< 0 outside of a stack

  /// The name in layer `layer`.
  std::string nameOf(int64_t layer) const;
};

/// Tensors that lie in one region, in the order in which the module names them; those of one stack layer by layer, so
/// that every one has a constant stride between layers.
class Layout {
public:
  /// The parameters of a module (and, equally, their gradients). Fails when a name is used with two types or layer
  /// counts.
  static mlir::FailureOr<Layout> ofParameters(mlir::ModuleOp module);
  /// The working copies of parameters that products in bf16 read (adj.working_copy), by the parameters' names.
  static mlir::FailureOr<Layout> ofWorkingCopies(mlir::ModuleOp module);
  /// What crosses a token boundary (and, equally, its cotangents), for `batch` sequences.
  static mlir::FailureOr<Layout> ofCarries(mlir::ModuleOp module, int64_t batch);

  const std::vector<LayoutEntry> &entries() const { return list; }
  /// Null when there is none of that name.
  const LayoutEntry *find(mlir::StringRef name) const;
  uint64_t bytes() const { return total; }

private:
  mlir::LogicalResult add(mlir::Operation *op, mlir::StringRef name, mlir::RankedTensorType type, int64_t batch);
  mlir::LogicalResult place();

  std::vector<LayoutEntry> list;
  llvm::StringMap<size_t> byName;
  uint64_t total = 0;
};

} // namespace adjc

#endif
