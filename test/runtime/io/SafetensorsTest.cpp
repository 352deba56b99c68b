// .safetensors files: round trips, the 16-bit types, and every damage with its message.
#include "adjrt/io/Safetensors.h"
#include "TemporaryFolder.h"

#include <cmath>
#include <limits>

using namespace adjrt;
using namespace adjrt::test;

namespace {
class Safetensors : public TemporaryFolder {
protected:
  /// A file with `header` as its JSON and `data` after it.
  std::string make(const std::string &header, const std::string &data) const {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i != 8; ++i)
      bytes[i] = static_cast<char>(header.size() >> 8 * i & 0xff);
    return writeBytes("p.safetensors", bytes + header + data);
  }
  static std::string entry(const std::string &name, const std::string &dtype, const std::string &shape,
                           const std::string &offsets) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets +
           "]}";
  }
};

const std::vector<TensorSpec> kTensors = {{"b", {2, 2}}, {"a", {}}, {"empty", {0, 5}}, {"layers.0.c", {3}}};
const std::vector<std::vector<float>> kValues = {
    {1, -2, 3.5F, std::numeric_limits<float>::infinity()}, {7}, {}, {-0.0F, 1e-45F, 8}};

TEST_F(Safetensors, RoundTrip) {
  auto writer = SafetensorsWriter::create(path("p.safetensors"), kTensors);
  ASSERT_TRUE(writer) << writer.error().message;
  for (std::size_t i : {3U, 0U, 2U, 1U})
    ASSERT_TRUE(writer->write(i, kValues[i]));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(entries(), 1U);

  auto file = SafetensorsFile::open(path("p.safetensors"));
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->entries().size(), kTensors.size());
  EXPECT_EQ(file->find("none"), nullptr);
  for (std::size_t i = 0; i != kTensors.size(); ++i) {
    const SafetensorsEntry *entry = file->find(kTensors[i].name);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->tensor, kTensors[i]);
    EXPECT_EQ(entry->dtype, "F32");
    std::vector<float> values(kValues[i].size());
    ASSERT_TRUE(file->read(*entry, values));
    EXPECT_EQ(values, kValues[i]);
  }
  // What readers of the format elsewhere insist on: the length counts the padding, the data are aligned.
  std::string bytes = readBytes("p.safetensors");
  EXPECT_EQ(static_cast<unsigned char>(bytes[0]) % 8, 0);
  EXPECT_EQ(bytes.substr(8, 34), R"({"__metadata__":{"format":"pt"},"b)");
}

TEST_F(Safetensors, WidensBFloat16) {
  auto file = SafetensorsFile::open(
      make("{" + entry("a", "BF16", "3", "0,6") + "}", std::string("\x80\x3f\x00\xc0\x80\x7f", 6)));
  ASSERT_TRUE(file) << file.error().message;
  std::vector<float> values(3);
  ASSERT_TRUE(file->read(file->entries()[0], values));
  EXPECT_EQ(values, (std::vector<float>{1, -2, std::numeric_limits<float>::infinity()}));
}

TEST_F(Safetensors, WidensFloat16) {
  // 1, -2, the largest, the smallest normal, the smallest subnormal, a negative subnormal, -0, infinity, NaN
  std::string data("\x00\x3c\x00\xc0\xff\x7b\x00\x04\x01\x00\x01\x82\x00\x80\x00\x7c\x01\x7e", 18);
  auto file = SafetensorsFile::open(make("{" + entry("a", "F16", "9", "0,18") + "}", data));
  ASSERT_TRUE(file) << file.error().message;
  std::vector<float> values(9);
  ASSERT_TRUE(file->read(file->entries()[0], values));
  EXPECT_EQ(std::vector<float>(values.begin(), values.begin() + 8),
            (std::vector<float>{1, -2, 65504, 0x1p-14F, 0x1p-24F, -513 * 0x1p-24F, -0.0F,
                                std::numeric_limits<float>::infinity()}));
  EXPECT_TRUE(std::signbit(values[6]));
  EXPECT_TRUE(std::isnan(values[8]));
}

TEST_F(Safetensors, WidensInPieces) {
  std::size_t count = (1 << 18) + 3;
  std::string data;
  for (std::size_t i = 0; i != count; ++i)
    data += {static_cast<char>(i & 0xff), static_cast<char>(i >> 8 & 0x7f)};
  auto file = SafetensorsFile::open(
      make("{" + entry("a", "BF16", std::to_string(count), "0," + std::to_string(2 * count)) + "}", data));
  ASSERT_TRUE(file) << file.error().message;
  std::vector<float> values(count);
  ASSERT_TRUE(file->read(file->entries()[0], values));
  for (std::size_t i : {std::size_t{0}, std::size_t{16257}, std::size_t{1 << 18}, count - 1})
    EXPECT_EQ(std::bit_cast<std::uint32_t>(values[i]), (i & 0x7fff) << 16);
}

TEST_F(Safetensors, PiecesOfATensor) {
  {
    auto writer = SafetensorsWriter::create(path("p.safetensors"), {{"a", {2, 2}}});
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->write(0, std::vector<float>{3, 4}, 2));
    expectError(writer->write(0, std::vector<float>{3, 4}, 3), ErrorKind::Failed, {"5 values"});
    ASSERT_TRUE(writer->write(0, std::vector<float>{1, 2}));
    ASSERT_TRUE(writer->commit());
  }
  auto file = SafetensorsFile::open(path("p.safetensors"));
  ASSERT_TRUE(file);
  std::vector<float> two(2);
  ASSERT_TRUE(file->read(file->entries()[0], two, 1));
  EXPECT_EQ(two, (std::vector<float>{2, 3}));
  expectInvalid(file->read(file->entries()[0], two, 3), {"has 4 elements, expected 5"});
  auto half = SafetensorsFile::open(
      make("{" + entry("a", "BF16", "3", "0,6") + "}", std::string("\x80\x3f\x00\xc0\x80\x7f", 6)));
  ASSERT_TRUE(half);
  ASSERT_TRUE(half->read(half->entries()[0], std::span(two).first(1), 1));
  EXPECT_EQ(two[0], -2);
}

