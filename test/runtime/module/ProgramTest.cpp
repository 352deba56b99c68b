// Addresses and ordinals of programs, at the largest layer and row.
#include "TestModule.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

using namespace adjrt;
using namespace adjrt::test;
using fb::BufferKind;

namespace {

/// A module of shard 4, batch 1, whose gradient program has an x (rows x 8 floats), w (8 x 8 in 3 layers) and y (rows x
/// 8).
fb::ModuleT base() {
  fb::ModuleT module = minimalModule();
  module.plan->parameter_bytes = 3 * 256;
  module.kernels.push_back(std::make_unique<fb::KernelT>());
  module.kernels[0]->name = "k";
  module.kernels[0]->operand_count = 2;
  fb::ProgramT &program = *module.programs[1];
  program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("x", BufferKind::arena, 0, 128)));
  program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("w", BufferKind::parameters, 0, 256, 256, 3)));
  program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("y", BufferKind::arena, 128, 128)));
  return module;
}

fb::GemmT product() { return gemm(ref(0), ref(1), ref(2), rows(), fixed(8), fixed(8), 8, 8, 8); }

Expected<std::unique_ptr<Module>> build(const std::function<void(fb::ModuleT &, fb::ProgramT &)> &change) {
  fb::ModuleT module = base();
  change(module, *module.programs[1]);
  return parseImage(fileImage(std::move(module), {"blob"}));
}

void expectAccepted(const std::function<void(fb::ModuleT &, fb::ProgramT &)> &change) {
  auto module = build(change);
  EXPECT_TRUE(module) << module.error().message;
}

void expectRefused(const std::function<void(fb::ModuleT &, fb::ProgramT &)> &change, const std::string &text) {
  auto module = build(change);
  ASSERT_FALSE(module) << "expected: " << text;
  EXPECT_EQ(module.error().kind, ErrorKind::InvalidInput);
  EXPECT_NE(module.error().message.find(text), std::string::npos) << module.error().message;
}

/// One command in one block.
auto command(auto operation, std::uint32_t layers = 0, std::uint64_t miniSequence = 0) {
  return [=](fb::ModuleT &, fb::ProgramT &program) {
    addBlock(program, layers, false, miniSequence);
    addCommand(program, operation, "spec.mlir:7:3");
  };
}

TEST(Programs, BothMustBeThereOnce) {
  expectRefused([](auto &m, auto &) { m.programs.pop_back(); }, "there are 1 and 0");
  expectRefused(
      [](auto &m, auto &p) {
        p.name = "forward";
        (void)m;
      },
      "there are 2 and 0");
}

TEST(Programs, PrepareIsThereWithWorkingCopies) {
  const auto prepare = [](auto &m) {
    m.programs.push_back(std::make_unique<fb::ProgramT>());
    m.programs.back()->name = "prepare";
  };
  expectAccepted([&](auto &m, auto &p) {
    m.plan->working_copy_bytes = 128;
    p.buffers.push_back(std::make_unique<fb::BufferT>(buffer("c", BufferKind::working_copies, 0, 128)));
    prepare(m);
  });
  expectRefused([](auto &m, auto &) { m.plan->working_copy_bytes = 128; }, "there must be one 'prepare'");
  expectRefused([&](auto &m, auto &) { prepare(m); }, "there must be no 'prepare'");
  expectRefused(
      [](auto &, auto &p) {
        p.buffers.push_back(std::make_unique<fb::BufferT>(buffer("c", BufferKind::working_copies, 0, 64)));
      },
      "leaves its region (working_copies) of 0 bytes");
}

TEST(Programs, Buffers) {
  expectRefused([](auto &, auto &p) { p.buffers[0]->size = 513; },
                "program 'gradient': buffer 'x': leaves its region (arena) of 512");
  expectRefused([](auto &, auto &p) { p.buffers[1]->layers = 4; }, "buffer 'w': leaves its region (parameters) of 768");
  expectRefused([](auto &, auto &p) { p.buffers[1]->layer_stride = ~0ull; }, "buffer 'w': leaves its region");
  expectRefused([](auto &, auto &p) { p.buffers[0]->offset = ~63ull; }, "buffer 'x': leaves its region");
  expectRefused([](auto &, auto &p) { p.buffers[0]->offset = 4; }, "is not a multiple of 64");
  expectRefused([](auto &, auto &p) { p.buffers[0]->layers = 0; }, "has no layers");
  expectRefused([](auto &, auto &p) { p.buffers[0]->kind = static_cast<BufferKind>(9); }, "unknown kind");
  expectRefused([](auto &, auto &p) { p.buffers[0]->first_command = 2; }, "lifetime");
  expectRefused([](auto &m, auto &p) { command(product())(m, p), p.buffers[0]->last_command = 1; }, "lifetime");
  expectRefused([](auto &, auto &p) { p.buffers[0]->kind = BufferKind::carry_in; },
                "leaves its region (carry_in) of 64");
}

