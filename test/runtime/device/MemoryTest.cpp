// A device's memory: what its calls move, what growing keeps, and what leaves the arena.
#include "TestDevice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

using namespace adjrt;
using namespace adjrt::test;

namespace {

TEST(Memory, MovesBytes) {
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  ASSERT_TRUE(device->reserve(4096));
  const std::vector<std::byte> source(16, std::byte(9));
  std::vector<std::byte> result(16);
  ASSERT_TRUE(device->upload(100, source));
  ASSERT_TRUE(device->copy(200, 100, 16));
  ASSERT_TRUE(device->zero(204, 4));
  ASSERT_TRUE(device->download(200, result));
  EXPECT_EQ(result[3], std::byte(9));
  EXPECT_EQ(result[4], std::byte(0));
  EXPECT_EQ(result[15], std::byte(9));
  // An arena may be larger than what was asked for, up to a device's page.
  const std::uint64_t end = std::uint64_t(1) << 30;
  for (const Status &status : {device->upload(end - 6, source), device->copy(0, ~0ull, 2), device->zero(end + 1, 0),
                               device->download(end, result), device->run(7, {})}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::Failed);
  }
}

/// Larger than the buffers that a device stages through, and not a multiple of them.
TEST(Memory, MovesManyBytes) {
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  std::vector<std::uint32_t> source(5'000'011), result(source.size());
  std::iota(source.begin(), source.end(), 1u);
  const std::uint64_t bytes = source.size() * 4;
  ASSERT_TRUE(device->reserve(bytes + 64));
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(device->upload(64, std::as_bytes(std::span(source))));
    ASSERT_TRUE(device->download(64, std::as_writable_bytes(std::span(result))));
    EXPECT_EQ(source, result);
    std::reverse(source.begin(), source.end());
  }
  ASSERT_TRUE(device->download(0, {}));
  ASSERT_TRUE(device->upload(0, {}));
}

TEST(Memory, GrowingKeepsWhatIsThereAndTheRestIsZero) {
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  const std::uint64_t before = device->memory().current;
  ASSERT_TRUE(device->reserve(3 << 20));
  std::vector<std::byte> bytes(1 << 20, std::byte(7)), result(bytes.size());
  ASSERT_TRUE(device->upload(2 << 20, bytes));
  ASSERT_TRUE(device->reserve(std::uint64_t(200) << 20));
  ASSERT_TRUE(device->reserve(1)); // never shrinks
  ASSERT_TRUE(device->download(2 << 20, result));
  EXPECT_EQ(bytes, result);
  for (std::uint64_t place : {std::uint64_t(0), std::uint64_t(150) << 20, (std::uint64_t(200) << 20) - bytes.size()}) {
    ASSERT_TRUE(device->download(place, result));
    EXPECT_EQ(result, std::vector<std::byte>(bytes.size())) << place;
  }
  EXPECT_GE(device->memory().current, before + (std::uint64_t(190) << 20));
  EXPECT_GE(device->memory().peak, device->memory().current);
}

TEST(Memory, MoreThanThereIsIsAnError) {
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  ASSERT_TRUE(device->reserve(64));
  Status status = device->reserve(std::uint64_t(1) << 60);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::Failed);
  EXPECT_NE(
      status.error().message.find("the arena needs " + std::to_string(std::uint64_t(1) << 60) + " bytes, but only"),
      std::string::npos)
      << status.error().message;
  EXPECT_TRUE(device->zero(0, 64));
}

TEST(AdamW, FollowsItsFormula) {
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  const std::uint64_t count = 1003, bytes = 4096; // not a multiple of a block of threads
  ASSERT_TRUE(device->reserve(4 * bytes));
  std::vector<float> parameters(count), gradients(count), result(count + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    parameters[i] = std::sin(static_cast<float>(i));
    gradients[i] = std::cos(static_cast<float>(i) * 3);
  }
  ASSERT_TRUE(device->upload(0, std::as_bytes(std::span(parameters))));
  ASSERT_TRUE(device->upload(bytes, std::as_bytes(std::span(gradients))));
  AdamWStep step{0, bytes, 2 * bytes, 3 * bytes, count, 0.1f, 0.9f, 0.99f, 1e-8f, 0.01f, 0, 0};
  std::vector<double> m(count), v(count), p(parameters.begin(), parameters.end());
  for (int t = 1; t <= 3; ++t) {
    step.correction1 = static_cast<float>(1 - std::pow(0.9, t));
    step.correction2 = static_cast<float>(1 - std::pow(0.99, t));
    ASSERT_TRUE(device->adamw(step));
    for (std::uint64_t i = 0; i < count; ++i) {
      const double g = gradients[i];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.99 * v[i] + 0.01 * g * g;
      p[i] -= 0.1 * (m[i] / (1 - std::pow(0.9, t)) / (std::sqrt(v[i] / (1 - std::pow(0.99, t))) + 1e-8) + 0.01 * p[i]);
    }
  }
  ASSERT_TRUE(device->download(0, std::as_writable_bytes(std::span(result))));
  for (std::uint64_t i = 0; i < count; ++i)
    EXPECT_NEAR(result[i], p[i], 1e-5) << i;
  EXPECT_EQ(result[count], 0) << "past the end";
  step.count = 0;
  EXPECT_TRUE(device->adamw(step));
  step.count = std::uint64_t(1) << 40;
  EXPECT_FALSE(device->adamw(step));
}

} // namespace
