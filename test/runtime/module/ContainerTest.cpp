// The file around the tables: header, sizes, checksums, blobs. Damage anywhere must be refused.
#include "TestModule.h"
#include "adjrt/module/format.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>

using namespace adjrt;
using namespace adjrt::test;

namespace {

std::string image() { return fileImage(minimalModule(), {std::string(100, 'x'), std::string(3, 'y')}); }

void expectRefused(const std::string &bytes, const std::string &text) {
  auto module = parseImage(bytes);
  ASSERT_FALSE(module) << "expected: " << text;
  EXPECT_EQ(module.error().kind, ErrorKind::InvalidInput);
  EXPECT_TRUE(module.error().message.starts_with("test.adjm: ")) << module.error().message;
  EXPECT_NE(module.error().message.find(text), std::string::npos) << module.error().message;
}

TEST(Container, LoadsWhatWasWritten) {
  auto module = parseImage(image());
  ASSERT_TRUE(module) << module.error().message;
  EXPECT_EQ((*module)->blob(0).size(), 100u);
  EXPECT_EQ((*module)->blob(1)[2], std::byte('y'));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>((*module)->blob(1).data()) % 64, 0u);
  EXPECT_NE((*module)->program("forward"), nullptr);
  EXPECT_EQ((*module)->program("backward"), nullptr);
  EXPECT_EQ((*module)->parameter("weight"), nullptr);
}

TEST(Container, LoadsFromAFile) {
  const std::string path = testing::TempDir() + "/container-test.adjm", bytes = image();
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  auto module = Module::load(path);
  ASSERT_TRUE(module) << module.error().message;
  EXPECT_EQ((*module)->fileBytes(), bytes.size());
  std::remove(path.c_str());
}

TEST(Container, MissingFileAndFolderAreNamed) {
  for (const std::string path : {"/nonexistent/m.adjm", "/tmp"}) {
    auto module = Module::load(path);
    ASSERT_FALSE(module);
    EXPECT_EQ(module.error().kind, ErrorKind::InvalidInput);
    EXPECT_TRUE(module.error().message.starts_with(path + ": ")) << module.error().message;
  }
}

TEST(Container, EveryTruncationIsRefused) {
  const std::string bytes = image();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    ASSERT_FALSE(parseImage(bytes.substr(0, size))) << size;
  expectRefused(bytes.substr(0, 10), "the file ends after 10 of 64 bytes");
  expectRefused(bytes.substr(0, bytes.size() - 1), "but should have " + std::to_string(bytes.size()));
  expectRefused(bytes + '\0', "but should have " + std::to_string(bytes.size()));
}

TEST(Container, EveryFlippedByteIsRefused) {
  std::string bytes = image();
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    for (int mask : {0x01, 0x80}) {
      bytes[place] = static_cast<char>(bytes[place] ^ mask);
      ASSERT_FALSE(parseImage(bytes)) << "byte " << place;
      bytes[place] = static_cast<char>(bytes[place] ^ mask);
    }
  }
}

TEST(Container, WrongMagicAndVersion) {
  std::string bytes = image();
  bytes[0] = 'B';
  expectRefused(bytes, "not an adjc module");
  bytes = image();
  const std::uint32_t version = kFormatVersion + 1;
  std::memcpy(bytes.data() + offsetof(FileHeader, version), &version, sizeof version);
  sealHeader(bytes);
  expectRefused(bytes, "version " + std::to_string(version) + ", but this runtime reads version " +
                           std::to_string(kFormatVersion));
}

TEST(Container, DamagedPartsAreNamed) {
  std::string bytes = image();
  bytes[20] ^= 1;
  expectRefused(bytes, "header: wrong checksum");
  bytes = image();
  bytes[80] ^= 1;
  expectRefused(bytes, "table: wrong checksum");
  bytes = image();
  bytes.back() ^= 1;
  expectRefused(bytes, "blob 1: wrong checksum");
  bytes = image();
  bytes[bytes.size() - 4] = 1;
  expectRefused(bytes, "padding is not zero");
}

TEST(Container, TableLargerThanTheFile) {
  std::string bytes = image();
  const std::uint64_t size = ~std::uint64_t(0);
  std::memcpy(bytes.data() + offsetof(FileHeader, tableSize), &size, sizeof size);
  sealHeader(bytes);
  expectRefused(bytes, "does not fit in the file");
}

/// Replace the table by one with damaged bytes and right checksums: the FlatBuffers verifier and ours must hold.
TEST(Container, DamagedTablesWithRightChecksumsNeverCrash) {
  const std::string bytes = image();
  FileHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  int refused = 0;
  for (std::size_t place = 0; place < header.tableSize; ++place) {
    for (int mask : {0x01, 0x10, 0xff}) {
      std::string damaged = bytes;
      damaged[sizeof header + place] = static_cast<char>(damaged[sizeof header + place] ^ mask);
      resealTable(damaged);
      refused += !parseImage(damaged);
    }
  }
  EXPECT_GT(refused, static_cast<int>(header.tableSize) / 2);
}

TEST(Container, BlobRanges) {
  const auto with = [](auto change) {
    std::string bytes = image();
    change(const_cast<fb::Blob &>(*fb::GetModule(bytes.data() + sizeof(FileHeader))->blobs()->Get(1)));
    resealTable(bytes);
    return bytes;
  };
  // The generated classes have no setters: change the field where it lies.
  const auto set = [](fb::Blob &blob, flatbuffers::voffset_t field, std::uint64_t value) {
    reinterpret_cast<flatbuffers::Table &>(blob).SetField<std::uint64_t>(field, value, 0);
  };
  expectRefused(with([&](fb::Blob &blob) { set(blob, fb::Blob::VT_OFFSET, blob.offset() + 1); }),
                "is not a multiple of 64");
  expectRefused(with([&](fb::Blob &blob) { set(blob, fb::Blob::VT_OFFSET, 64); }),
                "overlap other data or leave the file");
  expectRefused(with([&](fb::Blob &blob) { set(blob, fb::Blob::VT_OFFSET, 1ull << 40); }), "leave the file");
  expectRefused(with([&](fb::Blob &blob) { set(blob, fb::Blob::VT_SIZE, ~0ull); }), "leave the file");
}

} // namespace
