//===- PointProgram.h - a recurrence's regions, staged by what they vary over -------------------------*- C++ -*-===//
//
// What one point of a recurrence's iteration space computes, as a graph whose nodes know the dimensions they vary over.
// Staging puts each node into the outermost loop nest that it needs: values without the token are computed once per
// kernel group, values without further state dimensions once per token, and the rest inside loops over those
// dimensions. The loop over the lanes, in vectors, is always innermost.
//
//===----------------------------------------------------------------------------------------------------------------===//
#ifndef ADJC_KERNELS_POINTPROGRAM_H
#define ADJC_KERNELS_POINTPROGRAM_H

#include "adjc/Kernels/KernelBuilder.h"

#include <functional>
#include <memory>

namespace adjc::scan {

/// A set of the iteration space's dimensions: bit i is dimension i.
using DimSet = uint64_t;
constexpr unsigned batchDim = 0, tokenDim = 1;
inline DimSet dimBit(unsigned dim) { return DimSet(1) << dim; }
inline bool contains(DimSet set, unsigned dim) { return (set & dimBit(dim)) != 0; }
/// The members of a set, ascending.
llvm::SmallVector<unsigned> members(DimSet set);

/// Where in the iteration space code is emitted.
struct PointIndex {
  /// One index per dimension (null where no loop over it is open). The lane dimension's is the global one: the block's
  /// first lane plus `lane`.
  llvm::SmallVector<mlir::Value> dims;
  /// The (first) lane within the block.
  mlir::Value lane;
  /// On a GPU: which of its thread's lanes that is.
  mlir::Value ownLane;
  /// Lanes that are read or written at once: 1 (a scalar) or laneCount (a vector).
  int64_t width = 1;
  /// Number of the block of lanes.
  mlir::Value block;
  /// The token within its chunk (adjoint only).
  mlir::Value slot;
};

/// Emits one node's code and returns its value (null for a store). Operands are scalars or, where `width` lanes are
/// handled at once and the node varies over them, vectors.
using PointEmit = std::function<mlir::Value(KernelBuilder &, const PointIndex &, mlir::ValueRange operands)>;

struct PointNode {
  enum class Kind {
    Leaf,  ///< reads memory
    Value, ///< computes from its operands
    Sum,   ///< sums its operand over `summed`
    Store  ///< writes memory
  };
  Kind kind;
  /// Dimensions the result varies over.
  DimSet dims = 0;
  /// Dimensions of the loops it is emitted in: `dims`, and for a sum those it sums over.
  DimSet space = 0;
  DimSet summed = 0;
  mlir::Type type;
  llvm::SmallVector<PointNode *> operands;
  PointEmit emit;
  /// Its memory cannot be read or written in whole vectors, because its lanes are strided or end within a vector: it is
  /// copied to or from the scratch, lane by lane, in a loop of its own.
  bool copied = false;
  /// Its lanes are far apart in memory.
  bool strided = false;
  /// Varies with the lane only after a sum over the lanes: wrong where a block does not hold all of them.
  bool afterLaneSum = false;
  /// The region's operation (null for what the kernel adds): what an error points at, and what equal nodes are found
  /// by.
  mlir::Operation *op = nullptr;
  /// The tensor that a leaf reads, and its map (null for scratch).
  mlir::Value tensor;
  mlir::AffineMap map;
  /// Order of the nests: a node uses what nests of lower levels left in the scratch.
  int level = 0;
  /// In creation order, which is a topological one.
  unsigned number = 0;
};

/// A value of a region: a complex one has a node for its imaginary part.
struct PointValue {
  PointNode *re = nullptr;
  PointNode *im = nullptr;
};

/// The nodes of one loop nest, in topological order.
struct PointNest {
  bool perToken = false;
  int level = 0;
  /// Dimensions of the loops around the lane loop.
  DimSet loops = 0;
  llvm::SmallVector<PointNode *> nodes;
};

class PointProgram {
public:
  /// `lane`: number of the lane dimension. `fixed`: dimensions of which a kernel group holds one point; sums over them
  /// are partial sums, to be completed outside of the kernel.
  PointProgram(unsigned lane, DimSet fixed) : lane(lane), fixed(fixed | dimBit(batchDim)) {}

  PointNode *addLeaf(DimSet dims, mlir::Type type, PointEmit emit, bool copied);
  PointNode *addValue(llvm::ArrayRef<PointNode *> operands, mlir::Type type, PointEmit emit);
  PointNode *addSum(PointNode *operand, DimSet over);
  /// `space`: the points at which it stores; the operand is repeated along those that it does not vary over.
  PointNode *addStore(PointNode *operand, DimSet space, PointEmit emit, bool copied);

