//===- ModelExporter.cpp - the model section of a module ----------------------------------------------------------===//
#include "adjc/Module/ModelExporter.h"

#include "adjm_generated.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
namespace fb = adjrt::fb;

namespace {

/// Layers and scalar operations whose name and operands say all; docs/model-section.md lists them.
const llvm::StringSet<> &namesWithoutAttributes() {
  static const llvm::StringSet<> names = {
      "ssm.embedding",  "ssm.linear",    "ssm.conv1d",    "ssm.silu",     "ssm.gate",       "ssm.residual",
      "arith.addf",     "arith.subf",    "arith.mulf",    "arith.divf",   "arith.negf",     "arith.maximumf",
      "arith.minimumf", "arith.maxnumf", "arith.minnumf", "arith.select", "arith.andi",     "arith.ori",
      "arith.xori",     "math.exp",      "math.exp2",     "math.expm1",   "math.log",       "math.log2",
      "math.log1p",     "math.sqrt",     "math.rsqrt",    "math.tanh",    "math.sin",       "math.cos",
      "math.absf",      "math.powf",     "math.erf",      "math.fma",     "complex.create", "complex.re",
      "complex.im",     "complex.add",   "complex.sub",   "complex.mul",  "complex.div",    "complex.neg",
      "complex.conj",   "complex.exp",   "complex.expm1", "complex.abs",  "arith.uitofp"};
  return names;
}

/// "spec.mlir:12:3", or nothing where the location is in no file.
std::string placeInFile(Location location) {
  auto place = location->findInstanceOf<FileLineColLoc>();
  if (!place)
    return {};
  return (place.getFilename().getValue() + ":" + Twine(place.getLine()) + ":" + Twine(place.getColumn())).str();
}

/// Adds attributes to a node, one field each.
struct AttributeList {
  fb::NodeT &node;

  fb::AttributeT &add(StringRef name) {
    node.attributes.push_back(std::make_unique<fb::AttributeT>());
    node.attributes.back()->name = name.str();
    return *node.attributes.back();
  }
  void integer(StringRef name, int64_t value) { add(name).integer = value; }
  void real(StringRef name, double value) { add(name).real = value; }
  void text(StringRef name, StringRef value) { add(name).text = value.str(); }
  void integers(StringRef name, ArrayRef<int64_t> values) { add(name).integers.assign(values.begin(), values.end()); }
  void texts(StringRef name, std::vector<std::string> values) { add(name).texts = std::move(values); }
};

class Exporter {
public:
  explicit Exporter(fb::ModelT &model) : model(model) {}

  /// Exports one region into `graph`.
  LogicalResult exportRegion(Region &region, fb::GraphT &graph);

private:
  int32_t define(Value value);
  LogicalResult exportOp(Operation &op, fb::GraphT &graph);
  LogicalResult exportAttributes(Operation &op, fb::NodeT &node);
  LogicalResult exportScan(ssm::ScanOp scan, AttributeList attributes);
  LogicalResult exportRepeat(ssm::RepeatOp repeat, AttributeList attributes);

  fb::ModelT &model;
  llvm::DenseMap<Value, int32_t> numbers;
};

} // namespace

/// Gives `value` the next number and describes its type.
int32_t Exporter::define(Value value) {
  auto type = std::make_unique<fb::ValueTypeT>();
  Type element = getElementTypeOrSelf(value.getType());
  type->dtype = isa<ComplexType>(element) ? fb::DType::c64
                : element.isInteger(32)   ? fb::DType::i32
                : element.isInteger(1)    ? fb::DType::u8
                                          : fb::DType::f32;
  if (auto tensor = dyn_cast<RankedTensorType>(value.getType()))
    for (int64_t size : tensor.getShape())
      type->shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
  model.values.push_back(std::move(type));
  return numbers[value] = static_cast<int32_t>(model.values.size()) - 1;
}

