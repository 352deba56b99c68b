//===- ExpandLayers.cpp - ssm-expand-layers: named layers spelled out ---------------------------------------------===//
#include "ScalarFunctions.h"
#include "adj/AdjOps.h"
#include "adjc/Expand/Elementwise.h"
#include "adjc/Expand/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "ssm/SsmOps.h"

namespace adjc {
#define GEN_PASS_DEF_EXPANDLAYERS
#include "adjc/Expand/Passes.h.inc"
} // namespace adjc

using namespace mlir;
using namespace adjc;

namespace {

//===--------------------------------------------------------------------------------------------------------------===//
// Elementwise layers
//===--------------------------------------------------------------------------------------------------------------===//

struct ExpandSilu : OpRewritePattern<ssm::SiluOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ssm::SiluOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, elementwise(b, op.getX(), [](auto &b, ValueRange v) { return silu(b, v[0]); }));
    return success();
  }
};

struct ExpandGate : OpRewritePattern<ssm::GateOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ssm::GateOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto gate = [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      return arith::MulFOp::create(b, v[0], silu(b, v[1]));
    };
    rewriter.replaceOp(op, elementwise(b, {op.getX(), op.getZ()}, gate));
    return success();
  }
};

//===--------------------------------------------------------------------------------------------------------------===//
// The MLP
//===--------------------------------------------------------------------------------------------------------------===//

Value activate(ImplicitLocOpBuilder &b, ssm::Activation activation, Value v) {
  switch (activation) {
  case ssm::Activation::Silu:
    return silu(b, v);
  case ssm::Activation::Gelu:
    return gelu(b, v);
  case ssm::Activation::GeluTanh:
    return geluTanh(b, v);
  }
  llvm_unreachable("an activation without a spelling");
}

/// The block becomes a loop over mini-sequences: nothing hidden wide is made outside of it.
struct ExpandMlp : OpRewritePattern<ssm::MlpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ssm::MlpOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto loop = adj::MiniSequencesOp::create(b, TypeRange(op.getType()), ValueRange(op.getX()));
    b.setInsertionPointToEnd(&loop.getBody().front());
    Value rows = loop.getBody().getArgument(0);
    auto linear = [&](Value x, Value weight, Value bias) -> Value {
      auto type = cast<RankedTensorType>(x.getType());
      int64_t outs = cast<RankedTensorType>(weight.getType()).getDimSize(0);
      return ssm::LinearOp::create(b, type.clone({ShapedType::kDynamic, outs}), x, weight, bias);
    };
    SmallVector<Value> inputs;
    if (op.getGate())
      inputs.push_back(linear(rows, op.getGate(), op.getGateBias()));
    inputs.push_back(linear(rows, op.getUp(), op.getUpBias()));
    Value hidden = elementwise(b, inputs, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      Value activated = activate(b, op.getActivation(), v[0]);
      return op.getGate() ? arith::MulFOp::create(b, activated, v[1]).getResult() : activated;
    });
    adj::WriteRowsOp::create(b, b.getI64IntegerAttr(0), linear(hidden, op.getDown(), op.getDownBias()));
    rewriter.replaceOp(op, loop);
    return success();
  }
};

//===--------------------------------------------------------------------------------------------------------------===//
// The selective scan
//===--------------------------------------------------------------------------------------------------------------===//

/// Numbers of the dimensions of a selective scan's iteration space.
enum Dim : unsigned { Batch, Token, Channel, State, NumDims };

/// The scalars of one point in a region, by the names in the equations of ssm.selective_scan, whose D is `skip`. Absent
/// operands are null.
struct Point {
  Value x, dt, b, c, a, skip, z, dtBias;
};

/// Inputs of the ssm.scan and where each has its scalar in a Point.
struct ScanInputs {
  SmallVector<Value> operands;
  SmallVector<Attribute> maps;
  SmallVector<Value Point::*> members;

  void add(Value operand, ArrayRef<unsigned> dims, Value Point::*member) {
    if (!operand)
      return;
    operands.push_back(operand);
    maps.push_back(getMap(operand.getContext(), dims));
    members.push_back(member);
  }
  static AffineMapAttr getMap(MLIRContext *context, ArrayRef<unsigned> dims) {
    return AffineMapAttr::get(AffineMap::getMultiDimMapWithTargets(NumDims, dims, context));
  }
};

