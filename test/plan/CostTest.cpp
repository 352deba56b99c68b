// Counts on kernels small enough to count by hand, and what a machine makes of them.
#include "adjc/InitAll.h"
#include "adjc/Plan/Cost/CallCost.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace adjc;

namespace {

/// Two sequences of 8 tokens.
constexpr ShardSizes kSizes{2, 8, 16};

struct Parsed {
  MLIRContext context;
  OwningOpRef<ModuleOp> module;

  explicit Parsed(const std::string &text) {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects(); // kernels for a GPU are written to find out what they need
    module = parseSourceString<ModuleOp>(text, &context);
  }
  std::vector<LaunchWork> count(KernelTarget target = KernelTarget::Cpu) {
    FailureOr<std::vector<LaunchWork>> work = countKernel(*module->getOps<adj::KernelOp>().begin(), target);
    return succeeded(work) ? *work : std::vector<LaunchWork>();
  }
};

TEST(KernelWork, Elementwise) {
  Parsed parsed(R"(#id = affine_map<(b, t, c) -> (b, t, c)>
#vec = affine_map<(b, t, c) -> (c)>
adj.kernel @k {
  ^bb0(%x: tensor<?x?x10xbf16>, %bias: tensor<10xf32>):
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %b = tensor.dim %x, %c0 : tensor<?x?x10xbf16>
    %t = tensor.dim %x, %c1 : tensor<?x?x10xbf16>
    %e = tensor.empty(%b, %t) : tensor<?x?x10xf32>
    %y = linalg.generic {indexing_maps = [#id, #vec, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %bias : tensor<?x?x10xbf16>, tensor<10xf32>) outs(%e : tensor<?x?x10xf32>) {
      ^bb0(%v: bf16, %w: f32, %o: f32):
        %f = arith.extf %v : bf16 to f32
        %s = arith.addf %f, %w : f32
        %n = arith.negf %s : f32
        %p = math.exp %n : f32
        %q = arith.divf %s, %p : f32
        linalg.yield %q : f32
    } -> tensor<?x?x10xf32>
    adj.yield %y : tensor<?x?x10xf32>
})");
  std::vector<LaunchWork> launches = parsed.count();
  ASSERT_EQ(launches.size(), 1u);
  const Work &work = launches[0].work;
  EXPECT_EQ(work.kind, WorkKind::Pointwise);
  EXPECT_EQ(work.read.at(kSizes), 160 * 2 + 10 * 4);
  EXPECT_EQ(work.written.at(kSizes), 160 * 4);
  EXPECT_EQ(work.exponentials.at(kSizes), 160 * 2);                 // exp, the quotient
  EXPECT_EQ(work.operations.at(kSizes), 160 * (1 + 1 + 1 + 1 + 2)); // extf, addf, negf, exp's, the quotient's
  EXPECT_EQ(work.products.at(kSizes), 0);
}

TEST(KernelWork, EmbeddingReadsTheRowsItLooksUp) {
  Parsed parsed(R"(adj.kernel @k {
  ^bb0(%tokens: tensor<?x?xi32>, %table: tensor<1000x10xf32>):
    %y = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<1000x10xf32>) -> tensor<?x?x10xf32>
    adj.yield %y : tensor<?x?x10xf32>
})");
  std::vector<LaunchWork> launches = parsed.count();
  ASSERT_EQ(launches.size(), 1u);
  EXPECT_EQ(launches[0].work.kind, WorkKind::Embedding);
  EXPECT_EQ(launches[0].work.read.at(kSizes), 16 * 4 + 160 * 4);
  EXPECT_EQ(launches[0].work.written.at(kSizes), 160 * 4);
}

TEST(KernelWork, AccumulatedOutputsAreReadToo) {
  Parsed parsed(R"(adj.kernel @k accumulate {
  ^bb0(%partials: tensor<?x10xf32, #adj.blocks<"rows", 4>>):
    %y = adj.sum_partials %partials : (tensor<?x10xf32, #adj.blocks<"rows", 4>>) -> tensor<10xf32>
    adj.yield %y : tensor<10xf32>
})");
  std::vector<LaunchWork> launches = parsed.count();
  ASSERT_EQ(launches.size(), 1u);
  EXPECT_EQ(launches[0].work.read.at(kSizes), 4 * 10 * 4 + 10 * 4);
  EXPECT_EQ(launches[0].work.written.at(kSizes), 10 * 4);
  EXPECT_EQ(launches[0].work.operations.at(kSizes), 4 * 10);
}

/// y = sum_n h, h = exp(A) h + x, over 64 lanes and 16 states.
const char *const kScan = R"(adj.kernel @k {
  ^bb0(%x: tensor<?x?x64xf32>, %A: tensor<64x16xf32>):
    %y = ssm.scan over [b, t, d, n] state [d, n] : f32
        ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x64xf32>, tensor<64x16xf32>)
        outs([b, t, d] : tensor<?x?x64xf32>) step {
    ^bb0(%v: f32, %w: f32, %reset: i1):
      %e = math.exp %w : f32
      %a = arith.mulf %e, %v : f32
      ssm.yield %a, %v : f32, f32
    } read {
    ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
      %twice = arith.addf %h, %h : f32
      %r = ssm.sum [3] %twice : f32
      ssm.yield %r : f32
    }
    adj.yield %y : tensor<?x?x64xf32>
})";