LogicalResult Exporter::exportRegion(Region &region, fb::GraphT &graph) {
  Block &block = region.front();
  for (BlockArgument argument : block.getArguments())
    graph.arguments.push_back(define(argument));
  for (Operation &op : block.without_terminator())
    if (failed(exportOp(op, graph)))
      return failure();
  for (Value value : block.getTerminator()->getOperands())
    graph.results.push_back(numbers.lookup(value));
  return success();
}

LogicalResult Exporter::exportOp(Operation &op, fb::GraphT &graph) {
  auto node = std::make_unique<fb::NodeT>();
  node->op = op.getName().getStringRef().str();
  node->location = placeInFile(op.getLoc());
  SmallVector<Value> operands(op.getOperands());
  // The section lists the targets last; the operation lists the optional bias last.
  if (auto loss = dyn_cast<ssm::LmLossOp>(op); loss && loss.getBias())
    std::swap(operands[2], operands[3]);
  for (Value operand : operands)
    node->operands.push_back(numbers.lookup(operand));
  if (failed(exportAttributes(op, *node)))
    return failure();
  for (Value result : op.getResults())
    node->results.push_back(define(result));
  graph.nodes.push_back(std::move(node));
  return success();
}

/// What the model section has no form for.
static LogicalResult refuse(Operation &op) {
  return op.emitOpError()
         << "may not stand in a model: the reference device, which judges its gradients, has no rule for "
            "it (docs/model-section.md lists those it knows)";
}

LogicalResult Exporter::exportAttributes(Operation &op, fb::NodeT &node) {
  // Scalar operations have rules on scalars only.
  if (!isa_and_nonnull<ssm::SsmDialect>(op.getDialect()) && !isa<ssm::ScanOp>(op.getParentOp()))
    return refuse(op);
  AttributeList attributes{node};
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](ssm::ParameterOp parameter) {
        attributes.text("name", parameter.getName());
        return success();
      })
      .Case([&](ssm::RepeatOp repeat) { return exportRepeat(repeat, attributes); })
      .Case([&](ssm::ScanOp scan) { return exportScan(scan, attributes); })
      .Case([&](ssm::RmsNormOp norm) {
        attributes.real("eps", norm.getEps().convertToDouble());
        return success();
      })
      .Case([&](ssm::SplitOp split) {
        attributes.integers("sizes", llvm::map_to_vector(split.getParts().getTypes(), [](Type part) {
                              return cast<RankedTensorType>(part).getShape().back();
                            }));
        return success();
      })
      .Case([&](ssm::ReshapeOp reshape) {
        attributes.integers("sizes", cast<RankedTensorType>(reshape.getType()).getShape().drop_front(2));
        return success();
      })
      .Case([&](ssm::SelectiveScanOp scan) {
        SmallVector<int64_t> segments(5, 1);
        for (Value optional : {Value(scan.getD()), Value(scan.getZ()), Value(scan.getDtBias())})
          segments.push_back(optional ? 1 : 0);
        attributes.integers("operand_segments", segments);
        return success();
      })
      .Case([&](ssm::MlpOp mlp) {
        attributes.text("activation", ssm::stringifyActivation(mlp.getActivation()));
        SmallVector<int64_t> segments;
        for (Value operand : {Value(mlp.getX()), Value(mlp.getGate()), Value(mlp.getGateBias()), Value(mlp.getUp()),
                              Value(mlp.getUpBias()), Value(mlp.getDown()), Value(mlp.getDownBias())})
          segments.push_back(operand ? 1 : 0);
        attributes.integers("operand_segments", segments);
        return success();
      })
      .Case([&](ssm::LmLossOp loss) {
        attributes.integer("has_bias", loss.getBias() ? 1 : 0);
        return success();
      })
      .Case([&](ssm::SumOp sum) {
        attributes.integers("dims", sum.getDims());
        return success();
      })
      .Case([&](arith::ConstantOp constant) {
        if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
          attributes.real("value", number.getValueAsDouble());
        else
          attributes.real("value", cast<IntegerAttr>(constant.getValue()).getValue().isZero() ? 0 : 1);
        return success();
      })
      .Case([&](complex::ConstantOp constant) {
        attributes.real("value", cast<FloatAttr>(constant.getValue()[0]).getValueAsDouble());
        attributes.real("imaginary", cast<FloatAttr>(constant.getValue()[1]).getValueAsDouble());
        return success();
      })
      .Case([&](arith::CmpFOp compare) -> LogicalResult {
        StringRef predicate = arith::stringifyCmpFPredicate(compare.getPredicate());
        if (predicate == "true" || predicate == "false")
          return compare.emitOpError() << "always yields " << predicate << "; write that constant instead";
        attributes.text("predicate", predicate);
        return success();
      })
      .Default([&](Operation *other) -> LogicalResult {
        auto convolution = dyn_cast<ssm::Conv1dOp>(other);
        if (convolution && (convolution.getTail() || convolution.getResets() || convolution.getNextTail()))
          return other->emitOpError() << "has a tail or resets; in a model the session supplies them, so remove them";
        if (!namesWithoutAttributes().contains(other->getName().getStringRef()))
          return refuse(*other);
        return success();
      });
}

