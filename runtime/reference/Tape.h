// Tape.h - what an op of the reference device sees: its node, its tensors, and their cotangents.
//
// An evaluation runs the graph's nodes in order; every node that ran leaves a Step, and the reverse sweep walks the
// steps backwards. Ops therefore know nothing of repeats, layers or parameters.
#ifndef ADJRT_REFERENCE_TAPE_H
#define ADJRT_REFERENCE_TAPE_H

#include "adjrt/reference/Reference.h"

#include "adjm_generated.h"

#include <cmath>
#include <string_view>

namespace adjrt::reference {

/// A float64 tensor whose storage is its own or a parameter's, and its cotangent (empty until something adds to it).
struct Variable {
  Tensor own;
  const Tensor *parameter = nullptr;
  Tensor *parameterGradient = nullptr;
  Tensor ownGradient;

  [[nodiscard]] const Tensor &value() const { return parameter ? *parameter : own; }
};

/// In place of a variable's index: the graph's first argument, its second, and a value not defined yet.
inline constexpr int kTokens = -1, kTargets = -2, kUndefined = -3;

/// One executed node. `operands` and `results` are indices of variables, or kTokens or kTargets.
struct Step {
  const fb::NodeT *node = nullptr;
  const struct Operation *operation = nullptr;
  std::vector<int> operands, results;
  int carry = -1;            ///< index of what it carries, -1: nothing
  std::string place;         ///< op, layer and location, for messages
  std::vector<Tensor> saved; ///< what forward keeps for backward
};

/// One evaluation of the model.
struct Evaluation {
  const Batch *batch = nullptr;
  unsigned threads = 1;
  bool keep = false; ///< a reverse sweep follows
  std::int64_t counted = 0;
  std::vector<Variable> variables;
  std::vector<Tensor> initialStates, finalStates; ///< one per carry; an initial state is empty where the call gave none
  std::vector<Tensor> initialStateCotangents, finalStateCotangents; ///< likewise

  [[nodiscard]] bool reset(std::int64_t b, std::int64_t t) const {
    return !batch->resets.empty() && batch->resets[b * batch->tokens + t] != 0;
  }
  /// For every token of sequence b the last reset at or before it; hugely negative where there is none.
  [[nodiscard]] std::vector<std::int64_t> documentStarts(std::int64_t b) const;
};

/// What an op's forward and backward work on.
class Frame {
public:
  Frame(Evaluation &evaluation, Step &step) : evaluation(evaluation), step(step) {}

  Evaluation &evaluation;
  Step &step;

  [[nodiscard]] const fb::NodeT &node() const { return *step.node; }
  [[nodiscard]] std::int64_t batch() const { return evaluation.batch->batch; }
  [[nodiscard]] std::int64_t tokens() const { return evaluation.batch->tokens; }
  [[nodiscard]] std::int64_t rows() const { return batch() * tokens(); }
  [[nodiscard]] unsigned threads() const { return evaluation.threads; }

  [[nodiscard]] std::size_t operandCount() const { return step.operands.size(); }
  [[nodiscard]] const Tensor &operand(std::size_t i) const { return evaluation.variables[step.operands[i]].value(); }
  /// Gives result i its shape, all zeros.
  Tensor &makeResult(std::size_t i, std::vector<std::int64_t> shape) {
    return evaluation.variables[step.results[i]].own = Tensor(std::move(shape));
  }
  [[nodiscard]] const Tensor &result(std::size_t i) const { return evaluation.variables[step.results[i]].value(); }

  /// The cotangent of result i; nullptr: nothing depends on it.
  [[nodiscard]] const Tensor *resultCotangent(std::size_t i) const {
    const Tensor &gradient = evaluation.variables[step.results[i]].ownGradient;
    return gradient.values.empty() ? nullptr : &gradient;
  }
  /// Where the cotangent of operand i is added up.
  Tensor &operandCotangent(std::size_t i);

  /// Error with the op's place before it.
  [[nodiscard]] tl::unexpected<Error> error(const std::string &message) const {
    return invalidInput(step.place + ": " + message);
  }
  /// Error unless operand i has this shape.
  [[nodiscard]] Status expectShape(std::size_t i, const std::vector<std::int64_t> &shape, std::string_view what) const;

  /// The initial state of the op's carry: nullptr when the sequence begins here. Error: given, but of another shape.
  Expected<const Tensor *> initialState(const std::vector<std::int64_t> &shape) const;
  Tensor &finalState() { return evaluation.finalStates[step.carry]; }
  /// The cotangent of the final state; nullptr: zero.
  Expected<const Tensor *> finalStateCotangent(const std::vector<std::int64_t> &shape) const;
  Tensor &initialStateCotangent() { return evaluation.initialStateCotangents[step.carry]; }
};

/// Which operand of an op is a tensor of integers: the tokens come first, the targets last.
enum class IntegerOperand { None, TokensFirst, TargetsLast };

/// The rules of one op.
struct Operation {
  const char *name;
  std::size_t minimumOperands, maximumOperands;
  IntegerOperand integers;
  bool carries;
  /// Has the node its attributes, regions and results? Sizes are checked by forward.
  Status (*check)(const fb::ModelT &model, const fb::NodeT &node);
  Status (*forward)(Frame &frame);
  Status (*backward)(Frame &frame);
};

/// The op of this name; nullptr when the reference device has none. `ssm.parameter` and `ssm.repeat` are the
/// interpreter's own.
const Operation *findOperation(std::string_view name);

/// The attribute, or nullptr.
const fb::AttributeT *findAttribute(const fb::NodeT &node, std::string_view name);
/// Its field `integer`, or `otherwise` when the node has no such attribute.
std::int64_t integerAttribute(const fb::NodeT &node, std::string_view name, std::int64_t otherwise = 0);
/// The check of most ops: one result, nothing else.
Status checkOneResult(const fb::ModelT &model, const fb::NodeT &node);
/// Error unless the node has all these attributes.
Status requireAttributes(const fb::NodeT &node, std::initializer_list<std::string_view> names);

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The ops, one file per concern.
extern const Operation kEmbedding, kRmsNorm, kLinear, kConv1d, kSilu, kGate, kResidual, kMlp, kSplit, kReshape,
    kSelectiveScan, kScan, kLmLoss;

} // namespace adjrt::reference

#endif
