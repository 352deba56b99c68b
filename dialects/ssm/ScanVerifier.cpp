//===- ScanVerifier.cpp - what ssm.scan and adj.scan_adjoint verify alike -----------------------------------------===//
#include "ssm/ScanVerifier.h"

#include "adj/AdjAttributes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "ssm/ShapeChecks.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::ssm;

/// Number of the dimension that result `i` of a projection names.
static unsigned dimOf(AffineMap map, unsigned i) { return cast<AffineDimExpr>(map.getResult(i)).getPosition(); }

SmallVector<int64_t> ssm::computeDimSizes(const ScanSpace &space, ArrayAttr maps, ArrayRef<Type> types) {
  SmallVector<int64_t> sizes(space.rank(), ShapedType::kDynamic);
  for (auto [map, type] : llvm::zip(maps.getAsValueRange<AffineMapAttr>(), types))
    for (auto [i, size] : llvm::enumerate(cast<RankedTensorType>(type).getShape()))
      sizes[dimOf(map, i)] = size;
  if (space.contracted) {
    int64_t &copy = sizes[*space.contracted], &original = sizes[*space.contracts];
    (ShapedType::isDynamic(copy) ? copy : original) = ShapedType::isDynamic(copy) ? original : copy;
  }
  return sizes;
}

/// Names, state dimensions, contraction and state type.
static LogicalResult verifyDimensions(Operation *op, const ScanSpace &space, Type stateType) {
  unsigned rank = space.rank();
  if (rank < 3)
    return op->emitOpError() << "needs the batch, the token and at least one state dimension, found " << rank
                             << " dimension(s)";
  llvm::SmallDenseSet<StringRef> names;
  for (unsigned dim = 0; dim < rank; ++dim)
    if (!names.insert(space.name(dim)).second)
      return op->emitOpError() << "has two dimensions named '" << space.name(dim) << "'";
  if (space.state.empty())
    return op->emitOpError() << "has no state dimension";
  DimensionSet seen = space.none();
  for (int64_t dim : space.state) {
    if (dim < 0 || dim >= static_cast<int64_t>(rank))
      return op->emitOpError() << "state dimension " << dim << " is out of range; there are " << rank << " dimensions";
    if (dim == kBatchDim || dim == kTokenDim)
      return op->emitOpError() << "'" << space.name(dim) << "' is the " << (dim == kBatchDim ? "batch" : "token")
                               << " dimension, the first two dimensions are: it is no state dimension";
    if (seen.test(dim))
      return op->emitOpError() << "lists state dimension '" << space.name(dim) << "' twice";
    seen.set(dim);
  }
  if (space.contracted.has_value() != space.contracts.has_value())
    return op->emitOpError() << "needs both or none of 'contracted' and 'contracts'";
  if (space.contracted) {
    int64_t copy = *space.contracted, original = *space.contracts;
    if (copy < 2 || copy >= static_cast<int64_t>(rank) || seen.test(copy))
      return op->emitOpError() << "the contracted dimension must be one of its own beside the state's, found number "
                               << copy;
    if (original < 0 || original >= static_cast<int64_t>(rank) || !seen.test(original))
      return op->emitOpError() << "the contracted dimension '" << space.name(copy)
                               << "' must be a copy of a state dimension, found number " << original;
  }
  auto complex = dyn_cast<ComplexType>(stateType);
  if (!stateType.isF32() && !(complex && complex.getElementType().isF32()))
    return op->emitOpError() << "the state must be f32 or complex<f32>, found " << stateType;
  return success();
}

