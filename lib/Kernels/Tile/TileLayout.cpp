//===- TileLayout.cpp - how a recurrence is laid over the threads of a GPU block --------------------------------===//
#include "TileLayout.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adjc::scan {

/// Inner points that a thread holds, where there are enough of them: one 16-byte access.
constexpr int64_t preferredInnerShare = 4;
/// Lanes of a block: those of a partial sum (ssm::getScanCut).
constexpr int64_t mostLanes = 64;
/// Tokens of a chunk. Short enough that a shard of some thousand tokens fills a GPU; long enough that a chunk's own
/// costs (its states, its partial sums) are small beside its tokens'.
constexpr int64_t chunkTokens = 512, shortChunkTokens = 128;

std::optional<TileLayout> TileLayout::get(const ScanGeometry &geometry) {
  TileLayout layout;
  DimSet inner = geometry.innerDims(geometry.stateSet);
  SmallVector<unsigned> dims = members(inner);
  // Dimensions that are not the state's (outputs of their own) would be inner ones too.
  for (unsigned dim = tokenDim + 1; dim < geometry.sizes.size(); ++dim)
    if (!contains(geometry.stateSet, dim))
      return std::nullopt;
  if (geometry.contracted || dims.size() > 1 || geometry.block > mostLanes)
    return std::nullopt;
  if (!dims.empty()) {
    layout.inner = dims.front();
    layout.innerSize = geometry.sizes[dims.front()];
  }
  if (layout.innerSize <= preferredInnerShare || (layout.innerSize <= 8 && layout.innerSize % preferredInnerShare)) {
    layout.innerShare = layout.innerSize;
  } else if (layout.innerSize % preferredInnerShare == 0) {
    layout.innerShare = preferredInnerShare;
    layout.innerThreads = layout.innerSize / preferredInnerShare;
    if (!llvm::isPowerOf2_64(layout.innerThreads) || layout.innerThreads > tileTokens)
      return std::nullopt;
  } else {
    return std::nullopt;
  }
  int64_t lanes = std::min<int64_t>(mostLanes, llvm::PowerOf2Ceil(geometry.lanes));
  layout.laneThreads = std::max(lanes, 32 / layout.innerThreads);
  int64_t blocks = geometry.getBlocks() * geometry.getGroupedPoints();
  layout.chunk = blocks >= 32 ? chunkTokens : shortChunkTokens;
  return layout;
}

TileBlock makeTileBlock(KernelContext &context, const ScanGeometry &geometry, const TileLayout &layout, Value group) {
  KernelBuilder &b = context.b;
  TileBlock block;
  Value perChunk = b.index(geometry.getBlocks() * geometry.getGroupedPoints());
  block.chunks = b.ceilDiv(context.tokens, layout.chunk);
  Value rest = b.div(group, perChunk);
  block.chunk = b.remainder(rest, block.chunks);
  Value sequence = b.div(rest, block.chunks);
  block.scan = makeBlock(b, geometry, b.add(b.mul(sequence, perChunk), b.remainder(group, perChunk)));
  block.firstToken = b.mul(block.chunk, b.index(layout.chunk));
  block.tokens = b.min(b.index(layout.chunk), b.sub(context.tokens, block.firstToken));
  block.thread = b.threadNumber();
  block.laneThread = b.div(block.thread, b.index(layout.innerThreads));
  block.innerThread = b.remainder(block.thread, b.index(layout.innerThreads));
  return block;
}

} // namespace adjc::scan