TEST(Programs, GemmRanges) {
  expectAccepted(command(product(), 3));
  expectRefused(command(product(), 4), "block 0: command 0 (spec.mlir:7:3): b: leaves buffer 'w' of 768 bytes");
  const auto with = [](auto change, std::uint32_t layers = 0) {
    fb::GemmT operation = product();
    change(operation);
    return command(std::move(operation), layers);
  };
  expectRefused([&](auto &m, auto &p) { m.plan->shard = 5, m.plan->fixed_bytes = 1024, command(product())(m, p); },
                "a: leaves buffer 'x'");
  expectRefused(with([](auto &g) { g.a = std::make_unique<fb::BufferRef>(ref(3)); }), "a: buffer 3 of 3");
  expectRefused(with([](auto &g) { g.c = std::make_unique<fb::BufferRef>(ref(2, 4)); }), "c: leaves buffer 'y'");
  expectRefused(with([](auto &g) { g.c = std::make_unique<fb::BufferRef>(ref(2, 2)); }), "not a multiple of 4");
  expectRefused(with([](auto &g) { g.c = std::make_unique<fb::BufferRef>(ref(2, ~3ull)); }), "c: leaves buffer 'y'");
  expectRefused(with([](auto &g) { g.lda = 7; }), "a: 7 elements between rows of 8");
  expectRefused(with([](auto &g) { g.ldb = 1ll << 33; }), "elements between rows of 8");
  expectRefused(with([](auto &g) { g.ldc = -8; }), "c: -8 elements");
  expectRefused(with([](auto &g) { g.lda = 9; }), "a: leaves buffer 'x'");
  expectRefused(with([](auto &g) { g.transpose_a = true; }), "a: leaves buffer 'x'");
  for (const auto &[inputs, output, text] : {std::tuple(fb::DType::f32, fb::DType::bf16, "f32 matrices into bf16"),
                                             {fb::DType::i32, fb::DType::f32, "i32 matrices into f32"},
                                             {fb::DType::bf16, fb::DType::f16, "bf16 matrices into f16"},
                                             {static_cast<fb::DType>(77), fb::DType::f32, "dtype 77 matrices"}})
    expectRefused(with([&](auto &g) { g.dtype = inputs, g.output = output; }),
                  std::string("gemm: there is no product of ") + text);
  expectRefused(with([](auto &g) { g.m = std::make_unique<fb::Extent>(fixed(0)); }), "m: factor 0");
  expectRefused(with([](auto &g) { g.k = std::make_unique<fb::Extent>(8, 0, fb::Unit::one); }),
                "k: factor 8 and block 0");
  expectRefused(with([](auto &g) { g.n = std::make_unique<fb::Extent>(1ll << 62, 1, fb::Unit::one); }),
                "n: is too large");
  expectRefused(with([](auto &g) { g.n = std::make_unique<fb::Extent>(8, 1, static_cast<fb::Unit>(9)); }),
                "n: unknown unit");
}

/// Elements of bf16 take 2 bytes, in each matrix by itself.
TEST(Programs, GemmRangesOfBf16) {
  const auto with = [](auto change) {
    fb::GemmT operation = product();
    operation.dtype = fb::DType::bf16;
    change(operation);
    return command(std::move(operation));
  };
  expectAccepted(with([](auto &g) { g.lda = 16, g.ldb = 16; }));
  expectAccepted(with([](auto &g) { g.a = std::make_unique<fb::BufferRef>(ref(0, 2)); }));
  expectRefused(with([](auto &g) { g.a = std::make_unique<fb::BufferRef>(ref(0, 1)); }), "not a multiple of 2");
  expectRefused(with([](auto &g) { g.c = std::make_unique<fb::BufferRef>(ref(2, 2)); }), "not a multiple of 4");
  expectRefused(with([](auto &g) { g.ldc = 16; }), "c: leaves buffer 'y'");
  expectAccepted(with([](auto &g) { g.ldc = 16, g.output = fb::DType::bf16; }));
  expectRefused(with([](auto &g) { g.ldc = 32, g.output = fb::DType::bf16; }), "c: leaves buffer 'y'");
}

