// Every kind of initializer, and what each refuses.
#include "adjrt/initialize/Initialize.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace adjrt;

namespace {
/// A parameter table of its own buffer.
class OneParameter {
public:
  OneParameter(const std::string &kind, double a = 0, double b = 0, double c = 0,
               std::vector<std::int64_t> shape = {3, 4}) {
    fb::ParameterT parameter;
    parameter.name = "w";
    parameter.shape = std::move(shape);
    if (!kind.empty()) {
      parameter.initializer = std::make_unique<fb::InitializerT>();
      parameter.initializer->kind = kind;
      parameter.initializer->a = a;
      parameter.initializer->b = b;
      parameter.initializer->c = c;
    }
    builder.Finish(fb::Parameter::Pack(builder, &parameter));
  }
  [[nodiscard]] const fb::Parameter &get() const {
    return *flatbuffers::GetRoot<fb::Parameter>(builder.GetBufferPointer());
  }
  [[nodiscard]] std::vector<float> values(std::uint64_t seed = 1, std::size_t count = 12,
                                          std::uint64_t first = 0) const {
    std::vector<float> values(count, NAN);
    Status status = initializeParameter(get(), seed, values, first);
    EXPECT_TRUE(status) << status.error().message;
    return values;
  }
  [[nodiscard]] std::string error() const {
    std::vector<float> values(12);
    Status status = initializeParameter(get(), 1, values);
    EXPECT_FALSE(status);
    EXPECT_TRUE(status || status.error().kind == ErrorKind::InvalidInput);
    return status ? "" : status.error().message;
  }

private:
  flatbuffers::FlatBufferBuilder builder;
};

TEST(Initialize, Constants) {
  EXPECT_EQ(OneParameter("zeros").values(), std::vector<float>(12, 0));
  EXPECT_EQ(OneParameter("ones").values(), std::vector<float>(12, 1));
  EXPECT_EQ(OneParameter("constant", 2.5).values(), std::vector<float>(12, 2.5F));
}

TEST(Initialize, ArangeCountsUpInEveryRow) {
  std::vector<float> values = OneParameter("arange", -5, 0.5).values();
  for (std::size_t i = 0; i != 12; ++i)
    EXPECT_EQ(values[i], -5.0F + 0.5F * static_cast<float>(i % 4));
  EXPECT_EQ(OneParameter("arange", -5, 0.5).values(1, 5, 7), std::vector<float>(values.begin() + 7, values.end()));
}

TEST(Initialize, ALogIsTheLogOfTheColumn) {
  std::vector<float> values = OneParameter("a_log").values();
  for (std::size_t i = 0; i != 12; ++i)
    EXPECT_EQ(values[i], static_cast<float>(std::log(static_cast<double>(i % 4 + 1))));
}

TEST(Initialize, NormalAndUniformUseTheirNumbers) {
  double sum = 0, squares = 0;
  std::vector<float> normal = OneParameter("normal", 3, 0.5).values(1, 100000);
  for (float x : normal) {
    sum += x;
    squares += (x - 3.0) * (x - 3.0);
  }
  EXPECT_NEAR(sum / 1e5, 3, 0.01);
  EXPECT_NEAR(std::sqrt(squares / 1e5), 0.5, 0.01);
  std::vector<float> uniform = OneParameter("uniform", -2, 6).values(1, 100000);
  EXPECT_NEAR(*std::min_element(uniform.begin(), uniform.end()), -2, 0.01);
  EXPECT_NEAR(*std::max_element(uniform.begin(), uniform.end()), 6, 0.01);
}

TEST(Initialize, DtBiasIsTheInverseOfSoftplus) {
  double least = 1, most = 0;
  for (float bias : OneParameter("dt_bias", 1e-3, 0.1, 2e-3).values(1, 10000)) {
    double dt = std::log1p(std::exp(static_cast<double>(bias)));
    least = std::min(least, dt);
    most = std::max(most, dt);
  }
  EXPECT_NEAR(least, 2e-3, 1e-8);
  EXPECT_NEAR(most, 0.1, 1e-3);
}

TEST(Initialize, PiecesAndSeeds) {
  OneParameter parameter("normal", 0, 1);
  std::vector<float> all = parameter.values(5);
  std::vector<float> tail = parameter.values(5, 5, 7);
  EXPECT_TRUE(std::equal(tail.begin(), tail.end(), all.begin() + 7));
  EXPECT_NE(parameter.values(6), all);
}

// The promise that a seed means the same parameters on every machine, held by these bits.
TEST(Initialize, FixedBits) {
  std::vector<float> values = OneParameter("normal", 0, 1).values(2026, 4);
  EXPECT_EQ(values, (std::vector<float>{-0x1.6751a6p-1F, -0x1.339bfep-1F, -0x1.f05048p+0F, 0x1.3475ap-1F}));
}

TEST(Initialize, Errors) {
  EXPECT_NE(OneParameter("").error().find("parameter 'w': has no initializer"), std::string::npos);
  EXPECT_NE(OneParameter("magic").error().find("'magic' is not known"), std::string::npos);
  EXPECT_NE(OneParameter("normal", 0, -1).error().find("negative standard deviation"), std::string::npos);
  EXPECT_NE(OneParameter("normal", NAN, 1).error().find("not finite"), std::string::npos);
  EXPECT_NE(OneParameter("uniform", 1, 0).error().find("upside down"), std::string::npos);
  EXPECT_NE(OneParameter("dt_bias", 0, 1).error().find("0 < a <= b"), std::string::npos);
}
} // namespace