TEST(KernelWork, ScanComputesEachValueWhereItVaries) {
  Parsed parsed(kScan);
  std::vector<LaunchWork> launches = parsed.count();
  ASSERT_EQ(launches.size(), 1u);
  const Work &work = launches[0].work;
  double tokens = 16, points = tokens * 64 * 16;
  EXPECT_EQ(work.kind, WorkKind::Scan);
  EXPECT_EQ(work.read.at(kSizes), tokens * 64 * 4 + 64 * 16 * 4);
  EXPECT_EQ(work.written.at(kSizes), tokens * 64 * 4);
  EXPECT_EQ(work.exponentials.at(kSizes), 64 * 16); // exp(A) does not vary over the tokens
  // The exponential's own, a; h = a h + u; twice, the sum.
  EXPECT_EQ(work.operations.at(kSizes), 64 * 16 + points + 2 * points + 2 * points);
}

TEST(KernelWork, TiledScanPassesTwice) {
  Parsed parsed(kScan);
  std::vector<LaunchWork> launches = parsed.count(KernelTarget::Gpu);
  ASSERT_EQ(launches.size(), 3u);
  double points = 16 * 64 * 16, chunks = 2;
  EXPECT_EQ(launches[0].suffix, "_states");
  EXPECT_EQ(launches[0].work.written.at(kSizes), chunks * 2 * 64 * 16 * 4);
  EXPECT_EQ(launches[0].work.operations.at(kSizes), 64 * 16 + points + 3 * points); // and the product of transitions
  EXPECT_EQ(launches[1].suffix, "_carry");
  EXPECT_EQ(launches[1].work.operations.at(kSizes), 0);
  EXPECT_EQ(launches[2].suffix, "_outputs");
  EXPECT_EQ(launches[2].work.written.at(kSizes), 16 * 64 * 4);
  EXPECT_EQ(launches[2].work.operations.at(kSizes), 64 * 16 + points + 2 * points + 2 * points);
}

TEST(ProductWork, CountsTwoFlopsForEachTerm) {
  Parsed parsed(R"(func.func @f(%x: tensor<?x?x10xbf16>, %w: tensor<30x10xbf16>, %g: tensor<?x?x30xbf16>) {
  %y = adj.gemm %x, %w {transpose_b} : (tensor<?x?x10xbf16>, tensor<30x10xbf16>) -> tensor<?x?x30xf32>
  adj.gemm %g, %x into "w" {transpose_a} : (tensor<?x?x30xbf16>, tensor<?x?x10xbf16>) -> ()
  return
})");
  SmallVector<adj::GemmOp> products;
  parsed.module->walk([&](adj::GemmOp op) { products.push_back(op); });
  ASSERT_EQ(products.size(), 2u);
  Work forward = countProduct(products[0]), gradient = countProduct(products[1]);
  EXPECT_TRUE(forward.bf16);
  EXPECT_EQ(forward.products.at(kSizes), 2 * 16 * 10 * 30);
  EXPECT_EQ(forward.read.at(kSizes), (160 + 300) * 2);
  EXPECT_EQ(forward.written.at(kSizes), 16 * 30 * 4);
  EXPECT_EQ(gradient.products.at(kSizes), 2 * 16 * 10 * 30);
  EXPECT_EQ(gradient.written.at(kSizes), 300 * 4);
  EXPECT_EQ(gradient.read.at(kSizes), (480 + 160) * 2 + 300 * 4); // what it adds to
}