TEST(Programs, MiniSequencesReachTheLastRow) {
  const auto rowwise = [](std::uint64_t stride) {
    return gemm(ref(0, 0, stride), ref(1), ref(2, 0, stride), rows(), fixed(8), fixed(8), 8, 8, 8);
  };
  for (std::uint64_t length : {1, 2, 3, 4, 5})
    expectAccepted(command(rowwise(32), 0, length));
  expectRefused(command(rowwise(36), 0, 3), "a: leaves buffer 'x'");
  expectRefused(command(rowwise(1ull << 62), 0, 2), "a: leaves buffer 'x'");
  expectAccepted(command(rowwise(32), 3, 3)); // in every layer
  expectRefused(command(rowwise(36), 3, 3), "a: leaves buffer 'x'");
  expectRefused(command(rowwise(32), 4, 3), "b: leaves buffer 'w'");
}

TEST(Programs, BlocksJoinThePassBefore) {
  const auto blocks = [](std::uint32_t layers, bool reverse, std::uint32_t joinedLayers, bool joinedReverse) {
    return [=](fb::ModuleT &, fb::ProgramT &program) {
      addBlock(program, layers, reverse);
      addBlock(program, joinedLayers, joinedReverse, 2);
      program.blocks.back()->joined = true;
    };
  };
  expectAccepted(blocks(3, true, 3, true));
  const char *message = "block 1: joins the pass over the layers of the block before it";
  expectRefused(blocks(3, false, 2, false), message);
  expectRefused(blocks(3, false, 3, true), message);
  expectRefused(blocks(0, false, 0, false), message);
  expectRefused(
      [](auto &, auto &p) {
        addBlock(p, 3);
        p.blocks[0]->joined = true;
      },
      "block 0: joins the pass over the layers of the block before it");
}

TEST(Programs, Dispatch) {
  expectAccepted(command(dispatch(0, {ref(0), ref(1)}, rows(1, 3)), 3));
  expectRefused(command(dispatch(1, {}, fixed(1))), "kernel 1 of 1");
  expectRefused(command(dispatch(0, {ref(0)}, fixed(1))), "kernel 'k' takes 2 operands, not 1");
  expectRefused(command(dispatch(0, {ref(0), ref(7)}, fixed(1))), "operand 1: buffer 7 of 3");
  expectRefused(command(dispatch(0, {ref(0, 128), ref(1)}, fixed(1))), "operand 0: leaves buffer 'x'");
  expectRefused(command(dispatch(0, {ref(0), ref(1)}, fixed(1)), 4), "operand 1: leaves buffer 'w'");
  expectRefused(command(dispatch(0, {ref(0), ref(1)}, fixed(0))), "groups: factor 0");
}

TEST(Programs, CopyAndFill) {
  expectAccepted(command(copy(ref(0), ref(2), rows(), 32, 32, 32)));
  expectRefused(command(copy(ref(0), ref(2), rows(), 33, 32, 32)), "source: leaves buffer 'x'");
  expectRefused(command(copy(ref(0), ref(2), rows(), 32, 32, 33)), "destination: leaves buffer 'y'");
  expectRefused(command(copy(ref(0), ref(2), rows(), ~0ull, ~0ull, 0)), "source: leaves buffer 'x'");
  expectAccepted(command(fill(ref(0), rows(32))));
  expectRefused(command(fill(ref(0), rows(33))), "destination: leaves buffer 'x'");
}

/// Four layers of h in host memory (rows x 8 floats each), and a ring r of two places for them in the arena.
std::function<void(fb::ModuleT &, fb::ProgramT &)> moved(fb::TransferT transfer, std::uint32_t layers = 4) {
  return [=](fb::ModuleT &module, fb::ProgramT &program) {
    module.plan->host_bytes = 4 * 128;
    program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("h", BufferKind::host, 0, 128, 128, 4)));
    program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("r", BufferKind::arena, 0, 128, 128, 4)));
    program.buffers.back()->instances = 2;
    addBlock(program, layers);
    addCommand(program, transfer, "spec.mlir:7:3");
    addCommand(program, awaitToHost(1000));
  };
}

