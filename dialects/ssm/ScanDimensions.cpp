//===- ScanDimensions.cpp - which dimensions a value of a scan's region varies over -------------------------------===//
#include "ssm/ScanDimensions.h"

#include "adj/AdjOps.h"
#include "ssm/SsmOps.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::ssm;

DimensionSet ScanSpace::of(AffineMap map) const {
  DimensionSet set = none();
  for (AffineExpr result : map.getResults())
    set.set(cast<AffineDimExpr>(result).getPosition());
  return set;
}

DimensionSet ScanSpace::ofFlag() const {
  DimensionSet set = none();
  set.set(kBatchDim).set(kTokenDim);
  return set;
}

DimensionSet ScanSpace::ofState() const {
  DimensionSet set = ofFlag();
  for (int64_t dim : state)
    set.set(dim);
  return set;
}

DimensionSet ScanSpace::ofStateBefore() const {
  DimensionSet set = ofState();
  if (contracted)
    set.reset(*contracts).set(*contracted);
  return set;
}

std::string ScanSpace::format(const DimensionSet &set) const {
  if (set.none())
    return "nothing";
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleaveComma(set.set_bits(), stream, [&](unsigned dim) { stream << name(dim); });
  return text;
}

ScanSpace ssm::getSpace(ScanOp scan) {
  return {scan.getDims(), scan.getState(), scan.getContracted(), scan.getContracts()};
}

ScanSpace ssm::getSpace(adj::ScanAdjointOp scan) {
  return {scan.getDims(), scan.getState(), scan.getContracted(), scan.getContracts()};
}

/// One set per map, in order.
static SmallVector<DimensionSet> setsOfMaps(const ScanSpace &space, ArrayAttr maps) {
  return llvm::map_to_vector(maps.getAsValueRange<AffineMapAttr>(), [&](AffineMap map) { return space.of(map); });
}

ScanDimensions::ScanDimensions(ScanOp scan) {
  ScanSpace space = getSpace(scan);
  rank = space.rank();
  SmallVector<DimensionSet> arguments = setsOfMaps(space, scan.getIndexingMaps());
  arguments.truncate(scan.getInputs().size());
  arguments.push_back(space.ofFlag());
  add(scan.getStep(), arguments);
  arguments.back() = space.ofState();
  arguments.push_back(space.ofFlag());
  add(scan.getRead(), arguments);
}

ScanDimensions::ScanDimensions(adj::ScanAdjointOp scan) {
  ScanSpace space = getSpace(scan);
  rank = space.rank();
  // Inputs and cotangents: in the adjoint region both have a scalar, in this order.
  SmallVector<DimensionSet> arguments = setsOfMaps(space, scan.getIndexingMaps());
  SmallVector<DimensionSet> stepArguments(arguments);
  stepArguments.truncate(scan.getInputs().size());
  stepArguments.push_back(space.ofFlag());
  add(scan.getStep(), stepArguments);
  arguments.push_back(space.ofStateBefore());
  arguments.append(2, space.ofState()); // the state after, the state cotangent
  arguments.push_back(space.ofFlag());
  add(scan.getAdjoint(), arguments);
}

void ScanDimensions::add(Region &region, ArrayRef<DimensionSet> arguments) {
  for (auto [argument, set] : llvm::zip(region.getArguments(), arguments))
    sets.try_emplace(argument, set);
  for (Operation &op : region.front()) {
    DimensionSet set(rank);
    for (Value operand : op.getOperands())
      if (auto known = sets.find(operand); known != sets.end())
        set |= known->second;
    if (auto sum = dyn_cast<SumOp>(op))
      for (int64_t dim : sum.getDims())
        set.reset(dim);
    for (Value result : op.getResults())
      sets.try_emplace(result, set);
  }
}

unsigned ssm::getLaneDim(ScanOp scan) {
  ArrayRef<int64_t> state = scan.getState();
  AffineMap output = scan.getOutputMap(0);
  if (output.getNumResults() != 0) {
    unsigned last = output.getDimPosition(output.getNumResults() - 1);
    if (llvm::is_contained(state, static_cast<int64_t>(last)))
      return last;
  }
  SmallVector<int64_t> sizes = scan.getDimSizes();
  return *llvm::max_element(state, [&](int64_t a, int64_t b) { return sizes[a] < sizes[b]; });
}
