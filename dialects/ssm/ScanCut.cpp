//===- ScanCut.cpp - how a scan's state is cut among kernel groups ------------------------------------------------===//
#include "ssm/ScanCut.h"

#include "adj/AdjOps.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::ssm;

/// Channels of the lane dimension that one kernel group handles, where they are independent.
static constexpr int64_t kLaneBlock = 64;

bool ScanCut::needsPartials(const DimensionSet &dims) const {
  return !dims.test(lane) || llvm::any_of(grouped, [&](int64_t dim) { return !dims.test(dim); });
}

int64_t ScanCut::countPartials(const DimensionSet &dims, ArrayRef<int64_t> sizes) const {
  int64_t count = dims.test(lane) ? 1 : countLaneBlocks(sizes);
  for (int64_t dim : grouped)
    if (!dims.test(dim))
      count *= sizes[dim];
  return count;
}

RankedTensorType ScanCut::getCotangentType(RankedTensorType input, const DimensionSet &dims,
                                           ArrayRef<int64_t> sizes) const {
  SmallVector<int64_t> shape;
  if (needsPartials(dims))
    shape.push_back(countPartials(dims, sizes));
  if (!dims.test(kBatchDim))
    shape.push_back(ShapedType::kDynamic);
  bool complete = shape.empty() && dims.test(kTokenDim);
  llvm::append_range(shape, input.getShape());
  // Sums over tokens, sequences or groups are f32 whatever the input is stored in.
  return RankedTensorType::get(shape, complete ? input.getElementType() : Float32Type::get(input.getContext()));
}

ScanCut ssm::getScanCut(ScanOp scan) {
  ScanSpace space = getSpace(scan);
  DimensionSet summed = space.none(), common = space.ofState();
  for (Region *region : {&scan.getStep(), &scan.getRead()})
    for (SumOp sum : region->getOps<SumOp>())
      for (int64_t dim : sum.getDims())
        summed.set(dim);
  if (space.contracts)
    summed.set(*space.contracts);
  for (unsigned i = 0; i < scan.getOutputs().size(); ++i)
    common &= space.of(scan.getOutputMap(i));

  ScanCut cut;
  cut.lane = getLaneDim(scan);
  cut.laneBlock = summed.test(cut.lane) ? scan.getDimSizes()[cut.lane] : kLaneBlock;
  common.reset(kBatchDim).reset(kTokenDim).reset(cut.lane).reset(summed);
  for (unsigned dim : common.set_bits())
    cut.grouped.push_back(dim);
  return cut;
}

ScanCut ssm::getScanCut(adj::ScanAdjointOp scan) {
  return {static_cast<unsigned>(scan.getLane()), static_cast<int64_t>(scan.getLaneBlock()),
          SmallVector<int64_t>(scan.getGrouped())};
}