/// delta = softplus(dt + dt_bias)
Value timeStep(ImplicitLocOpBuilder &b, const Point &p) {
  return softplus(b, p.dtBias ? arith::AddFOp::create(b, p.dt, p.dtBias).getResult() : p.dt);
}

/// Yields a = exp(delta A) and u = delta x B.
void buildStep(ImplicitLocOpBuilder &b, const Point &p) {
  Value delta = timeStep(b, p);
  Value a = math::ExpOp::create(b, arith::MulFOp::create(b, delta, p.a));
  Value u = arith::MulFOp::create(b, arith::MulFOp::create(b, delta, p.x), p.b);
  ssm::YieldOp::create(b, ValueRange{a, u});
}

/// Yields (sum_n C h + D x) silu(z).
void buildRead(ImplicitLocOpBuilder &b, const Point &p, Value h) {
  Value product = arith::MulFOp::create(b, p.c, h);
  Value y = ssm::SumOp::create(b, product.getType(), b.getDenseI64ArrayAttr({State}), product);
  if (p.skip)
    y = arith::AddFOp::create(b, y, arith::MulFOp::create(b, p.skip, p.x));
  if (p.z)
    y = arith::MulFOp::create(b, y, silu(b, p.z));
  ssm::YieldOp::create(b, ValueRange(y));
}

struct ExpandSelectiveScan : OpRewritePattern<ssm::SelectiveScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ssm::SelectiveScanOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value a = elementwise(b, op.getALog(), [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
      return arith::NegFOp::create(b, math::ExpOp::create(b, v[0]));
    });
    ScanInputs inputs;
    inputs.add(op.getX(), {Batch, Token, Channel}, &Point::x);
    inputs.add(op.getDt(), {Batch, Token, Channel}, &Point::dt);
    inputs.add(op.getB(), {Batch, Token, State}, &Point::b);
    inputs.add(op.getC(), {Batch, Token, State}, &Point::c);
    inputs.add(a, {Channel, State}, &Point::a);
    inputs.add(op.getD(), {Channel}, &Point::skip);
    inputs.add(op.getZ(), {Batch, Token, Channel}, &Point::z);
    inputs.add(op.getDtBias(), {Channel}, &Point::dtBias);
    SmallVector<Attribute> maps = inputs.maps;
    maps.push_back(ScanInputs::getMap(getContext(), {Batch, Token, Channel}));

    Type f32 = b.getF32Type();
    auto scan = ssm::ScanOp::create(b, /*outputs=*/TypeRange(op.getType()), /*final=*/Type(), /*checkpoints=*/Type(),
                                    inputs.operands, /*initial=*/Value(), /*resets=*/Value(),
                                    b.getStrArrayAttr({"b", "t", "d", "n"}), b.getDenseI64ArrayAttr({Channel, State}),
                                    TypeAttr::get(f32), /*contracted=*/IntegerAttr(), /*contracts=*/IntegerAttr(),
                                    b.getArrayAttr(maps), /*checkpoint_every=*/IntegerAttr(),
                                    /*carry_name=*/StringAttr());
    SmallVector<Type> arguments(inputs.operands.size(), f32);
    arguments.push_back(b.getI1Type());
    buildStep(b, enterRegion(b, scan.getStep(), arguments, inputs));
    arguments.insert(arguments.end() - 1, f32);
    Point point = enterRegion(b, scan.getRead(), arguments, inputs);
    buildRead(b, point, scan.getRead().getArgument(inputs.operands.size()));
    rewriter.replaceOp(op, scan.getOutputs());
    return success();
  }

  /// Gives `region` its block, moves the builder there and names the block's scalars.
  static Point enterRegion(ImplicitLocOpBuilder &b, Region &region, ArrayRef<Type> types, const ScanInputs &inputs) {
    b.createBlock(&region, region.end(), types, SmallVector<Location>(types.size(), b.getLoc()));
    Point point;
    for (auto [argument, member] : llvm::zip(region.getArguments(), inputs.members))
      point.*member = argument;
    return point;
  }
};

//===--------------------------------------------------------------------------------------------------------------===//
// The pass
//===--------------------------------------------------------------------------------------------------------------===//

struct ExpandLayers : adjc::impl::ExpandLayersBase<ExpandLayers> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandSilu, ExpandGate, ExpandMlp, ExpandSelectiveScan>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