TEST(Machine, TheSlowestResourceDecides) {
  Machine machine = *Machine::find("sm_90");
  machine.efficiency.fill(1);
  Work work;
  work.read = Quantity(2 * machine.memory);
  EXPECT_DOUBLE_EQ(machine.secondsOf(work, kSizes), machine.launch + 2);
  work.operations = Quantity(3 * machine.operations);
  work.exponentials = Quantity(machine.exponentials);
  EXPECT_DOUBLE_EQ(machine.secondsOf(work, kSizes), machine.launch + 3);
  machine.efficiency.fill(0.5);
  EXPECT_DOUBLE_EQ(machine.secondsOf(work, kSizes), machine.launch + 6);
  // Half of the machine has nothing to do.
  work.groups = Quantity(machine.processors * machine.residents[static_cast<unsigned>(work.kind)] / 2);
  EXPECT_DOUBLE_EQ(machine.secondsOf(work, kSizes), machine.launch + 12);
}

TEST(Machine, KnowsEveryTarget) {
  for (const char *target : {"cpu", "sm_80", "sm_90", "sm_90a", "sm_100"})
    EXPECT_NE(Machine::find(target), nullptr) << target;
  EXPECT_EQ(Machine::find("sm_70"), nullptr);
}

TEST(CallCost, AddsUpTheSchedule) {
  Machine machine = *Machine::find("cpu");
  machine.efficiency.fill(1);
  machine.launch = machine.program = 0;
  auto programOf = [&](const char *name, double secondsPerToken) {
    ProgramWork program;
    program.name = name;
    CommandWork command{"work", "work", nullptr, {}};
    command.work.operations.add(machine.operations * secondsPerToken, {{DimensionCount::Unit::Tokens, 1}});
    program.commands.push_back(command);
    return program;
  };
  std::vector<ProgramWork> programs{programOf("forward", 1), programOf("gradient", 3)};
  Plan plan;
  plan.shard = 10;
  plan.context = 35; // three shards of 10 tokens and one of 5
  plan.miniSequence = 10;
  plan.boundaries = "device";
  CallCost cost = costOfCall(programs, machine, plan, plan.context, 0, 0);
  EXPECT_EQ(cost.forwards, 3);
  EXPECT_EQ(cost.gradients, 4);
  EXPECT_NEAR(cost.seconds, 3 * 10 + 3 * 35, 1e-6);
  plan.boundaries = "binomial:1"; // from the start each time: 3 + 2 + 1 forward runs
  cost = costOfCall(programs, machine, plan, plan.context, 0, 0);
  EXPECT_EQ(cost.forwards, 6);
  EXPECT_NEAR(cost.seconds, 6 * 10 + 3 * 35, 1e-6);
  EXPECT_EQ(cost.by.op.count("work"), 1u);
  // On the host a boundary moves beside a run: only what it takes longer counts, here 40 - 10 and 40 - 30 seconds.
  plan.boundaries = "host";
  cost = costOfCall(programs, machine, plan, plan.context, 0, static_cast<uint64_t>(40 * machine.link));
  EXPECT_EQ(cost.forwards, 3);
  EXPECT_NEAR(cost.seconds, 3 * 40 + 3 * 40 + 3 * 5, 1e-6);
  CallParts parts{10, 30, 15, 0, 40};
  EXPECT_NEAR(parts.secondsOf("host", 4), cost.seconds, 1e-6);
  EXPECT_NEAR(parts.secondsOf("device", 4), 3 * 10 + 3 * 30 + 15, 1e-6);
}

TEST(ProgramWork, TransfersRunBesideTheCommandsOfTheirStack) {
  Machine machine = *Machine::find("sm_90");
  machine.efficiency.fill(1);
  machine.launch = machine.program = 0;
  ProgramWork program;
  CommandWork compute{"work", "work", nullptr, {}}, away{"offload", "offload", nullptr, {}}, back = away;
  compute.work.operations = Quantity(3 * machine.operations);
  away.work.kind = WorkKind::Transfer;
  away.work.moved = Quantity(2 * machine.link);
  program.commands = {compute, away};
  EXPECT_DOUBLE_EQ(program.secondsOf(machine, 1, 8, 8), 3);
  EXPECT_DOUBLE_EQ(program.secondsBy(machine, 1, 8, 8).total, 3);
  // Two ways at once.
  back.name = back.op = "prefetch";
  back.work = away.work;
  program.commands = {compute, away, back};
  EXPECT_DOUBLE_EQ(program.secondsOf(machine, 1, 8, 8), 3);
  away.work.moved = Quantity(5 * machine.link);
  program.commands = {compute, away, back};
  EXPECT_DOUBLE_EQ(program.secondsOf(machine, 1, 8, 8), 5);
  SecondsBy by = program.secondsBy(machine, 1, 8, 8);
  EXPECT_DOUBLE_EQ(by.total, 5);
  EXPECT_DOUBLE_EQ(by.kind[static_cast<unsigned>(WorkKind::Transfer)], 2);
}

} // namespace
