// Sizes in messages must never be less than what they stand for: a user who gives back the printed budget must get a
// plan.
#include "adjc/Plan/Budget.h"

#include <gtest/gtest.h>

using namespace adjc;

namespace {

TEST(FormatSize, RoundsUpToHundredths) {
  EXPECT_EQ(formatSize(1'000'000'000, "GB"), "1.00GB");
  EXPECT_EQ(formatSize(1'000'000'001, "GB"), "1.01GB");
  EXPECT_EQ(formatSize(1'999'999'999, "GB"), "2.00GB");
  EXPECT_EQ(formatSize(uint64_t(75) << 30, "GiB"), "75.00GiB");
  EXPECT_EQ(formatSize(12'345, "B"), "12345B");
  EXPECT_EQ(formatSize(12'345, ""), "12345");
}

TEST(FormatSize, DoesNotOverflow) { EXPECT_EQ(formatSize((uint64_t(1) << 63) - 1, "TiB"), "8388608.00TiB"); }

TEST(BytesPerUnit, KnowsDecimalAndBinaryUnits) {
  EXPECT_EQ(bytesPerUnit("GB"), 1'000'000'000u);
  EXPECT_EQ(bytesPerUnit("GiB"), uint64_t(1) << 30);
  EXPECT_EQ(bytesPerUnit(""), 1u);
  EXPECT_EQ(bytesPerUnit("GX"), 0u);
}

} // namespace
