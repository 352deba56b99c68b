// Where the tensors of a boundary lie.
#include "adjrt/module/Carries.h"
#include "TestModule.h"

#include <gtest/gtest.h>

using namespace adjrt;
using namespace adjrt::test;

namespace {

std::unique_ptr<fb::CarryT> carry(const char *name, std::vector<std::int64_t> shape, std::uint64_t offset,
                                  std::uint64_t stride = 0, std::uint32_t layers = 1) {
  auto table = std::make_unique<fb::CarryT>();
  table->name = name;
  table->shape = std::move(shape);
  table->offset = offset;
  table->layer_stride = stride;
  table->layers = layers;
  return table;
}

/// One outside of a stack, a stack of three layers with two, two neighbouring stacks of one layer with equal strides.
TEST(Carries, AreListedLayerByLayer) {
  fb::ModuleT table = minimalModule();
  table.plan->batch = 2;
  table.plan->boundary_bytes = 1024;
  auto &carries = table.plan->carries;
  carries.push_back(carry("first", {5}, 0));
  carries.push_back(carry("tail", {3, 2}, 64, 192, 3));
  carries.push_back(carry("state", {2, 4, 2}, 128, 192, 3));
  carries.push_back(carry("one", {1}, 640, 64, 1));
  carries.push_back(carry("other", {1}, 704, 64, 1));
  auto module = parseImage(fileImage(std::move(table)));
  ASSERT_TRUE(module) << module.error().message;

  std::vector<std::string> lines;
  for (const CarryPlace &place : listCarries(**module)) {
    EXPECT_EQ(place.shape.front(), 2);
    EXPECT_EQ(place.dtype, fb::DType::f32);
    lines.push_back(place.name + " " + std::to_string(place.layer) + ": " + std::to_string(place.bytes) + " at " +
                    std::to_string(place.offset));
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"first 0: 40 at 0", "tail 0: 48 at 64", "state 0: 128 at 128",
                                             "tail 1: 48 at 256", "state 1: 128 at 320", "tail 2: 48 at 448",
                                             "state 2: 128 at 512", "one 0: 8 at 640", "other 0: 8 at 704"}));
}

TEST(Carries, AModuleWithoutAnyHasNone) {
  auto module = parseImage(fileImage(minimalModule()));
  ASSERT_TRUE(module) << module.error().message;
  EXPECT_TRUE(listCarries(**module).empty());
}

} // namespace
