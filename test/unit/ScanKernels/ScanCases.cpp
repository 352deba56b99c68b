//===- ScanCases.cpp - recurrences to test ----------------------------------------------------------------------===//
#include "ScanCases.h"

using tape::Var;

static const char *const softplusText = R"(
      %one = arith.constant 1.0 : f32
      %raw = arith.addf %dt, %bias : f32
      %grown = math.exp %raw : f32
      %delta = math.log1p %grown : f32
)";

ScanModel mambaModel(int64_t channels, int64_t states) {
  ScanModel model;
  model.scan.inputs = {{"x", "btd"}, {"dt", "btd"}, {"B", "btn"}, {"C", "btn"},
                       {"A", "dn"},  {"D", "d"},    {"z", "btd"}, {"bias", "d"}};
  model.scan.outputs = {{"y", "btd"}};
  model.scan.state = "dn";
  model.scan.lane = 'd';
  model.scan.sizes = {{'d', channels}, {'n', states}};
  model.scan.step = std::string(softplusText) + R"(
      %grown_a = math.exp %A : f32
      %rate = arith.negf %grown_a : f32
      %exponent = arith.mulf %delta, %rate : f32
      %a = math.exp %exponent : f32
      %dx = arith.mulf %delta, %x : f32
      %u = arith.mulf %dx, %B : f32
      ssm.yield %a, %u : f32, f32
)";
  model.scan.read = R"(
      %one = arith.constant 1.0 : f32
      %ch = arith.mulf %C, %h : f32
      %sum = ssm.sum [3] %ch : f32
      %skip = arith.mulf %D, %x : f32
      %all = arith.addf %sum, %skip : f32
      %minus = arith.negf %z : f32
      %e = math.exp %minus : f32
      %d = arith.addf %one, %e : f32
      %sigmoid = arith.divf %one, %d : f32
      %gate = arith.mulf %z, %sigmoid : f32
      %y = arith.mulf %all, %gate : f32
      ssm.yield %y : f32
)";
  model.step = [](const ScanModel::Read &in, bool) {
    Var delta = softplus(in("dt") + in("bias"));
    return std::make_pair(exp(Var(-1) * delta * exp(in("A"))), delta * in("x") * in("B"));
  };
  model.read = [states](int, const ScanModel::Read &in) {
    Var sum = in("D") * in("x");
    for (int64_t n = 0; n < states; ++n)
      sum = sum + in("C", {{'n', n}}) * in("h", {{'n', n}});
    return sum * in("z") * sigmoid(in("z"));
  };
  return model;
}

ScanModel ssdModel(int64_t heads, int64_t channels, int64_t states) {
  ScanModel model;
  model.scan.inputs = {{"x", "bthp"}, {"dt", "bth"}, {"B", "btn"}, {"C", "btn"}, {"A", "h"}, {"D", "h"}, {"bias", "h"}};
  model.scan.outputs = {{"y", "bthp"}};
  model.scan.state = "hpn";
  model.scan.lane = 'p';
  model.scan.grouped = "h";
  model.scan.sizes = {{'h', heads}, {'p', channels}, {'n', states}};
  model.scan.step = std::string(softplusText) + R"(
      %square = arith.mulf %A, %A : f32
      %rate = arith.negf %square : f32
      %exponent = arith.mulf %delta, %rate : f32
      %a = math.exp %exponent : f32
      %dx = arith.mulf %delta, %x : f32
      %u = arith.mulf %dx, %B : f32
      ssm.yield %a, %u : f32, f32
)";
  model.scan.read = R"(
      %ch = arith.mulf %C, %h : f32
      %sum = ssm.sum [4] %ch : f32
      %skip = arith.mulf %D, %x : f32
      %y = arith.addf %sum, %skip : f32
      ssm.yield %y : f32
)";
  model.step = [](const ScanModel::Read &in, bool) {
    Var delta = softplus(in("dt") + in("bias"));
    return std::make_pair(exp(Var(-1) * delta * in("A") * in("A")), delta * in("x") * in("B"));
  };
  model.read = [states](int, const ScanModel::Read &in) {
    Var sum = in("D") * in("x");
    for (int64_t n = 0; n < states; ++n)
      sum = sum + in("C", {{'n', n}}) * in("h", {{'n', n}});
    return sum;
  };
  return model;
}

