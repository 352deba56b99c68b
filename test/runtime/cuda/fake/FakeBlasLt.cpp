// The fake libcublasLt.so.13: column-major products by three loops in double.
#include "FakeCuda.h"
#include "cuda/BlasLtApi.h"

#include <cstring>
#include <type_traits>

using namespace adjrt::cuda;

namespace {

struct Description {
  std::map<int, std::uint64_t> attributes;
};
struct Layout {
  int type;
  std::uint64_t rows, columns;
  std::int64_t leading;
};

template <typename Fake, typename Handle> Fake &fake(Handle handle) { return *reinterpret_cast<Fake *>(handle); }

std::uint64_t read(const void *value, std::size_t bytes) {
  std::uint64_t result = 0;
  std::memcpy(&result, value, bytes);
  return result;
}

BlasStatus enter(const char *name) {
  adjrt::test::FakeCuda &state = *adjrtFakeCuda();
  ++state.calls[name];
  if (auto found = state.failures.find(name); found != state.failures.end() && found->second.skip-- == 0)
    return found->second.result;
  return 0;
}

#define ENTER(name)                                                                                                    \
  if (const BlasStatus status = enter(name))                                                                           \
  return status

float element(const void *data, const Layout &layout, std::uint64_t row, std::uint64_t column) {
  const std::uint64_t place = row + column * static_cast<std::uint64_t>(layout.leading);
  if (layout.type == kRealF32)
    return static_cast<const float *>(data)[place];
  const std::uint32_t bits = std::uint32_t(static_cast<const std::uint16_t *>(data)[place]) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void store(void *data, const Layout &layout, std::uint64_t row, std::uint64_t column, float value) {
  const std::uint64_t place = row + column * static_cast<std::uint64_t>(layout.leading);
  if (layout.type == kRealF32) {
    static_cast<float *>(data)[place] = value;
    return;
  }
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  static_cast<std::uint16_t *>(data)[place] =
      static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16); // to nearest, ties to even
}

} // namespace

