// ModelBuilder.h - writes model sections by hand, for tests of the reference device.
#ifndef ADJC_TEST_REFERENCE_MODELBUILDER_H
#define ADJC_TEST_REFERENCE_MODELBUILDER_H

#include "adjrt/reference/Reference.h"

#include "adjm_generated.h"

#include <functional>
#include <random>

namespace adjrt::reference::test {

/// An attribute of one kind; converts from what its field holds.
struct Attr {
  std::string name;
  std::optional<std::int64_t> integer;
  std::optional<double> real;
  std::string text;
  std::vector<std::int64_t> integers;
  std::vector<std::string> texts;

  static Attr ofInteger(std::string name, std::int64_t value) { return {std::move(name), value, {}, {}, {}, {}}; }
  static Attr ofReal(std::string name, double value) { return {std::move(name), {}, value, {}, {}, {}}; }
  static Attr ofText(std::string name, std::string value) {
    return {std::move(name), {}, {}, std::move(value), {}, {}};
  }
  static Attr ofIntegers(std::string name, std::vector<std::int64_t> value) {
    return {std::move(name), {}, {}, {}, std::move(value), {}};
  }
  static Attr ofTexts(std::string name, std::vector<std::string> value) {
    return {std::move(name), {}, {}, {}, {}, std::move(value)};
  }
};

class ModelBuilder {
public:
  ModelBuilder();

  int tokens() const { return 0; }
  int targets() const { return 1; }

  /// A new SSA value.
  int value(fb::DType dtype = fb::DType::f32);
  /// Adds a node to the current graph; returns its results.
  std::vector<int> node(const std::string &op, std::vector<int> operands, std::vector<Attr> attributes = {},
                        std::size_t results = 1, fb::DType dtype = fb::DType::f32);
  /// A node with one result.
  int op(const std::string &name, std::vector<int> operands, std::vector<Attr> attributes = {},
         fb::DType dtype = fb::DType::f32) {
    return node(name, std::move(operands), std::move(attributes), 1, dtype)[0];
  }
  /// A parameter; inside a repeat, "{layer}" stands for every layer. The same name may be used again.
  int parameter(const std::string &name, std::vector<std::int64_t> shape);
  /// ssm.repeat with one loop-carried value.
  int repeat(std::int64_t count, int initial, const std::function<int(int)> &body);
  /// Adds a region to the node added last: `body` gets the arguments and returns the results.
  void region(std::size_t arguments, const std::function<std::vector<int>(const std::vector<int> &)> &body,
              const std::function<fb::DType(std::size_t)> &dtype = {});
  void setResult(int loss) { model.graph->results = {loss}; }

  Expected<ReferenceModel> build() const;

  fb::ModelT model;
  std::vector<ParameterSpec> parameters;

private:
  fb::GraphT *graph;
  std::int64_t layers = -1;
};

/// Random values for all parameters: normal with this standard deviation, A_log and norm weights about their usual
/// values.
NamedTensors randomParameters(const std::vector<ParameterSpec> &parameters, std::uint64_t seed, double scale = 0.3);

/// A Mamba language model with Hugging Face's parameter names.
struct MambaShape {
  std::int64_t vocabulary = 11, hidden = 6, inner = 10, state = 3, rank = 2, width = 4, layers = 2;
  bool tied = true, linearBias = false, convolutionBias = true, headBias = false;
  bool general = false; ///< the recurrence as ssm.scan instead of ssm.selective_scan
};
ModelBuilder mamba(const MambaShape &shape);

/// The selective scan as ssm.scan: its operands in ssm.selective_scan's order, all eight present.
int generalSelectiveScan(ModelBuilder &builder, std::vector<int> operands, std::int64_t channels, std::int64_t states);

/// Random tokens, targets (some -100) and resets; owns what `batch` refers to.
struct RandomBatch {
  std::vector<std::int32_t> inputs, targets;
  std::vector<std::uint8_t> resets;
  Batch batch;

  RandomBatch(std::int64_t sequences, std::int64_t tokens, std::int64_t vocabulary, bool withResets,
              std::uint64_t seed);
  RandomBatch(const RandomBatch &) = delete;
};

} // namespace adjrt::reference::test

#endif