/// A projection without duplicates, batch and token first.
static LogicalResult verifyMap(Operation *op, const ScanSpace &space, AffineMap map, StringRef what) {
  if (map.getNumDims() != space.rank() || map.getNumSymbols() != 0)
    return op->emitOpError() << "the map of " << what << " is over " << map.getNumDims() << " dimensions, expected "
                             << space.rank();
  DimensionSet seen = space.none();
  for (auto [i, result] : llvm::enumerate(map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(result);
    if (!dim)
      return op->emitOpError() << "the map of " << what << " must be a projection: result " << i
                               << " is not a dimension";
    unsigned position = dim.getPosition();
    if (seen.test(position))
      return op->emitOpError() << "the map of " << what << " names '" << space.name(position) << "' twice";
    bool inOrder = (position != kBatchDim || i == 0) && (position != kTokenDim || (i == 1 && seen.test(kBatchDim)));
    if (!inOrder)
      return op->emitOpError() << "the map of " << what << " has '" << space.name(position) << "' at place " << i
                               << "; tensors are token-major: '" << space.name(kBatchDim) << "' comes first, and '"
                               << space.name(kTokenDim) << "' follows it";
    seen.set(position);
  }
  return success();
}

LogicalResult ssm::verifyScanSpace(Operation *op, const ScanSpace &space, Type stateType, ArrayAttr maps,
                                   ArrayRef<Type> types, llvm::function_ref<std::string(unsigned)> describe) {
  if (failed(verifyDimensions(op, space, stateType)))
    return failure();
  if (maps.size() != types.size())
    return op->emitOpError() << "has " << maps.size() << " indexing maps for " << types.size() << " tensors";
  SmallVector<int64_t> sizes(space.rank(), ShapedType::kDynamic);
  SmallVector<std::string> origin(space.rank());
  for (auto [i, map, type] : llvm::enumerate(maps.getAsValueRange<AffineMapAttr>(), types)) {
    std::string what = describe(i);
    auto tensor = cast<RankedTensorType>(type);
    if (failed(verifyMap(op, space, map, what)))
      return failure();
    if (isa<ComplexType>(tensor.getElementType()))
      return op->emitOpError() << what << " is complex, " << tensor
                               << "; pass real and imaginary part as two inputs and join them with complex.create";
    if (!isStoredFloat(tensor.getElementType()))
      return op->emitOpError() << what << " must hold f32 or bf16, found " << tensor;
    if (tensor.getRank() != map.getNumResults())
      return op->emitOpError() << what << " has rank " << tensor.getRank() << ", its map names " << map.getNumResults()
                               << " dimension(s)";
    for (auto [place, size] : llvm::enumerate(tensor.getShape())) {
      unsigned dim = dimOf(map, place);
      bool dynamic = ShapedType::isDynamic(size);
      if (dynamic != (dim < 2))
        return op->emitOpError() << what << ", " << tensor << ", has a " << (dynamic ? "dynamic" : "static")
                                 << " size for '" << space.name(dim)
                                 << "'; batch and token are dynamic, all else static";
      if (dynamic)
        continue;
      if (!origin[dim].empty() && sizes[dim] != size)
        return op->emitOpError() << "'" << space.name(dim) << "' has size " << size << " in " << what << ", but "
                                 << sizes[dim] << " in " << origin[dim];
      sizes[dim] = size;
      origin[dim] = what;
    }
  }
  if (space.contracted) {
    int64_t copy = sizes[*space.contracted], original = sizes[*space.contracts];
    if (!ShapedType::isDynamic(copy) && !ShapedType::isDynamic(original) && copy != original)
      return op->emitOpError() << "'" << space.name(*space.contracted) << "' is a copy of '"
                               << space.name(*space.contracts) << "' but has size " << copy << " instead of "
                               << original;
  }
  sizes = computeDimSizes(space, maps, types);
  for (unsigned dim = 2; dim < space.rank(); ++dim)
    if (ShapedType::isDynamic(sizes[dim]))
      return op->emitOpError() << "'" << space.name(dim)
                               << "' is in no map: nothing says its size; remove it, or map an input onto it";
  return success();
}

LogicalResult ssm::verifyCheckpoints(Operation *op, RankedTensorType state, int64_t every, Type type) {
  if (every < 1)
    return op->emitOpError() << "checkpoint_every must be at least 1, found " << every;
  SmallVector<int64_t> shape(state.getShape());
  shape.insert(shape.begin() + 1, ShapedType::kDynamic);
  auto blocks = adj::BlocksAttr::get(op->getContext(), "tokens", every);
  return checkType(op, "checkpoints (batch, blocks of tokens, state)", type,
                   RankedTensorType::get(shape, state.getElementType(), blocks));
}

static bool isScalar(Type type) {
  auto complex = dyn_cast<ComplexType>(type);
  return type.isF32() || type.isInteger(1) || (complex && complex.getElementType().isF32());
}

LogicalResult ssm::verifyScanRegion(Operation *op, Region &region, StringRef what, ArrayRef<Type> arguments,
                                    const ScanSpace &space) {
  if (!region.hasOneBlock())
    return op->emitOpError() << "the " << what << " region must be one block";
  Block &block = region.front();
  if (block.getNumArguments() != arguments.size())
    return op->emitOpError() << "the " << what << " region takes " << arguments.size() << " arguments, found "
                             << block.getNumArguments();
  for (auto [i, argument, type] : llvm::enumerate(block.getArguments(), arguments))
    if (argument.getType() != type)
      return op->emitOpError() << "argument " << i << " of the " << what << " region must be " << type << ", found "
                               << argument.getType();
  if (block.empty() || !isa<YieldOp>(block.back()))
    return op->emitOpError() << "the " << what << " region must end with ssm.yield";
  for (Operation &inner : block) {
    bool known = isa<SumOp, YieldOp>(inner) ||
                 isa_and_nonnull<arith::ArithDialect, math::MathDialect, complex::ComplexDialect>(inner.getDialect());
    if (!known)
      return inner.emitOpError() << "may not stand in a scan's region; only operations of arith, math and complex, and "
                                    "ssm.sum, may";
    for (Type type : inner.getResultTypes())
      if (!isScalar(type))
        return inner.emitOpError() << "yields " << type
                                   << "; values in a scan's region are scalars: f32, i1 or complex<f32>";
  }
  return success();
}

LogicalResult ssm::verifySums(Operation *op, const ScanDimensions &dimensions, const ScanSpace &space) {
  for (Region &region : op->getRegions()) {
    for (SumOp sum : region.getOps<SumOp>()) {
      for (int64_t dim : sum.getDims()) {
        if (dim < 0 || dim >= static_cast<int64_t>(space.rank()))
          return sum.emitOpError() << "sums over dimension " << dim << "; the scan has dimensions 0 to "
                                   << space.rank() - 1;
        if (dim == kBatchDim || dim == kTokenDim)
          return sum.emitOpError() << "sums over '" << space.name(dim)
                                   << "'; sums over the batch or the tokens are not local to a token";
        if (!dimensions.variesOver(sum.getValue(), dim))
          return sum.emitOpError() << "sums over '" << space.name(dim) << "', but its operand varies over "
                                   << space.format(dimensions.get(sum.getValue()))
                                   << "; multiply by the dimension's size instead";
      }
    }
  }
  return success();
}
