// Matrix products on a GPU, through cuBLASLt.
#ifndef ADJRT_CUDA_BLASLT_H
#define ADJRT_CUDA_BLASLT_H

#include "BlasLtApi.h"
#include "Context.h"

#include <compare>
#include <map>

namespace adjrt::cuda {

enum class Element { f32, bf16 };

/// Row-major C[m,n] = op(A)[m,k] op(B)[k,n] (+ C when `accumulate`), summed in f32 (never TF32); ld*: elements between
/// rows of the stored matrices.
struct Product {
  std::int64_t m, n, k;
  std::int64_t lda, ldb, ldc;
  bool transposeA, transposeB, accumulate;
  Element inputs = Element::f32; ///< of A and B
  Element output = Element::f32; ///< of C

  auto operator<=>(const Product &) const = default;
};

class BlasLt : BlasLtApi {
public:
  /// Bytes of the workspace that algorithms may use: what cuBLAS itself takes on Hopper.
  static constexpr std::size_t kWorkspaceBytes = std::size_t(32) << 20;

  /// Open the library, take the workspace, and run one small product, so that what the library allocates is allocated.
  static Expected<std::unique_ptr<BlasLt>> open(const Context &context);
  ~BlasLt();
  BlasLt(const BlasLt &) = delete;
  BlasLt &operator=(const BlasLt &) = delete;

  /// On the context's stream. The algorithm is the first that the library proposes for this product and the addresses'
  /// alignment, asked once: equal calls give equal bits. Sums cut along k are added up through the workspace, in a
  /// fixed order, never by atomics.
  Status multiply(const Product &product, Address a, Address b, Address c);

private:
  /// A product as the library knows it: column-major, so its operands are ours swapped.
  struct Plan {
    ProductHandle product = nullptr;
    LayoutHandle first = nullptr, second = nullptr, result = nullptr;
    ProductAlgorithm algorithm{};
  };
  struct Key {
    Product product;
    std::uint32_t alignmentA, alignmentB, alignmentC;
    auto operator<=>(const Key &) const = default;
  };

  explicit BlasLt(const Context &context) : context(context) {}
  Status check(BlasStatus status, const char *call) const;
  Status describe(const Product &product, Plan &plan) const;
  Status choose(const Key &key, Plan &plan) const;
  Status warmUp();

  const Context &context;
  BlasHandle handle = nullptr;
  Address workspace = 0;
  std::map<Key, Plan> plans;
};

} // namespace adjrt::cuda

#endif