ScanModel gatedModel(int64_t channels) {
  ScanModel model;
  model.scan.inputs = {{"x", "btd"}, {"z", "btd"}, {"w", "d"}};
  model.scan.outputs = {{"y", "btd"}};
  model.scan.state = "d";
  model.scan.lane = 'd';
  model.scan.sizes = {{'d', channels}};
  // At a reset the term counts fully, as in RG-LRU.
  model.scan.step = R"(
      %one = arith.constant 1.0 : f32
      %e = math.exp %z : f32
      %d = arith.addf %one, %e : f32
      %a = arith.divf %one, %d : f32
      %b = arith.subf %one, %a : f32
      %scale = arith.select %reset, %one, %b : f32
      %wx = arith.mulf %w, %x : f32
      %u = arith.mulf %scale, %wx : f32
      ssm.yield %a, %u : f32, f32
)";
  model.scan.read = "      ssm.yield %h : f32\n";
  model.step = [](const ScanModel::Read &in, bool reset) {
    Var a = sigmoid(Var(-1) * in("z"));
    Var scale = reset ? Var(1) : Var(1) - a;
    return std::make_pair(a, scale * in("w") * in("x"));
  };
  model.read = [](int, const ScanModel::Read &in) { return in("h"); };
  return model;
}

ScanModel fullRankModel(int64_t channels, int64_t states) {
  ScanModel model;
  model.scan.inputs = {{"x", "btd"}, {"q", "btdn"}, {"w", "btnd"}, {"C", "bn"}, {"s", "bt"}};
  model.scan.outputs = {{"y", "btd"}, {"v", "btdn"}, {"r", "bt"}};
  model.scan.state = "nd";
  model.scan.lane = 'd';
  model.scan.sizes = {{'d', channels}, {'n', states}};
  model.scan.step = R"(
      %minus = arith.negf %q : f32
      %a = math.exp %minus : f32
      %xs = arith.mulf %x, %s : f32
      %u = arith.mulf %xs, %w : f32
      ssm.yield %a, %u : f32, f32
)";
  model.scan.read = R"(
      %ch = arith.mulf %C, %h : f32
      %sum = ssm.sum [@n] %ch : f32
      %y = arith.mulf %sum, %x : f32
      %v = arith.mulf %h, %q : f32
      %r = arith.mulf %s, %s : f32
      ssm.yield %y, %v, %r : f32, f32, f32
)";
  std::string number = std::to_string(model.scan.dims().find('n'));
  model.scan.read.replace(model.scan.read.find("@n"), 2, number);
  model.step = [](const ScanModel::Read &in, bool) {
    return std::make_pair(exp(Var(-1) * in("q")), in("x") * in("s") * in("w"));
  };
  model.read = [states](int output, const ScanModel::Read &in) {
    if (output == 1)
      return in("h") * in("q");
    if (output == 2)
      return in("s") * in("s");
    Var sum = 0;
    for (int64_t n = 0; n < states; ++n)
      sum = sum + in("C", {{'n', n}}) * in("h", {{'n', n}});
    return sum * in("x");
  };
  return model;
}

/// Number of a dimension in a case, for ssm.sum.
static std::string numberOf(const ScanCase &scan, char dim) { return std::to_string(scan.dims().find(dim)); }

ScanModel denseModel(int64_t channels, int64_t states, char lane) {
  ScanModel model;
  ScanCase &scan = model.scan;
  scan.inputs = {{"x", "btd"}, {"W", "nm"}, {"B", "btn"}, {"gate", "bt"}};
  // The lane is the last dimension of the first output when that is a state dimension, else the largest of the state's.
  scan.outputs = {lane == 'n' ? ScanOperand{"y", "btdn"} : ScanOperand{"y", "btd"}};
  scan.state = "dn";
  scan.lane = lane;
  scan.grouped = lane == 'n' ? "d" : "";
  scan.contracted = 'm';
  scan.contracts = 'n';
  scan.sizes = {{'d', channels}, {'n', states}, {'m', states}};
  scan.step = R"(
      %size = arith.constant 0.25 : f32
      %scaled = arith.mulf %gate, %size : f32
      %w = math.tanh %W : f32
      %a = arith.mulf %scaled, %w : f32
      %u = arith.mulf %x, %B : f32
      ssm.yield %a, %u : f32, f32
)";
  if (lane == 'n')
    scan.read = "      %y = arith.mulf %h, %x : f32\n      ssm.yield %y : f32\n";
  else
    scan.read = "      %y = ssm.sum [" + numberOf(scan, 'n') + "] %h : f32\n      ssm.yield %y : f32\n";
  model.step = [](const ScanModel::Read &in, bool) {
    return std::make_pair(in("gate") * Var(0.25) * tanh(in("W")), in("x") * in("B"));
  };
  model.read = [=](int, const ScanModel::Read &in) {
    if (lane == 'n')
      return in("h") * in("x");
    Var sum = 0;
    for (int64_t n = 0; n < states; ++n)
      sum = sum + in("h", {{'n', n}});
    return sum;
  };
  return model;
}

