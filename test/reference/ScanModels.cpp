#include "ScanModels.h"

namespace adjrt::reference::test {
namespace {

using Ints = std::vector<int>;
constexpr std::int64_t kVocabulary = 11;

struct Emit {
  ModelBuilder &m;
  int add(int a, int b) { return m.op("arith.addf", {a, b}); }
  int mul(int a, int b) { return m.op("arith.mulf", {a, b}); }
  int neg(int a) { return m.op("arith.negf", {a}); }
  int exp(int a) { return m.op("math.exp", {a}); }
  int tanh(int a) { return m.op("math.tanh", {a}); }
  int constant(double value) { return m.op("arith.constant", {}, {Attr::ofReal("value", value)}); }
  int sum(int a, std::int64_t dim) { return m.op("ssm.sum", {a}, {Attr::ofIntegers("dims", {dim})}); }
  int complex(const std::string &name, Ints operands) {
    return m.op("complex." + name, std::move(operands), {}, fb::DType::c64);
  }
};

std::vector<Attr> scanAttributes(std::vector<std::string> dims, std::vector<std::int64_t> sizes,
                                 std::vector<std::int64_t> state, std::vector<std::string> maps, std::int64_t inputs) {
  return {Attr::ofTexts("dims", std::move(dims)), Attr::ofIntegers("sizes", std::move(sizes)),
          Attr::ofIntegers("state", std::move(state)), Attr::ofTexts("maps", std::move(maps)),
          Attr::ofInteger("inputs", inputs)};
}

} // namespace

ModelBuilder languageModel(std::int64_t channels, const std::function<int(ModelBuilder &, int x)> &body) {
  ModelBuilder m;
  int x = m.op("ssm.embedding", {m.tokens(), m.parameter("embedding", {kVocabulary, channels})});
  int y = m.op("ssm.residual", {x, body(m, x)});
  m.setResult(m.op("ssm.lm_loss", {y, m.parameter("head", {kVocabulary, channels}), m.targets()},
                   {Attr::ofInteger("has_bias", 0)}));
  return m;
}

ModelBuilder s5(bool initial) {
  constexpr std::int64_t kStates = 3, kChannels = 4;
  return languageModel(kChannels, [&](ModelBuilder &m, int x) {
    Ints operands = {x};
    for (const char *name : {"re", "im", "log_step"})
      operands.push_back(m.parameter(name, {kStates}));
    for (const char *name : {"B_re", "B_im"})
      operands.push_back(m.parameter(name, {kStates, kChannels}));
    for (const char *name : {"C_re", "C_im"})
      operands.push_back(m.parameter(name, {kChannels, kStates}));
    // The skip has the output's own dimension p, so x is read a second time along it.
    operands.push_back(m.parameter("D", {kChannels}));
    operands.push_back(x);
    auto attributes = scanAttributes({"b", "t", "n", "c", "p"}, {-1, -1, kStates, kChannels, kChannels}, {2},
                                     {"0,1,3", "2", "2", "2", "2,3", "2,3", "4,2", "4,2", "4", "0,1,4", "0,1,4"}, 10);
    attributes.push_back(Attr::ofInteger("complex", 1));
    if (initial) {
      attributes.push_back(Attr::ofInteger("initial_state", 1));
      operands.push_back(m.parameter("h0", {2, kStates, 2}));
    }
    int y = m.op("ssm.scan", operands, attributes);
    Emit e{m};
    m.region(11, [&](const Ints &in) {
      int step = e.exp(in[3]);
      int lambda = e.complex("create", {e.mul(step, e.neg(e.exp(in[1]))), e.mul(step, in[2])});
      int b = e.complex(
          "mul", {e.complex("create", {in[4], in[5]}), e.complex("create", {e.mul(step, in[0]), e.constant(0)})});
      int u = m.op("ssm.sum", {b}, {Attr::ofIntegers("dims", {3})}, fb::DType::c64);
      return Ints{e.complex("exp", {lambda}), u};
    });
    m.region(12, [&](const Ints &in) {
      int products = e.complex("mul", {e.complex("create", {in[6], in[7]}), in[10]});
      int real = m.op("complex.re", {m.op("ssm.sum", {products}, {Attr::ofIntegers("dims", {2})}, fb::DType::c64)});
      return Ints{e.add(real, e.mul(in[8], in[9]))};
    });
    return y;
  });
}

ModelBuilder dense() {
  constexpr std::int64_t kStates = 4;
  return languageModel(kStates, [&](ModelBuilder &m, int x) {
    auto attributes =
        scanAttributes({"b", "t", "n", "m"}, {-1, -1, kStates, kStates}, {2}, {"0,1,2", "2,3", "0,1,2"}, 2);
    attributes.push_back(Attr::ofInteger("contracted", 3));
    attributes.push_back(Attr::ofInteger("contracts", 2));
    int y = m.op("ssm.scan", {x, m.parameter("W", {kStates, kStates})}, attributes);
    Emit e{m};
    m.region(3, [&](const Ints &in) { return Ints{e.mul(e.tanh(e.add(in[1], in[0])), e.constant(0.25)), in[0]}; });
    m.region(4, [&](const Ints &in) { return Ints{in[2]}; });
    return y;
  });
}

ModelBuilder ssd() {
  constexpr std::int64_t kHeads = 2, kInner = 3, kStates = 2;
  return languageModel(kHeads, [&](ModelBuilder &m, int x) {
    auto project = [&](const char *name, std::int64_t outs) {
      return m.op("ssm.linear", {x, m.parameter(name, {outs, kHeads})});
    };
    // x as (b, t, h); P and the output's width come from parameters, so that the state has three dimensions.
    auto attributes = scanAttributes({"b", "t", "h", "p", "n"}, {-1, -1, kHeads, kInner, kStates}, {2, 3, 4},
                                     {"0,1,2", "2,3", "0,1,4", "0,1,4", "2", "0,1,2"}, 5);
    int y = m.op("ssm.scan",
                 {x, m.parameter("P", {kHeads, kInner}), project("B", kStates), project("C", kStates),
                  m.parameter("A_log", {kHeads})},
                 attributes);
    Emit e{m};
    m.region(6, [&](const Ints &in) {
      int a = e.exp(e.neg(e.mul(e.exp(in[4]), e.exp(in[0]))));
      return Ints{a, e.mul(e.mul(in[0], in[1]), in[2])};
    });
    m.region(7, [&](const Ints &in) {
      int inner = e.sum(e.mul(in[3], in[5]), 4);
      return Ints{e.sum(e.mul(inner, in[1]), 3)};
    });
    return y;
  });
}

ModelBuilder lru() {
  constexpr std::int64_t kChannels = 3;
  return languageModel(kChannels, [&](ModelBuilder &m, int x) {
    int y = m.op("ssm.scan", {x, m.parameter("rate", {kChannels})},
                 scanAttributes({"b", "t", "d"}, {-1, -1, kChannels}, {2}, {"0,1,2", "2", "0,1,2"}, 2));
    Emit e{m};
    m.region(3, [&](const Ints &in) {
      int a = e.exp(e.neg(e.exp(in[1])));
      int one = e.constant(1);
      int scale = m.op("math.sqrt", {m.op("arith.subf", {one, e.mul(a, a)})});
      return Ints{a, e.mul(in[0], m.op("arith.select", {in[2], one, scale}))};
    });
    m.region(4, [&](const Ints &in) {
      return Ints{e.mul(in[2], m.op("arith.select", {in[3], e.constant(0.5), e.constant(1)}))};
    });
    return y;
  });
}

ModelBuilder twoOutputs() {
  constexpr std::int64_t kChannels = 3, kStates = 2;
  return languageModel(kChannels, [&](ModelBuilder &m, int x) {
    auto attributes = scanAttributes({"b", "t", "d", "n"}, {-1, -1, kChannels, kStates}, {3, 2},
                                     {"0,1,2", "3,2", "0,1,2", "1,0,2,3"}, 2);
    int y = m.node("ssm.scan", {x, m.parameter("A", {kStates, kChannels})}, attributes, 2)[0];
    Emit e{m};
    m.region(3, [&](const Ints &in) { return Ints{e.tanh(in[1]), in[0]}; });
    m.region(4, [&](const Ints &in) { return Ints{e.sum(e.mul(in[2], in[1]), 3), in[2]}; });
    return y;
  });
}

ModelBuilder scalarOp(const std::string &op, int arguments) {
  constexpr std::int64_t kChannels = 3;
  return languageModel(kChannels, [&](ModelBuilder &m, int x) {
    int y = m.op("ssm.scan", {x, m.parameter("p", {kChannels}), m.parameter("q", {})},
                 scanAttributes({"b", "t", "d"}, {-1, -1, kChannels}, {2}, {"0,1,2", "2", "", "0,1,2"}, 3));
    Emit e{m};
    m.region(4, [&](const Ints &in) {
      // Arguments in (0.5, 1.7) or so: inside the domain of every op, and away from 0, where absf has its kink.
      auto positive = [&](int v) { return e.add(e.exp(e.mul(v, e.constant(0.5))), e.constant(0.1)); };
      Ints operands = {positive(in[0]), positive(in[1]), in[2]};
      operands.resize(arguments);
      return Ints{e.constant(0.5), m.op(op, operands)};
    });
    m.region(5, [&](const Ints &in) { return Ints{in[3]}; });
    return y;
  });
}

} // namespace adjrt::reference::test
