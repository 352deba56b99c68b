// The device's parts: threads, processor, arena, memory.
#include "cpu/Arena.h"
#include "cpu/Memory.h"
#include "cpu/Processor.h"
#include "cpu/ThreadPool.h"

#include <gtest/gtest.h>

#include <atomic>

using namespace adjrt;
using namespace adjrt::cpu;

namespace {

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (unsigned threads : {1u, 2u, 7u}) {
    auto pool = ThreadPool::make(threads);
    ASSERT_TRUE(pool);
    EXPECT_EQ((*pool)->threads(), threads);
    for (std::uint64_t tasks : {0, 1, 2, 3, 100, 1000}) {
      std::vector<std::atomic<int>> calls(tasks);
      (*pool)->run(tasks, [&](std::uint64_t i) { ++calls[i]; });
      for (auto &count : calls)
        EXPECT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, ManyRunsFollowEachOther) {
  auto pool = ThreadPool::make(3);
  ASSERT_TRUE(pool);
  std::atomic<std::uint64_t> sum{0};
  for (int run = 0; run < 2000; ++run)
    (*pool)->run(4, [&](std::uint64_t i) { sum += i; });
  EXPECT_EQ(sum, 2000u * 6);
}

TEST(Processor, ParsesTheFirstEntry) {
  const Processor processor =
      Processor::parse("processor\t: 0\nmodel name\t: Fast CPU @ 3GHz\nflags\t\t: fpu sse2 avx2\n\n"
                       "processor\t: 1\nmodel name\t: Other\nflags\t\t: avx512f\n");
  EXPECT_EQ(processor.model, "Fast CPU @ 3GHz");
  EXPECT_TRUE(processor.features.contains("avx2"));
  EXPECT_FALSE(processor.features.contains("avx512f"));
  EXPECT_EQ(Processor::parse("").model, "cpu");
  EXPECT_GE(availableCores(), 1u);
}

TEST(Arena, IsResidentZeroAndKeepsItsContentsWhenItGrows) {
  const std::uint64_t before = processMemory().current;
  Arena arena("the arena");
  ASSERT_TRUE(arena.reserve(32 << 20));
  EXPECT_GE(processMemory().current, before + (30 << 20));
  EXPECT_EQ(arena.data()[(32 << 20) - 1], std::byte(0));
  arena.data()[5] = std::byte(7);
  ASSERT_TRUE(arena.reserve(96 << 20));
  EXPECT_EQ(arena.data()[5], std::byte(7));
  EXPECT_GE(processMemory().current, before + (90 << 20));
  EXPECT_GE(processMemory().peak, processMemory().current / 2);
  ASSERT_TRUE(arena.reserve(1));
  EXPECT_EQ(arena.size(), 96u << 20);
}

TEST(Arena, MoreThanThereIsIsAnError) {
  Arena arena("the arena");
  Status status = arena.reserve(std::uint64_t(1) << 60);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::Failed);
  EXPECT_NE(status.error().message.find(std::to_string(std::uint64_t(1) << 60)), std::string::npos);
  EXPECT_EQ(arena.size(), 0u);
}

TEST(ThreadPool, TasksFlushDenormalsOnEveryThreadAndTheCallerIsLeftAsItWas) {
  const volatile float tiny = 1e-30f;
  const volatile float denormal = 1e-40f; // the smallest normal one is 1.2e-38
  for (unsigned threads : {1u, 3u}) {
    auto pool = ThreadPool::make(threads);
    ASSERT_TRUE(pool);
    std::vector<float> read(300, -1), written(300, -1);
    (*pool)->run(300, [&](std::uint64_t i) {
      read[i] = denormal * 1e20f;
      written[i] = tiny * 1e-10f;
    });
    EXPECT_EQ(read, std::vector<float>(300, 0));
    EXPECT_EQ(written, std::vector<float>(300, 0));
    EXPECT_GT(denormal * 1e20f, 0);
    EXPECT_GT(tiny * 1e-10f, 0);
  }
}

} // namespace