TEST(Programs, TransfersBetweenTheArenaAndTheHost) {
  const auto wide = [](auto change) {
    fb::TransferT transfer = toHost(ref(4), ref(3), rows(), 32);
    change(transfer);
    return moved(transfer);
  };
  expectAccepted(moved(toHost(ref(4), ref(3), rows(), 32)));
  expectAccepted(moved(toDevice(ref(3), ref(4), rows(), 32)));
  expectRefused(moved(toDevice(ref(4), ref(3), rows(), 32)), "source: buffer 'r' is not in host memory");
  expectRefused(moved(toHost(ref(3), ref(4), rows(), 32)), "source: buffer 'h' is in host memory");
  expectRefused(moved(toHost(ref(4), ref(0), rows(), 32)), "destination: buffer 'x' is not in host memory");
  expectRefused(moved(toHost(ref(1), ref(3), rows(), 32), 3), "transfer: buffer 'w' is not of the arena's fixed part");
  expectRefused(moved(toHost(ref(9), ref(3), rows(), 32)), "source: buffer 9 of 5");
  expectRefused(moved(toHost(ref(4, 4), ref(3), rows(), 32)), "source: leaves buffer 'r' of 256 bytes");
  expectRefused(moved(toHost(ref(4), ref(3, 4), rows(), 32)), "destination: leaves buffer 'h' of 512 bytes");
  expectRefused(moved(toHost(ref(4), ref(3), rows(), 0)), "transfer: rows of 0 bytes");
  expectRefused(wide([](auto &t) { t.source_stride = 31; }),
                "rows of 32 bytes, 31 and 32 bytes apart, are empty or overlap");
  expectRefused(wide([](auto &t) { t.destination_stride = 31; }), "32 and 31 bytes apart, are empty or overlap");
  expectRefused(wide([](auto &t) { t.source_stride = 33; }), "source: leaves buffer 'r'");
  expectRefused(wide([](auto &t) { t.destination_stride = ~0ull; }), "destination: leaves buffer 'h'");
  expectRefused(wide([](auto &t) { t.count = std::make_unique<fb::Extent>(rows(0)); }), "count: factor 0");
}

TEST(Programs, TransfersOfLayersFurtherOn) {
  const auto shifted = [](std::int32_t shift, std::uint64_t offset = 0, std::uint32_t layers = 4) {
    return moved(toDevice(ref(3, offset), ref(4), rows(), 32, shift), layers);
  };
  for (std::int32_t shift : {-3, -1, 0, 1, 3})
    expectAccepted(shifted(shift));
  expectAccepted(shifted(-1, 128)); // of layer 2 at most: its place in h and one more
  expectRefused(shifted(-1, 129), "source: leaves buffer 'h'");
  expectRefused(shifted(1, 1), "source: leaves buffer 'h'"); // of the last layer too
  expectRefused(shifted(-4), "transfer: no layer of 4 is -4 layers from another");
  expectRefused(shifted(4), "transfer: no layer of 4 is 4 layers from another");
  expectRefused(shifted(std::numeric_limits<std::int32_t>::min()), "transfer: no layer of 4 is");
  expectRefused(shifted(-1, 0, 0), "transfer: no layer of 1 is -1 layers from another");
  expectAccepted(shifted(-1, 0, 5));
  expectRefused(shifted(0, 0, 5), "source: leaves buffer 'h'");
}

TEST(Programs, RingsHaveFewerPlacesThanLayers) {
  const auto ring = [](std::uint32_t layers, std::uint32_t instances, std::uint32_t stack, std::uint64_t offset = 0) {
    return [=](fb::ModuleT &, fb::ProgramT &program) {
      program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("r", BufferKind::arena, 0, 128, 128, layers)));
      program.buffers.back()->instances = instances;
      addBlock(program, stack);
      addCommand(program, fill(ref(3, offset), rows(32)));
    };
  };
  expectAccepted(ring(8, 4, 8)); // 4 x 128 bytes are all there are
  expectRefused(ring(8, 5, 8), "buffer 'r': leaves its region (arena)");
  expectRefused(ring(2, 3, 2), "buffer 'r': its 2 layers take turns in 3 places");
  expectRefused(ring(8, 2, 9), "destination: layer 8 of buffer 'r', which has 8");
  expectRefused(ring(8, 2, 8, 1), "destination: leaves buffer 'r' of 256 bytes");
  expectAccepted(ring(8, 2, 1, 128));
}

TEST(Programs, OnlyTransfersReachTheHost) {
  const auto host = [](auto operation) {
    return [=](fb::ModuleT &module, fb::ProgramT &program) {
      module.plan->host_bytes = 128;
      program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("h", BufferKind::host, 0, 128)));
      addBlock(program);
      addCommand(program, operation);
    };
  };
  const char *message = "buffer 'h' is in host memory, which only transfers reach";
  expectRefused(host(fill(ref(3), fixed(4))), message);
  expectRefused(host(copy(ref(3), ref(0), fixed(1), 4, 4, 4)), message);
  expectRefused(host(dispatch(0, {ref(0), ref(3)}, fixed(1))), message);
  expectRefused(host(gemm(ref(3), ref(1), ref(2), fixed(1), fixed(1), fixed(1), 1, 1, 1)), message);
  expectRefused(
      [](auto &module, auto &program) {
        module.plan->host_bytes = 127;
        program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("h", BufferKind::host, 0, 128)));
      },
      "buffer 'h': leaves its region (host) of 127 bytes");
  expectRefused([](auto &module, auto &) { module.plan->host_bytes = 1ull << 63; },
                "plan: host memory for 9223372036854775808 bytes of programs");
}

} // namespace