  /// Adds a region's operations; `arguments` has one value per block argument. Nodes equal to existing ones are shared.
  /// On success `yielded` has the terminator's operands. Fails with a diagnostic for an operation that is neither
  /// arith, math nor ssm.sum (ssm-expand-complex leaves of complex numbers only how they are taken apart and joined),
  /// and for a value from outside of the region.
  mlir::LogicalResult addRegion(mlir::Region &region, llvm::ArrayRef<PointValue> arguments,
                                llvm::SmallVectorImpl<PointValue> &yielded);

  /// Fails with a diagnostic if a sum over the lanes is needed where a block holds some of them only: anywhere, or with
  /// `partial` (each block stores its own part of the sum) where lanes use it again.
  mlir::LogicalResult verifyLaneSums(mlir::Operation *op, bool partial) const;

  /// From here on exp(x y), where y does not vary over the tokens, is exp2(x (y log2(e))): what is constant is scaled
  /// once. And x / y is x (1 / y): all that is divided by y shares one reciprocal.
  void foldExponents() { foldsExponents = true; }

  /// Takes (x y) z as (x z) y where x z is computed anyway and x y is not: an adjoint's a c, say, in (c h) a.
  void shareProducts();

  /// In topological order.
  llvm::ArrayRef<std::unique_ptr<PointNode>> getNodes() const { return nodes; }
  /// The node that computes what `other` does, a node of another program whose operands `match` finds here (null where
  /// there is none); null when there is no such node.
  PointNode *findEqual(const PointNode &other, llvm::function_ref<PointNode *(const PointNode *)> match) const;
  /// Makes a value a leaf that reads it from where something else has left it.
  void replaceByLeaf(PointNode *node, PointEmit emit);

  /// Drops what no store needs and assigns nodes to nests, in order of execution.
  void stage();

  llvm::ArrayRef<PointNest> getNests() const { return nests; }
  /// True if a nest other than the node's own reads the node's value.
  bool isUsedElsewhere(const PointNode *node) const;
  /// The dimensions over which a group loops, besides token and lane.
  DimSet innerDims(DimSet set) const { return set & ~(fixed | dimBit(tokenDim) | dimBit(lane)); }
  bool hasLane(const PointNode *node) const { return contains(node->space, lane); }
  /// A sum over the lanes and nothing else: complete after the loop over the lanes.
  bool isLaneSum(const PointNode *node) const {
    return node->kind == PointNode::Kind::Sum && node->summed == dimBit(lane);
  }
  /// True if a nest computes the value after its loop over the lanes: a sum over them, or what follows from one without
  /// lanes.
  bool isAfterLanes(const PointNode *node) const { return isLaneSum(node) || (node->afterLaneSum && !hasLane(node)); }
  bool isPerToken(const PointNode *node) const { return contains(node->space, tokenDim); }
  /// Leaves without a lane are cheap: every nest reads them itself.
  bool isReadWhereUsed(const PointNode *node) const {
    return node->kind == PointNode::Kind::Leaf && !hasLane(node) && innerDims(node->dims) != 0;
  }
  bool sameNest(const PointNode *a, const PointNode *b) const {
    return isPerToken(a) == isPerToken(b) && a->level == b->level && innerDims(a->space) == innerDims(b->space);
  }
  unsigned getLane() const { return lane; }

private:
  PointNode *add(PointNode::Kind kind, DimSet dims, DimSet space, mlir::Type type, llvm::ArrayRef<PointNode *> operands,
                 PointEmit emit);
  PointNode *addOperation(mlir::Operation &op, llvm::ArrayRef<PointNode *> operands);
  PointNode *addExponential(PointNode *argument);
  PointNode *findProduct(const PointNode *x, const PointNode *y, const PointNode *but) const;
  bool shareFactors(PointNode *product);
  PointNode *addQuotient(PointNode *x, PointNode *y, mlir::Operation *op);
  void dropUnused();
  void assignLevels();

  unsigned lane;
  DimSet fixed;
  bool foldsExponents = false;
  llvm::SmallVector<std::pair<PointNode *, PointNode *>> exponentials;            ///< folded ones, by their argument
  llvm::SmallVector<std::pair<PointNode *, PointNode *>> reciprocals;             ///< by what they are of
  llvm::SmallVector<std::tuple<PointNode *, PointNode *, PointNode *>> quotients; ///< x, y, x (1 / y)
  llvm::SmallVector<std::unique_ptr<PointNode>> nodes;
  llvm::SmallVector<PointNest> nests;
};

} // namespace adjc::scan

#endif