LogicalResult Exporter::exportRepeat(ssm::RepeatOp repeat, AttributeList attributes) {
  if (!repeat.getSlices().empty() || !repeat.getStacked().empty() || repeat.getReverse())
    return repeat.emitOpError() << "has slices, stacks or runs in reverse; in a model a repeat only carries values";
  attributes.integer("count", static_cast<int64_t>(repeat.getCount()));
  attributes.node.regions.push_back(std::make_unique<fb::GraphT>());
  return exportRegion(repeat.getBody(), *attributes.node.regions.back());
}

LogicalResult Exporter::exportScan(ssm::ScanOp scan, AttributeList attributes) {
  if (scan.getResets() || scan.getFinal() || scan.getCheckpoints())
    return scan.emitOpError() << "has resets, a final state or checkpoints; in a model the session supplies and keeps "
                                 "them, so remove them";
  std::vector<std::string> dims, maps;
  for (StringRef name : scan.getDims().getAsValueRange<StringAttr>())
    dims.push_back(name.str());
  for (AffineMap map : scan.getIndexingMaps().getAsValueRange<AffineMapAttr>()) {
    std::string text;
    for (unsigned i = 0; i < map.getNumResults(); ++i)
      text += (i ? "," : "") + std::to_string(map.getDimPosition(i));
    maps.push_back(std::move(text));
  }
  SmallVector<int64_t> sizes = scan.getDimSizes();
  for (int64_t &size : sizes)
    size = ShapedType::isDynamic(size) ? -1 : size;
  attributes.texts("dims", std::move(dims));
  attributes.integers("sizes", sizes);
  attributes.integers("state", scan.getState());
  if (scan.getContracted()) {
    attributes.integer("contracted", static_cast<int64_t>(*scan.getContracted()));
    attributes.integer("contracts", static_cast<int64_t>(*scan.getContracts()));
  }
  attributes.texts("maps", std::move(maps));
  attributes.integer("inputs", static_cast<int64_t>(scan.getInputs().size()));
  if (isa<ComplexType>(scan.getStateType()))
    attributes.integer("complex", 1);
  if (scan.getInitial())
    attributes.integer("initial_state", 1);
  for (Region *region : {&scan.getStep(), &scan.getRead()}) {
    attributes.node.regions.push_back(std::make_unique<fb::GraphT>());
    if (failed(exportRegion(*region, *attributes.node.regions.back())))
      return failure();
  }
  return success();
}

FailureOr<std::unique_ptr<fb::ModelT>> adjc::exportModel(ssm::ModelOp model) {
  auto section = std::make_unique<fb::ModelT>();
  section->name = model.getSymName().str();
  section->graph = std::make_unique<fb::GraphT>();
  if (failed(Exporter(*section).exportRegion(model.getBody(), *section->graph)))
    return failure();
  return section;
}