extern "C" {

BlasStatus cublasLtCreate(BlasHandle *handle) {
  ENTER("cublasLtCreate");
  *handle = reinterpret_cast<BlasHandle>(adjrtFakeCuda());
  return 0;
}
BlasStatus cublasLtDestroy(BlasHandle) { return 0; }
const char *cublasLtGetStatusName(BlasStatus status) { return status == 15 ? "CUBLAS_STATUS_NOT_SUPPORTED" : nullptr; }
BlasStatus cublasLtMatmulDescCreate(ProductHandle *handle, int compute, int scale) {
  ENTER("cublasLtMatmulDescCreate");
  *handle = reinterpret_cast<ProductHandle>(new Description);
  return compute == kComputeF32 && scale == kRealF32 ? 0 : 7;
}
BlasStatus cublasLtMatmulDescDestroy(ProductHandle handle) {
  delete &fake<Description>(handle);
  return 0;
}
BlasStatus cublasLtMatmulDescSetAttribute(ProductHandle handle, int attribute, const void *value, std::size_t bytes) {
  ENTER("cublasLtMatmulDescSetAttribute");
  fake<Description>(handle).attributes[attribute] = read(value, bytes);
  return 0;
}
BlasStatus cublasLtMatrixLayoutCreate(LayoutHandle *handle, int type, std::uint64_t rows, std::uint64_t columns,
                                      std::int64_t leading) {
  ENTER("cublasLtMatrixLayoutCreate");
  *handle = reinterpret_cast<LayoutHandle>(new Layout{type, rows, columns, leading});
  return static_cast<std::uint64_t>(leading) >= rows ? 0 : 7;
}
BlasStatus cublasLtMatrixLayoutDestroy(LayoutHandle handle) {
  delete &fake<Layout>(handle);
  return 0;
}
BlasStatus cublasLtMatmulPreferenceCreate(PreferenceHandle *handle) {
  ENTER("cublasLtMatmulPreferenceCreate");
  *handle = reinterpret_cast<PreferenceHandle>(new Description);
  return 0;
}
BlasStatus cublasLtMatmulPreferenceDestroy(PreferenceHandle handle) {
  delete &fake<Description>(handle);
  return 0;
}
BlasStatus cublasLtMatmulPreferenceSetAttribute(PreferenceHandle handle, int attribute, const void *value,
                                                std::size_t bytes) {
  ENTER("cublasLtMatmulPreferenceSetAttribute");
  fake<Description>(handle).attributes[attribute] = read(value, bytes);
  return 0;
}
BlasStatus cublasLtMatmulAlgoGetHeuristic(BlasHandle, ProductHandle product, LayoutHandle first, LayoutHandle second,
                                          LayoutHandle result, LayoutHandle, PreferenceHandle preference, int,
                                          ProductHeuristic *found, int *count) {
  ENTER("cublasLtMatmulAlgoGetHeuristic");
  auto &wanted = fake<Description>(preference).attributes;
  auto &how = fake<Description>(product).attributes;
  const Layout &a = fake<Layout>(first), &c = fake<Layout>(result);
  std::string line;
  for (std::uint64_t value : {c.rows, c.columns, how[kProductTransposeA] ? a.rows : a.columns, how[kProductTransposeA],
                              how[kProductTransposeB], wanted[kPreferWorkspaceBytes], wanted[kPreferReductions],
                              wanted[kPreferAlignmentA], wanted[kPreferAlignmentB], wanted[kPreferAlignmentC]})
    line += (line.empty() ? "" : " ") + std::to_string(value);
  adjrtFakeCuda()->products.push_back(line);
  adjrtFakeCuda()->types.push_back(std::to_string(a.type) + " " + std::to_string(fake<Layout>(second).type) + " " +
                                   std::to_string(c.type));
  *found = {};
  *count = adjrtFakeCuda()->failures.contains("no algorithm") ? 0 : 1;
  return 0;
}
BlasStatus cublasLtMatmul(BlasHandle, ProductHandle product, const void *alpha, const void *a, LayoutHandle aLayout,
                          const void *b, LayoutHandle bLayout, const void *beta, const void *c, LayoutHandle cLayout,
                          void *d, LayoutHandle dLayout, const ProductAlgorithm *, void *, std::size_t, Stream stream) {
  ENTER("cublasLtMatmul");
  auto &how = fake<Description>(product).attributes;
  const Layout first = fake<Layout>(aLayout), second = fake<Layout>(bLayout), result = fake<Layout>(dLayout);
  const bool ta = how[kProductTransposeA] == kTranspose, tb = how[kProductTransposeB] == kTranspose;
  const std::uint64_t k = ta ? first.rows : first.columns;
  if (*static_cast<const float *>(alpha) != 1 || c != d || cLayout != dLayout ||
      (tb ? second.columns : second.rows) != k || (ta ? first.columns : first.rows) != result.rows ||
      (tb ? second.rows : second.columns) != result.columns)
    return 7;
  const bool added = *static_cast<const float *>(beta) != 0;
  adjrtFakeCuda()->work(stream, [=] {
    for (std::uint64_t j = 0; j < result.columns; ++j)
      for (std::uint64_t i = 0; i < result.rows; ++i) {
        double sum = 0;
        if (added)
          sum = static_cast<double>(element(c, result, i, j));
        for (std::uint64_t l = 0; l < k; ++l)
          sum += static_cast<double>(ta ? element(a, first, l, i) : element(a, first, i, l)) *
                 static_cast<double>(tb ? element(b, second, j, l) : element(b, second, l, j));
        store(d, result, i, j, static_cast<float>(sum));
      }
  });
  return 0;
}

} // extern "C"

#define CHECK(member, symbol, ...) static_assert(std::is_same_v<decltype(symbol), __VA_ARGS__>);
ADJRT_BLASLT_FUNCTIONS(CHECK)