TEST_F(Safetensors, MetadataIsIgnored) {
  auto file =
      SafetensorsFile::open(make("{\"__metadata__\":{\"x\":\"y\"}," + entry("a", "F32", "1", "0,4") + "}  ", "abcd"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->entries().size(), 1U);
}

TEST_F(Safetensors, EveryTruncationIsFound) {
  make("{" + entry("a", "F32", "2", "0,8") + "," + entry("b", "F32", "1", "8,12") + "}", std::string(12, 'x'));
  std::string whole = readBytes("p.safetensors");
  for (std::size_t size = 0; size != whole.size(); ++size)
    expectInvalid(SafetensorsFile::open(writeBytes("cut.safetensors", whole.substr(0, size))), {"cut.safetensors"});
  expectInvalid(SafetensorsFile::open(writeBytes("long.safetensors", whole + "y")),
                {"long.safetensors", "1 trailing bytes"});
}

TEST_F(Safetensors, NoSafetensorsFile) {
  expectInvalid(SafetensorsFile::open(path("none")), {"none", "cannot be opened"});
  expectInvalid(SafetensorsFile::open(writeBytes("a", "abc")), {"/a", "truncated", "3 bytes"});
  expectInvalid(SafetensorsFile::open(writeBytes("a", std::string(100, 'x'))), {"header should have", "100"});
  expectInvalid(SafetensorsFile::open(make("hello", "")), {"p.safetensors", "damaged header", "parse error"});
  expectInvalid(SafetensorsFile::open(make("[1]", "")), {"not a JSON object"});
  expectInvalid(SafetensorsFile::open(make("{\"\xff\":1}", "")), {"damaged header"});
}

TEST_F(Safetensors, DamagedEntries) {
  std::string eight(8, 'x');
  auto open = [&](const std::string &entries) { return SafetensorsFile::open(make("{" + entries + "}", eight)); };
  std::string a = entry("a", "F32", "1", "0,4");
  expectInvalid(open(a + "," + a), {"'a' comes twice"});
  expectInvalid(open("\"a\":3"), {"p.safetensors", "tensor 'a' is damaged", "expected the keys"});
  expectInvalid(open(entry("a", "F32", "-2", "0,8")), {"expected the keys"});
  expectInvalid(open(entry("a", "F32", "2.0", "0,8")), {"expected the keys"});
  expectInvalid(open(entry("a", "F32", "2", "0,8,8")), {"expected the keys"});
  expectInvalid(open(entry("a", "F32", "2", "0,18446744073709551615")), {"expected the keys"});
  expectInvalid(open(entry("a", "Q7", "2", "0,8")), {"tensor 'a' has the unknown dtype 'Q7'"});
  expectInvalid(open(entry("a", "F32", "2", "8,0")), {"damaged or the file is truncated"});
  expectInvalid(open(entry("a", "F32", "3", "0,12")), {"truncated", "bytes 0 to 12 of 8"});
  expectInvalid(open(entry("a", "F32", "3", "0,8")), {"(3,) of F32 takes 12 bytes", "have 8"});
  expectInvalid(open(entry("a", "F32", "4611686018427387904,4611686018427387904", "0,8")), {"overflows"});
  expectInvalid(open(entry("a", "F32", "1", "4,8")), {"begin at byte", "neither overlap nor leave gaps"});
  expectInvalid(open(a + "," + entry("b", "F32", "2", "0,8")), {"tensor 'b' is damaged", "overlap"});
  expectInvalid(open(a), {"4 trailing bytes"});
}

TEST_F(Safetensors, ReadRefusals) {
  auto file = SafetensorsFile::open(
      make("{" + entry("a", "I64", "1", "0,8") + "," + entry("b", "F32", "1", "8,12") + "}", std::string(12, 'x')));
  ASSERT_TRUE(file) << file.error().message;
  std::vector<float> two(2);
  expectInvalid(file->read(file->entries()[0], two), {"tensor 'a' has dtype I64", "BF16"});
  expectInvalid(file->read(file->entries()[1], two), {"tensor 'b' has 1 elements, expected 2"});
}

TEST_F(Safetensors, WriterRefusals) {
  std::string name = path("w.safetensors");
  expectInvalid(SafetensorsWriter::create(name, {{"a", {1}}, {"a", {1}}}),
                {"w.safetensors", "'a' cannot be written twice"});
  expectInvalid(SafetensorsWriter::create(name, {{"a", {std::int64_t{1} << 62}}}), {"'a'", "overflows"});
  expectInvalid(SafetensorsWriter::create(name, {{"\xff", {1}}}), {"name cannot be written"});
  expectInvalid(SafetensorsWriter::create(path("no/w"), {}), {"no/w", "cannot be written"});
  {
    auto writer = SafetensorsWriter::create(name, {{"a", {2}}});
    ASSERT_TRUE(writer);
    expectError(writer->write(0, std::vector<float>(3)), ErrorKind::Failed, {"'a'", "(2,)", "3 values"});
    expectError(writer->commit(), ErrorKind::Failed, {"'a' was not written whole"});
  }
  EXPECT_EQ(entries(), 0U);
}
} // namespace
