// .npy files: what is written is read back; every damage has its message.
#include "adjrt/io/Npy.h"
#include "TemporaryFolder.h"

using namespace adjrt;
using namespace adjrt::test;

namespace {
class Npy : public TemporaryFolder {
protected:
  /// A file of the given version with `dict` as its header, followed by `data`.
  std::string make(const std::string &dict, const std::string &data, int version = 1) const {
    std::string bytes = "\x93NUMPY";
    bytes +=
        {static_cast<char>(version), 0, static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
    if (version > 1)
      bytes += {0, 0};
    return writeBytes("a.npy", bytes + dict + data);
  }
};

/// A whole array.
template <typename T> struct Array {
  std::vector<std::int64_t> shape;
  std::vector<T> values;
};

template <typename T> Expected<Array<T>> readAll(const std::string &path) {
  auto file = NpyFile<T>::open(path);
  if (!file)
    return tl::unexpected(file.error());
  Array<T> array{file->shape(), std::vector<T>(file->size())};
  if (Status status = file->read(0, array.values); !status)
    return tl::unexpected(status.error());
  return array;
}
const auto readNpyInt32 = readAll<std::int32_t>;
const auto readNpyUInt8 = readAll<std::uint8_t>;

const std::string kOne("\1\0\0\0", 4);

TEST_F(Npy, Int32RoundTrip) {
  std::vector<std::int32_t> values = {1, -100, 3, 2147483647, 5, -2147483647 - 1};
  ASSERT_TRUE(writeNpy(path("t.npy"), std::vector<std::int64_t>{2, 3}, values));
  auto read = readNpyInt32(path("t.npy"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(read->values, values);
  std::string bytes = readBytes("t.npy");
  EXPECT_EQ((bytes.size() - 24) % 64, 0U) << "data must be aligned to 64 bytes";
  EXPECT_EQ(bytes[bytes.size() - 25], '\n');
}

TEST_F(Npy, UInt8RoundTrip) {
  ASSERT_TRUE(writeNpy(path("r.npy"), std::vector<std::int64_t>{3}, std::vector<std::uint8_t>{1, 0, 255}));
  auto read = readNpyUInt8(path("r.npy"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->shape, (std::vector<std::int64_t>{3}));
  EXPECT_EQ(read->values, (std::vector<std::uint8_t>{1, 0, 255}));
}

TEST_F(Npy, IsReadInPieces) {
  ASSERT_TRUE(writeNpy(path("t.npy"), std::vector<std::int64_t>{2, 3}, std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}));
  auto file = NpyFile<std::int32_t>::open(path("t.npy"));
  ASSERT_TRUE(file) << file.error().message;
  std::vector<std::int32_t> piece(3);
  ASSERT_TRUE(file->read(2, piece));
  EXPECT_EQ(piece, (std::vector<std::int32_t>{3, 4, 5}));
  expectInvalid(file->read(4, piece), {"t.npy", "truncated"});
  std::filesystem::resize_file(path("t.npy"), std::filesystem::file_size(path("t.npy")) - 8);
  ASSERT_TRUE(file->read(1, piece));
  expectInvalid(file->read(2, piece), {"t.npy", "became shorter while it was read"});
}

TEST_F(Npy, ReadsAllVersionsAndKeyOrders) {
  for (int version : {1, 2, 3}) {
    auto read = readNpyInt32(make("{\"shape\": (1,), 'fortran_order': False, 'descr': '<i4'}\n", kOne, version));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->values, std::vector<std::int32_t>{1});
  }
}

TEST_F(Npy, Empty) {
  auto read = readNpyInt32(make("{'descr': '<i4', 'fortran_order': False, 'shape': (0,), }\n", ""));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->values.empty());
}

TEST_F(Npy, NotAFile) {
  expectInvalid(readNpyInt32(path("none.npy")), {"none.npy", "cannot be opened"});
  expectInvalid(readNpyInt32(folder.string()), {"not a regular file"});
}

TEST_F(Npy, NotNpy) {
  expectInvalid(readNpyInt32(writeBytes("a.npy", "")), {"a.npy", "not an .npy file", "0 bytes"});
  expectInvalid(readNpyInt32(writeBytes("a.npy", "hello, world")), {"a.npy", "not an .npy file", "magic"});
  expectInvalid(readNpyInt32(make("{}", "", 9)), {"a.npy", "version 9.0"});
}

TEST_F(Npy, WrongKindOfArray) {
  std::string eight(8, '\0');
  expectInvalid(readNpyInt32(make("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }\n", eight)),
                {"a.npy", "'<i8'", "expected int32", "astype(numpy.int32)"});
  expectInvalid(readNpyInt32(make("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }\n", kOne)), {"'>i4'"});
  expectInvalid(readNpyUInt8(make("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }\n", kOne)),
                {"expected uint8"});
  expectInvalid(readNpyInt32(make("{'descr': '<i4', 'fortran_order': True, 'shape': (1, 1), }\n", kOne)),
                {"a.npy", "Fortran order", "ascontiguousarray"});
}

TEST_F(Npy, TruncatedOrTrailing) {
  std::string dict = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }\n";
  expectInvalid(readNpyInt32(make(dict, kOne)), {"a.npy", "truncated", "(2,)", "8 bytes", "4 after"});
  expectInvalid(readNpyInt32(make(dict, kOne + kOne + "x")), {"a.npy", "trailing bytes"});
  std::string whole = (make(dict, kOne + kOne), readBytes("a.npy"));
  for (std::size_t size = 0; size != whole.size(); ++size)
    expectInvalid(readNpyInt32(writeBytes("cut.npy", whole.substr(0, size))), {"cut.npy"});
}

TEST_F(Npy, SizeOverflows) {
  expectInvalid(
      readNpyInt32(make("{'descr': '<i4', 'fortran_order': False, 'shape': (4611686018427387904, 2), }\n", kOne)),
      {"a.npy", "overflows"});
  expectInvalid(
      readNpyInt32(make("{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,), }\n", kOne)),
      {"a.npy", "expected a size"});
}

TEST_F(Npy, DamagedHeader) {
  for (auto [dict, expected] : std::vector<std::pair<std::string, std::string>>{
           {"", "'{'"},
           {"{", "quoted string"},
           {"{'descr", "closing quote"},
           {"{'descr' '<i4'}", "':'"},
           {"{'descr': 4}", "quoted string"},
           {"{'descr': '<i4', 'fortran_order': 0, 'shape': (1,)}", "True or False"},
           {"{'descr': '<i4', 'fortran_order': False, 'shape': 1}", "'('"},
           {"{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}", "a size"},
           {"{'descr': '<i4', 'fortran_order': False, 'shape': (1 1)}", "')'"},
           {"{'descr': '<i4', 'shape': (1,)}", "once each"},
           {"{'descr': '<i4', 'descr': '<i4'}", "once each"},
           {"{'descr': '<i4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "once each"},
           {"{'descr': '<i4', 'fortran_order': False, 'shape': (1,)} x", "nothing after"},
           {"{'descr': '<i4' 'fortran_order': False}", "'}'"}})
    expectInvalid(readNpyInt32(make(dict, kOne)), {"a.npy", "damaged .npy header", expected});
}

TEST_F(Npy, WriterRefusesAWrongShape) {
  expectInvalid(writeNpy(path("t.npy"), std::vector<std::int64_t>{2}, std::vector<std::int32_t>{1}), {"t.npy", "(2,)"});
  EXPECT_EQ(entries(), 0U);
}
} // namespace
