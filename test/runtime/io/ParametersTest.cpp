// Finding parameters in files, indices and folders, and holding them against a module's list.
#include "adjrt/io/Parameters.h"
#include "TemporaryFolder.h"

using namespace adjrt;
using namespace adjrt::test;
namespace fs = std::filesystem;

namespace {
class Parameters : public TemporaryFolder {
protected:
  std::string write(const std::string &name, const std::vector<TensorSpec> &tensors, float value = 1) const {
    auto writer = SafetensorsWriter::create(path(name), tensors);
    EXPECT_TRUE(writer);
    for (std::size_t i = 0; i != tensors.size(); ++i) {
      std::size_t count = 1;
      for (std::int64_t extent : tensors[i].shape)
        count *= static_cast<std::size_t>(extent);
      EXPECT_TRUE(writer->write(i, std::vector<float>(count, value)));
    }
    EXPECT_TRUE(writer->commit());
    return path(name);
  }
  std::string index(const std::string &weightMap) const {
    return writeBytes("model.safetensors.index.json",
                      R"({"metadata":{"total_size":8},"weight_map":)" + weightMap + "}");
  }
};

TEST_F(Parameters, OneFile) {
  auto source = ParameterSource::open(write("p.safetensors", {{"b", {2}}, {"a", {1, 1}}}, 5));
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->tensors(), (std::vector<TensorSpec>{{"a", {1, 1}}, {"b", {2}}}));
  std::vector<float> two(2);
  ASSERT_TRUE(source->read("b", two));
  EXPECT_EQ(two, (std::vector<float>{5, 5}));
  expectInvalid(source->read("c", two), {"p.safetensors", "no tensor 'c'"});
}

TEST_F(Parameters, IndexAndFolder) {
  write("one.safetensors", {{"a", {1}}}, 1);
  write("two.safetensors", {{"b", {1}}}, 2);
  std::string name = index(R"({"a":"one.safetensors","b":"two.safetensors"})");
  for (const std::string &path : {name, folder.string()}) {
    auto source = ParameterSource::open(path);
    ASSERT_TRUE(source) << source.error().message;
    std::vector<float> value(1);
    ASSERT_TRUE(source->read("b", value));
    EXPECT_EQ(value[0], 2);
    EXPECT_TRUE(source->match({{"a", {1}}, {"b", {1}}}, {}));
  }
}

TEST_F(Parameters, FolderWithOneFile) {
  expectInvalid(ParameterSource::open(folder.string()), {"neither", "0 other"});
  write("x.safetensors", {{"a", {1}}});
  EXPECT_TRUE(ParameterSource::open(folder.string()));
  write("y.safetensors", {{"a", {1}}});
  expectInvalid(ParameterSource::open(folder.string()), {"2 other", "name the file"});
  write("model.safetensors", {{"a", {1}}});
  EXPECT_TRUE(ParameterSource::open(folder.string()));
}

TEST_F(Parameters, DamagedIndex) {
  write("one.safetensors", {{"a", {1}}});
  write("two.safetensors", {{"a", {1}}, {"b", {1}}});
  expectInvalid(ParameterSource::open(writeBytes("i.json", "{")), {"i.json", "damaged index"});
  expectInvalid(ParameterSource::open(writeBytes("i.json", "{}")), {"i.json", "weight_map"});
  expectInvalid(ParameterSource::open(index(R"({"a":1})")), {"'a' is not a string"});
  expectInvalid(ParameterSource::open(index(R"({"a":"../one.safetensors"})")), {"not a name in the index's folder"});
  expectInvalid(ParameterSource::open(index(R"({"a":"/etc/passwd"})")), {"not a name in the index's folder"});
  expectInvalid(ParameterSource::open(index(R"({"a":"none.safetensors"})")),
                {"index.json", "none.safetensors", "cannot be opened"});
  expectInvalid(ParameterSource::open(index(R"({"c":"one.safetensors"})")), {"'c' is not in its file one.safetensors"});
  expectInvalid(ParameterSource::open(index(R"({"a":"two.safetensors"})")), {"'b' of", "is not in the index"});
  expectInvalid(ParameterSource::open(index(R"({"a":"one.safetensors","b":"two.safetensors"})")), {"'a' is also in"});
}

TEST_F(Parameters, MatchListsEveryDifference) {
  auto source = ParameterSource::open(write("p.safetensors", {{"a", {2, 3}}, {"b", {1}}, {"x", {4}}}));
  ASSERT_TRUE(source);
  EXPECT_TRUE(source->match({{"a", {2, 3}}, {"b", {1}}, {"x", {4}}}, {}));
  EXPECT_TRUE(source->match({{"a", {2, 3}}, {"b", {1}}}, {"x"}));
  expectInvalid(source->match({{"a", {3, 2}}, {"b", {1}}, {"c", {7}}}, {}),
                {"p.safetensors", "1 missing, 1 extra, 1 misshaped",
                 "misshaped: a, expected shape (3, 2), found (2, 3)", "missing: c, expected shape (7,)",
                 "extra: x, found shape (4,)"});
}

TEST_F(Parameters, MatchListsAtMostEight) {
  auto source = ParameterSource::open(write("p.safetensors", {{"a", {1}}}));
  ASSERT_TRUE(source);
  std::vector<TensorSpec> expected = {{"a", {1}}};
  for (int i = 0; i != 10; ++i)
    expected.push_back({"m" + std::to_string(i), {1}});
  Status status = source->match(expected, {});
  expectInvalid(status, {"10 missing", "m7", "and 2 more"});
  EXPECT_EQ(status.error().message.find("m8"), std::string::npos);
}

TEST_F(Parameters, MatchRefusesOtherTypes) {
  std::string header = R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})";
  auto source =
      ParameterSource::open(writeBytes("p.safetensors", std::string(1, static_cast<char>(header.size())) +
                                                            std::string(7, '\0') + header + std::string(8, 'x')));
  ASSERT_TRUE(source) << source.error().message;
  expectInvalid(source->match({{"a", {1}}}, {}), {"1 of a dtype that is not read", "a is I64"});
}
} // namespace