ScanModel ownDimensionsModel(int64_t states, int64_t outputs) {
  ScanModel model;
  ScanCase &scan = model.scan;
  scan.inputs = {{"x", "btp"}, {"a", "n"}, {"B", "np"}, {"C", "qn"}, {"D", "q"}};
  scan.outputs = {{"y", "btq"}};
  scan.state = "n";
  scan.lane = 'n';
  scan.sizes = {{'n', states}, {'p', 3}, {'q', outputs}};
  scan.step = R"(
      %decay = math.tanh %a : f32
      %bx = arith.mulf %B, %x : f32
      %u = ssm.sum [)" +
              numberOf(scan, 'p') + R"(] %bx : f32
      ssm.yield %decay, %u : f32, f32
)";
  scan.read = R"(
      %ch = arith.mulf %C, %h : f32
      %sum = ssm.sum [)" +
              numberOf(scan, 'n') + R"(] %ch : f32
      %y = arith.addf %sum, %D : f32
      ssm.yield %y : f32
)";
  model.step = [](const ScanModel::Read &in, bool) {
    Var u = 0;
    for (int64_t p = 0; p < 3; ++p)
      u = u + in("B", {{'p', p}}) * in("x", {{'p', p}});
    return std::make_pair(tanh(in("a")), u);
  };
  model.read = [states](int, const ScanModel::Read &in) {
    Var sum = in("D");
    for (int64_t n = 0; n < states; ++n)
      sum = sum + in("C", {{'n', n}}) * in("h", {{'n', n}});
    return sum;
  };
  return model;
}

std::pair<std::vector<ScanTensor>, ScanTensor> evaluate(const ScanModel &model, std::vector<ScanTensor> inputs,
                                                        ScanTensor state, const std::vector<int8_t> &resets,
                                                        int64_t batch, int64_t tokens) {
  const ScanCase &scan = model.scan;
  auto extent = [&](char dim) { return dim == 'b' ? batch : dim == 't' ? tokens : scan.sizes.at(dim); };
  auto makeTensor = [&](const std::string &dims) {
    ScanTensor tensor{dims, {}, {}};
    int64_t size = 1;
    for (char dim : dims) {
      tensor.shape.push_back(extent(dim));
      size *= extent(dim);
    }
    tensor.values.resize(size);
    return tensor;
  };
  ScanModel::Point point;
  auto forEach = [&](auto &&self, const std::string &dims, const std::function<void()> &body) -> void {
    if (dims.empty())
      return body();
    for (int64_t i = 0; i < extent(dims[0]); ++i) {
      point[dims[0]] = i;
      self(self, dims.substr(1), body);
    }
    point.erase(dims[0]);
  };
  ScanModel::Read read{[&](const std::string &name, const ScanModel::Point &extra) -> Var {
    ScanModel::Point place = point;
    for (auto [dim, i] : extra)
      place[dim] = i;
    if (name == "h")
      return state.at(place);
    for (size_t i = 0; i < inputs.size(); ++i)
      if (scan.inputs[i].name == name)
        return inputs[i].at(place);
    return Var(NAN);
  }};
  std::vector<ScanTensor> outputs;
  for (const ScanOperand &output : scan.outputs)
    outputs.push_back(makeTensor(output.dims));
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t t = 0; t < tokens; ++t) {
      point = {{'b', b}, {'t', t}};
      bool reset = resets[b * tokens + t] != 0;
      ScanTensor next = state;
      forEach(forEach, scan.state, [&] {
        auto step = [&] { return model.step(read, reset); };
        if (!scan.contracted) {
          auto [a, u] = step();
          next.at(point) = reset ? u : a * state.at(point) + u;
          return;
        }
        point[scan.contracted] = 0;
        Var sum = step().second;
        for (int64_t m = 0; m < extent(scan.contracted) && !reset; ++m) {
          point[scan.contracted] = m;
          ScanModel::Point from = point;
          from[scan.contracts] = m;
          sum = sum + step().first * state.at(from);
        }
        point.erase(scan.contracted);
        next.at(point) = sum;
      });
      state = next;
      for (size_t i = 0; i < outputs.size(); ++i)
        forEach(forEach, outputs[i].dims.substr(2), [&] { outputs[i].at(point) = model.read(i, read); });
    }
  return {outputs, state};
}
