// Plan, parameters, kernels and model graph: what a module with right checksums may still get wrong.
#include "TestModule.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

using namespace adjrt;
using namespace adjrt::test;

namespace {

void expectRefused(const std::function<void(fb::ModuleT &)> &change, const std::string &text) {
  fb::ModuleT table = minimalModule();
  change(table);
  auto module = parseImage(fileImage(std::move(table), {"blob"}));
  ASSERT_FALSE(module) << "expected: " << text;
  EXPECT_EQ(module.error().kind, ErrorKind::InvalidInput);
  EXPECT_NE(module.error().message.find(text), std::string::npos) << module.error().message;
}

std::unique_ptr<fb::ParameterT> parameter(std::string name, std::vector<std::int64_t> shape, std::uint64_t offset) {
  auto result = std::make_unique<fb::ParameterT>();
  result->name = std::move(name);
  result->shape = std::move(shape);
  result->offset = offset;
  return result;
}

TEST(Plan, Numbers) {
  expectRefused([](auto &m) { m.target->abi_version = 99; }, "ABI version 99");
  expectRefused([](auto &m) { m.dtype = static_cast<fb::DType>(77); }, "module: unknown dtype");
  expectRefused([](auto &m) { m.plan->batch = 0; }, "batch 0 must be at least 1");
  expectRefused([](auto &m) { m.plan->shard = -3; }, "shard -3 must be at least 1");
  expectRefused([](auto &m) { m.plan->context = 0; }, "context 0 must be at least 1");
  expectRefused([](auto &m) { m.plan->vocabulary = 0; }, "vocabulary 0 must be at least 1");
  expectRefused([](auto &m) { m.plan->vocabulary = 1ll << 40; }, "does not fit in int32");
  expectRefused([](auto &m) { m.plan->batch = m.plan->shard = 1ll << 20; }, "more than 2^31 - 1 rows");
  expectRefused([](auto &m) { m.plan->layers = -1; }, "must not be negative");
  expectRefused([](auto &m) { m.plan->optimizer = "sgd"; }, "optimizer 'sgd'");
  expectRefused([](auto &m) { m.plan->boundaries = "tape"; }, "boundaries 'tape'");
  expectRefused([](auto &m) { m.plan->parameter_bytes = ~0ull; }, "larger than any memory");
  expectRefused(
      [](auto &m) {
        m.plan->context = 1ll << 60;
        m.plan->boundary_bytes = 1 << 20;
      },
      "larger than any memory");
}

TEST(Plan, Staging) {
  expectRefused([](auto &m) { m.plan->staging->losses = 512 - 12; }, "staging of losses");
  expectRefused([](auto &m) { m.plan->staging->tokens = 2; }, "staging of tokens");
  expectRefused([](auto &m) { m.plan->staging->loss_scale = ~3ull; }, "staging of loss_scale");
  expectRefused([](auto &m) { m.plan->staging = nullptr; }, "not a valid FlatBuffer of the module schema");
}

TEST(Plan, Carries) {
  const auto carry = [](auto change) {
    return [=](fb::ModuleT &m) {
      auto carry = std::make_unique<fb::CarryT>();
      carry->name = "state";
      carry->shape = {2, 2};
      carry->layers = 2;
      carry->layer_stride = 32;
      change(*carry);
      m.plan->carries.push_back(std::move(carry));
    };
  };
  expectRefused(carry([](auto &c) { c.layers = 4; }),
                "carry 'state': is misaligned or leaves the boundary of 64 bytes");
  expectRefused(carry([](auto &c) { c.layer_stride = ~0ull; }), "leaves the boundary");
  expectRefused(carry([](auto &c) { c.offset = 2; }), "is misaligned");
  expectRefused(carry([](auto &c) { c.shape = {1ll << 40, 1ll << 40}; }), "too large");
  expectRefused(carry([](auto &c) { c.shape = {0}; }), "not positive");
  expectRefused(carry([](auto &c) { c.dtype = static_cast<fb::DType>(-1); }), "unknown dtype");
}

TEST(Parameters, NamesAndRanges) {
  const auto with = [](std::vector<std::unique_ptr<fb::ParameterT>> list) {
    auto shared = std::make_shared<decltype(list)>(std::move(list));
    return [shared](fb::ModuleT &m) {
      m.plan->parameter_bytes = 256;
      for (auto &item : *shared)
        m.parameters.push_back(std::move(item));
    };
  };
  const auto list = [](auto... items) {
    std::vector<std::unique_ptr<fb::ParameterT>> result;
    (result.push_back(std::move(items)), ...);
    return result;
  };
  expectRefused(with(list(parameter("w", {4}, 0), parameter("w", {4}, 64))),
                "parameter 'w': there are two of this name");
  expectRefused(with(list(parameter("", {4}, 0))), "has no name");
  expectRefused(with(list(parameter("w", {65}, 0))), "leaves the parameters' 256 bytes");
  expectRefused(with(list(parameter("w", {4}, 32))), "is misaligned");
  expectRefused(with(list(parameter("w", {4}, ~63ull))), "leaves the parameters'");
  expectRefused(with(list(parameter("w", {0, 4}, 0))), "not positive");
  expectRefused(with(list(parameter("w", {17}, 0), parameter("v", {4}, 64))), "parameter 'v': overlaps 'w'");
  auto half = parameter("w", {4}, 0);
  half->dtype = fb::DType::f16;
  expectRefused(with(list(std::move(half))), "must be f32");
  auto odd = parameter("w", {4}, 0);
  odd->initializer = std::make_unique<fb::InitializerT>();
  odd->initializer->kind = "magic";
  expectRefused(with(list(std::move(odd))), "unknown initializer 'magic'");

  fb::ModuleT good = minimalModule();
  with(list(parameter("v", {4}, 64), parameter("w", {2, 8}, 0)))(good);
  auto module = parseImage(fileImage(std::move(good)));
  ASSERT_TRUE(module) << module.error().message;
  EXPECT_EQ(elementCount(*(*module)->parameter("w")), 16u);
}

TEST(Kernels, NamesAndBlobs) {
  const auto kernel = [](std::string name, std::uint32_t blob) {
    return [=](fb::ModuleT &m) {
      m.kernels.push_back(std::make_unique<fb::KernelT>());
      m.kernels.back()->name = name;
      m.kernels.back()->blob = blob;
    };
  };
  expectRefused(kernel("k", 1), "kernel 'k': its code is in blob 1 of 1");
  expectRefused(kernel("", 0), "has no name");
  expectRefused([=](auto &m) { kernel("k", 0)(m), kernel("k", 0)(m); }, "there are two of this name");
}

TEST(Kernels, CodeAndLaunchByTarget) {
  const auto kernel = [](const std::string &target, auto change) {
    return [=](fb::ModuleT &m) {
      m.target->name = target;
      m.kernels.push_back(std::make_unique<fb::KernelT>());
      m.kernels.back()->name = "k";
      m.kernels.back()->threads = 128;
      change(*m.kernels.back());
    };
  };
  for (const char *target : {"sm_80", "sm_90a", "sm_100"}) {
    fb::ModuleT good = minimalModule();
    kernel(target, [](auto &k) { k.threads = 1024, k.shared_bytes = 200000, k.operand_count = 508; })(good);
    auto module = parseImage(fileImage(std::move(good), {"blob"}));
    EXPECT_TRUE(module) << module.error().message;
  }
  for (const char *target : {"gpu", "sm_", "sm_9", "sm_90b", "sm_a0", "sm_12345"})
    expectRefused(kernel(target, [](auto &) {}), "target: '" + std::string(target) + "' is not known");
  expectRefused(kernel("sm_90", [](auto &k) { k.threads = 0; }), "kernel 'k': a block of 0 threads");
  expectRefused(kernel("sm_90", [](auto &k) { k.threads = 1025; }), "a block of 1025 threads");
  expectRefused(kernel("sm_90", [](auto &k) { k.shared_bytes = 1 << 21; }), "2097152 bytes of shared memory");
  expectRefused(kernel("sm_90", [](auto &k) { k.operand_count = 509; }), "509 operands");
  expectRefused(kernel("cpu", [](auto &) {}), "threads and shared memory of a block, but the target is the cpu");
}

/// Code of another target's kind: the kind is changed in the image.
TEST(Kernels, KindOfCode) {
  const auto image = [](const char *target, std::uint32_t threads, const char *kind, const char *other) {
    fb::ModuleT table = minimalModule();
    table.target->name = target;
    table.kernels.push_back(std::make_unique<fb::KernelT>());
    table.kernels[0]->name = "k";
    table.kernels[0]->threads = threads;
    std::string result = fileImage(std::move(table), {"text"});
    result.replace(result.find(kind), std::strlen(other), other);
    resealTable(result);
    return result;
  };
  auto module = parseImage(image("cpu", 0, "shared-object", "SHA"));
  ASSERT_FALSE(module);
  EXPECT_NE(module.error().message.find("blob 0 is 'SHAred-object', not a shared-object"), std::string::npos)
      << module.error().message;
  module = parseImage(image("sm_90", 32, "ptx", "PTX"));
  ASSERT_FALSE(module);
  EXPECT_NE(module.error().message.find("blob 0 is 'PTX', not ptx or a cubin"), std::string::npos)
      << module.error().message;
}

TEST(Model, ValueIds) {
  expectRefused([](auto &m) { m.model->graph->nodes[0]->operands = {3}; },
                "node 0 ssm.lm_loss (spec.mlir:3:5): value 3 of 3");
  expectRefused([](auto &m) { m.model->graph->nodes[0]->operands = {-1}; }, "value -1 of 3");
  expectRefused([](auto &m) { m.model->graph->nodes[0]->operands = {2}; }, "value 2 is used where it is not defined");
  expectRefused([](auto &m) { m.model->graph->nodes[0]->results = {1}; }, "value 1 is defined twice");
  expectRefused([](auto &m) { m.model->graph->arguments = {0}; }, "it must take tokens and targets");
  expectRefused([](auto &m) { m.model->values[0]->shape = {-2}; }, "value 0: unknown dtype or invalid shape");
  expectRefused([](auto &m) { m.model->graph->nodes[0]->op = ""; }, "has no op");
}

/// A node with one region that uses value 0 from outside: allowed, but not in ssm.scan.
TEST(Model, RegionsSeeTheGraphsAroundThemUnlessIsolated) {
  const auto nested = [](const char *op) {
    return [=](fb::ModuleT &m) {
      fb::NodeT &node = *m.model->graph->nodes[0];
      node.op = op;
      auto inner = std::make_unique<fb::NodeT>();
      inner->op = "ssm.silu";
      inner->operands = {0};
      inner->results = {3};
      m.model->values.push_back(std::make_unique<fb::ValueTypeT>());
      node.regions.push_back(std::make_unique<fb::GraphT>());
      node.regions[0]->nodes.push_back(std::move(inner));
      node.regions[0]->results = {3};
    };
  };
  expectRefused(nested("ssm.scan"),
                "region 0, node 0 ssm.silu: value 0 is used where it is not defined or not visible");
  fb::ModuleT good = minimalModule();
  nested("ssm.repeat")(good);
  auto module = parseImage(fileImage(std::move(good)));
  EXPECT_TRUE(module) << module.error().message;
  expectRefused([=](auto &m) { nested("ssm.repeat")(m), m.model->graph->results = {3}; },
                "results: value 3 is used where");
}

} // namespace
