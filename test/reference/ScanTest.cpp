// ssm.scan: every structure of the transition and every scalar op against finite differences.
#include "Differences.h"
#include "ScanModels.h"

using namespace adjrt;
using namespace adjrt::reference;
using namespace adjrt::reference::test;

namespace {

void expectMatches(const ModelBuilder &builder, std::int64_t sequences, std::int64_t tokens, bool resets,
                   std::uint64_t seed = 3) {
  auto model = builder.build();
  ASSERT_TRUE(model) << model.error().message;
  RandomBatch data(sequences, tokens, 11, resets, 5);
  expectGradientsMatchDifferences(*model, randomParameters(builder.parameters, seed), data.batch);
}

TEST(Scan, ComplexDiagonal) { expectMatches(s5(false), 2, 8, true); }
TEST(Scan, InitialState) {
  expectMatches(s5(true), 2, 8, false);
  expectMatches(s5(true), 2, 8, true);
}
TEST(Scan, Dense) { expectMatches(dense(), 2, 8, true); }
TEST(Scan, ScalarPerHead) { expectMatches(ssd(), 2, 8, true); }
TEST(Scan, ResetFlagInRegions) { expectMatches(lru(), 2, 8, true); }
TEST(Scan, UnusedOutputAndStorageOrder) { expectMatches(twoOutputs(), 3, 8, true); }

struct ScalarCase {
  const char *op;
  int arguments;
};
class Scalar : public testing::TestWithParam<ScalarCase> {};

// With this seed maximumf's and minimumf's operands stay apart by more than the differences' step.
TEST_P(Scalar, MatchesFiniteDifferences) {
  expectMatches(scalarOp(GetParam().op, GetParam().arguments), 2, 3, false, 4);
}

INSTANTIATE_TEST_SUITE_P(
    , Scalar,
    testing::Values(ScalarCase{"arith.negf", 1}, ScalarCase{"math.exp", 1}, ScalarCase{"math.exp2", 1},
                    ScalarCase{"math.expm1", 1}, ScalarCase{"math.log", 1}, ScalarCase{"math.log2", 1},
                    ScalarCase{"math.log1p", 1}, ScalarCase{"math.sqrt", 1}, ScalarCase{"math.rsqrt", 1},
                    ScalarCase{"math.tanh", 1}, ScalarCase{"math.sin", 1}, ScalarCase{"math.cos", 1},
                    ScalarCase{"math.erf", 1}, ScalarCase{"math.absf", 1}, ScalarCase{"arith.addf", 2},
                    ScalarCase{"arith.subf", 2}, ScalarCase{"arith.mulf", 2}, ScalarCase{"arith.divf", 2},
                    ScalarCase{"arith.maximumf", 2}, ScalarCase{"arith.minimumf", 2}, ScalarCase{"arith.maxnumf", 2},
                    ScalarCase{"arith.minnumf", 2}, ScalarCase{"math.powf", 2}, ScalarCase{"math.fma", 3}),
    [](const auto &info) {
      std::string name = info.param.op;
      name[name.find('.')] = '_';
      return name;
    });

// The ops on complex numbers that s5 lacks, in one region.
TEST(Scan, ComplexOps) {
  expectMatches(
      languageModel(3,
                    [](ModelBuilder &m, int x) {
                      auto op = [&](const std::string &name, std::vector<int> operands) {
                        return m.op(name, std::move(operands), {}, fb::DType::c64);
                      };
                      int y = m.op("ssm.scan", {x, m.parameter("p", {3}), m.parameter("q", {3})},
                                   {Attr::ofTexts("dims", {"b", "t", "d"}), Attr::ofIntegers("sizes", {-1, -1, 3}),
                                    Attr::ofIntegers("state", {2}), Attr::ofTexts("maps", {"0,1,2", "2", "2", "0,1,2"}),
                                    Attr::ofInteger("inputs", 3), Attr::ofInteger("complex", 1)});
                      m.region(4, [&](const std::vector<int> &in) {
                        int z = op("complex.create", {in[0], in[1]}), w = op("complex.create", {in[2], in[0]});
                        int c = m.op("complex.constant", {}, {Attr::ofReal("value", 2), Attr::ofReal("imaginary", -1)},
                                     fb::DType::c64);
                        int a = op("complex.div", {z, op("complex.add", {w, op("complex.mul", {c, c})})});
                        int u =
                            op("complex.sub", {op("complex.conj", {z}), op("complex.expm1", {op("complex.neg", {w})})});
                        return std::vector<int>{a, u};
                      });
                      m.region(5, [&](const std::vector<int> &in) {
                        int size = m.op("complex.abs", {in[3]});
                        return std::vector<int>{m.op("arith.addf", {size, m.op("complex.im", {in[3]})})};
                      });
                      return y;
                    }),
      2, 6, true);
}

// A branch not taken must not poison the gradient: exp overflows where select takes the other value.
TEST(Scan, BranchNotTaken) {
  ModelBuilder builder = languageModel(2, [](ModelBuilder &m, int x) {
    int y =
        m.op("ssm.scan", {x},
             {Attr::ofTexts("dims", {"b", "t", "d"}), Attr::ofIntegers("sizes", {-1, -1, 2}),
              Attr::ofIntegers("state", {2}), Attr::ofTexts("maps", {"0,1,2", "0,1,2"}), Attr::ofInteger("inputs", 1)});
    m.region(2, [&](const std::vector<int> &in) {
      int large = m.op("arith.mulf", {in[0], m.op("arith.constant", {}, {Attr::ofReal("value", 1e6)})});
      int zero = m.op("arith.constant", {}, {Attr::ofReal("value", 0)});
      int isLarge = m.op("arith.cmpf", {large, zero}, {Attr::ofText("predicate", "ogt")}, fb::DType::u8);
      int u = m.op("arith.select", {isLarge, in[0], m.op("math.exp", {large})});
      return std::vector<int>{m.op("arith.constant", {}, {Attr::ofReal("value", 0.5)}), u};
    });
    m.region(3, [&](const std::vector<int> &in) { return std::vector<int>{in[1]}; });
    return y;
  });
  expectMatches(builder, 2, 6, false);
}

} // namespace
