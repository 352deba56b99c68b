// adjrt-reference-dump OUT model=mamba key=value...: runs one small model with random parameters on the reference
// device and writes everything that another implementation needs to judge it: OUT.txt (one line per tensor: role, name,
// shape) and OUT.bin (their float64 values, in that order).
#include "MlpModel.h"
#include "ScanModels.h"

#include <cstdlib>
#include <fstream>
#include <iostream>

using namespace adjrt::reference;
using namespace adjrt::reference::test;

namespace {

class Options {
public:
  Options(int count, char **words) {
    for (int i = 2; i < count; ++i) {
      std::string word = words[i];
      std::size_t equals = word.find('=');
      values[word.substr(0, equals)] = equals == std::string::npos ? "1" : word.substr(equals + 1);
    }
  }
  std::string text(const std::string &name, const std::string &otherwise) {
    auto found = values.find(name);
    if (found == values.end())
      return otherwise;
    std::string value = found->second;
    values.erase(found);
    return value;
  }
  std::int64_t integer(const std::string &name, std::int64_t otherwise) {
    return std::atoll(text(name, std::to_string(otherwise)).c_str());
  }
  const std::map<std::string, std::string> &left() const { return values; }

private:
  std::map<std::string, std::string> values;
};

MambaShape readShape(Options &options) {
  MambaShape shape;
  shape.vocabulary = options.integer("vocabulary", shape.vocabulary);
  shape.hidden = options.integer("hidden", shape.hidden);
  shape.inner = options.integer("inner", shape.inner);
  shape.state = options.integer("state", shape.state);
  shape.rank = options.integer("rank", shape.rank);
  shape.width = options.integer("width", shape.width);
  shape.layers = options.integer("layers", shape.layers);
  shape.tied = options.integer("tied", shape.tied);
  shape.linearBias = options.integer("linear_bias", shape.linearBias);
  shape.convolutionBias = options.integer("convolution_bias", shape.convolutionBias);
  shape.headBias = options.integer("head_bias", shape.headBias);
  shape.general = options.integer("general", shape.general);
  return shape;
}

struct Writer {
  std::ofstream index, data;
  explicit Writer(const std::string &stem) : index(stem + ".txt"), data(stem + ".bin", std::ios::binary) {}
  void write(const std::string &role, const std::string &name, const Tensor &tensor) {
    index << role << ' ' << name;
    for (std::int64_t size : tensor.shape)
      index << ' ' << size;
    index << '\n';
    data.write(reinterpret_cast<const char *>(tensor.values.data()),
               static_cast<std::streamsize>(tensor.values.size() * sizeof(double)));
  }
  template <typename T> void write(const std::string &name, const std::vector<T> &values, const Batch &batch) {
    Tensor tensor({batch.batch, batch.tokens});
    std::copy(values.begin(), values.end(), tensor.values.begin());
    write("input", name, tensor);
  }
};

} // namespace

int main(int count, char **words) {
  if (count < 2) {
    std::cerr << "usage: adjrt-reference-dump OUT [key=value...]\n";
    return 2;
  }
  Options options(count, words);
  std::string kind = options.text("model", "mamba");
  std::int64_t sequences = options.integer("batch", 1), tokens = options.integer("tokens", 8);
  bool resets = options.integer("resets", 0) != 0;
  auto seed = static_cast<std::uint64_t>(options.integer("seed", 1));
  MambaShape shape = readShape(options);
  MlpShape mlpShape;
  mlpShape.activation = options.text("activation", mlpShape.activation);
  mlpShape.gated = options.integer("gated", mlpShape.gated);
  mlpShape.biased = options.integer("biased", mlpShape.biased);
  if (!options.left().empty()) {
    std::cerr << "unknown option " << options.left().begin()->first << "\n";
    return 2;
  }
  ModelBuilder builder = kind == "s5"      ? s5(false)
                         : kind == "dense" ? dense()
                         : kind == "ssd"   ? ssd()
                         : kind == "mlp"   ? mlpModel(mlpShape)
                                           : mamba(shape);
  auto model = builder.build();
  if (!model) {
    std::cerr << model.error().message << "\n";
    return 1;
  }
  NamedTensors parameters = randomParameters(builder.parameters, seed);
  RandomBatch data(sequences, tokens, kind == "mamba" ? shape.vocabulary : 11, resets, seed + 1);
  auto result = model->valueAndGrad(parameters, data.batch);
  if (!result) {
    std::cerr << result.error().message << "\n";
    return 1;
  }
  Writer out(words[1]);
  out.write("inputs", data.inputs, data.batch);
  out.write("targets", data.targets, data.batch);
  if (resets)
    out.write("resets", data.resets, data.batch);
  for (const auto &[name, tensor] : parameters)
    out.write("parameter", name, tensor);
  Tensor loss(std::vector<std::int64_t>{});
  loss.values[0] = result->loss;
  out.write("loss", "loss", loss);
  for (const auto &[name, tensor] : result->gradients)
    out.write("gradient", name, tensor);
  out.index.close();
  out.data.close();
  if (!out.index || !out.data) {
    std::cerr << words[1] << ": cannot be written\n";
    return 1;
  }
  return 0;
}
