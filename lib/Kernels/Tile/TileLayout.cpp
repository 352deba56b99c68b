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

/// A GPU that spans are chosen for: an H100's processors, and the threads of `_states` that one holds. Another one
/// computes the same, with another number of idle processors at the end.
constexpr int64_t processors = 132, statesThreads = 1024;
/// Warps that a processor does without when it waits for memory and for results: its time for w warps is that for
/// w + idleWarps which would always have work.
constexpr int64_t idleWarps = 4;

/// Time of `blocks` blocks of `tokens` tokens on processors that hold `resident` of them at once.
static double timeOf(int64_t blocks, int64_t tokens, int64_t threads, int64_t resident) {
  int64_t warps = threads / warpThreads, wave = processors * resident, rest = blocks % wave;
  int64_t time = blocks / wave * (resident * warps + idleWarps);
  if (rest > 0)
    time += llvm::divideCeil(rest, processors) * warps + idleWarps;
  return static_cast<double>(time) * static_cast<double>(tokens);
}

/// The number of chunks per span that takes the least time, of those numbers with equal results the least.
static int64_t chooseSpan(const TileLayout &layout, int64_t blocks, const SpanWork &work, int64_t tokens) {
  int64_t residentSpans = work.residentBlocks(layout);
  int64_t residentChunks = std::max<int64_t>(1, statesThreads / layout.threads());
  int64_t chunks = llvm::divideCeil(tokens, layout.chunk), best = 1;
  std::optional<double> least;
  for (int64_t spans = chunks; spans >= 1; --spans) {
    int64_t span = llvm::divideCeil(chunks, spans), count = llvm::divideCeil(chunks, span);
    double waves = std::max(1.0, static_cast<double>(count * blocks) / static_cast<double>(processors * residentSpans));
    double time = work.perToken * (1 + work.lockstep / waves) *
                      timeOf(count * blocks, span * layout.chunk, layout.threads(), residentSpans) +
                  timeOf((count - 1) * span * blocks, layout.chunk, layout.threads(), residentChunks);
    if (!least || time < *least) {
      least = time;
      best = span;
    }
  }
  return best;
}

std::optional<TileLayout> TileLayout::get(const ScanGeometry &geometry, const SpanWork &work,
                                          std::optional<ShardShape> shard) {
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
  if (shard)
    layout.span = chooseSpan(layout, blocks * shard->batch, work, shard->tokens);
  return layout;
}

TileLayout TileLayout::forSpans(const ScanGeometry &geometry) const {
  TileLayout layout = *this;
  if (geometry.stateParts == 1 && laneShare == 1 && innerThreads > 1 && laneThreads % 2 == 0 && threads() % 64 == 0) {
    layout.laneShare = 2;
    layout.laneThreads /= 2;
  }
  return layout;
}

TileBlock makeTileBlock(KernelContext &context, const ScanGeometry &geometry, const TileLayout &layout, int64_t span,
                        Value group) {
  KernelBuilder &b = context.b;
  TileBlock block;
  Value perSpan = b.index(geometry.getBlocks() * geometry.getGroupedPoints());
  block.chunks = b.ceilDiv(context.tokens, layout.chunk);
  block.spans = b.ceilDiv(context.tokens, layout.chunk * span);
  Value rest = b.div(group, perSpan);
  block.span = b.remainder(rest, block.spans);
  Value sequence = b.div(rest, block.spans);
  block.scan = makeBlock(b, geometry, b.add(b.mul(sequence, perSpan), b.remainder(group, perSpan)));
  block.firstChunk = b.mul(block.span, b.index(span));
  block.lastChunk = b.sub(b.min(b.add(block.firstChunk, b.index(span)), block.chunks), b.index(1));
  block.firstToken = b.mul(block.span, b.index(layout.chunk * span));
  block.tokens = b.min(b.index(layout.chunk * span), b.sub(context.tokens, block.firstToken));
  block.thread = b.threadNumber();
  block.laneThread = b.div(block.thread, b.index(layout.innerThreads));
  block.innerThread = b.remainder(block.thread, b.index(layout.innerThreads));
  return block;
}

} // namespace adjc::scan
