// The part of cuBLASLt's interface that the runtime uses, declared by ourselves: see DriverApi.h.
#ifndef ADJRT_CUDA_BLASLTAPI_H
#define ADJRT_CUDA_BLASLTAPI_H

#include "DriverApi.h"

namespace adjrt::cuda {

using BlasStatus = int;                             // cublasStatus_t
using BlasHandle = struct BlasOpaque *;             // cublasLtHandle_t
using ProductHandle = struct ProductOpaque *;       // cublasLtMatmulDesc_t
using LayoutHandle = struct LayoutOpaque *;         // cublasLtMatrixLayout_t
using PreferenceHandle = struct PreferenceOpaque *; // cublasLtMatmulPreference_t

inline constexpr int kRealF32 = 0, kRealBf16 = 14;                   // cudaDataType
inline constexpr int kComputeF32 = 68;                               // cublasComputeType_t: f32, no TF32
inline constexpr int kTransposeNone = 0, kTranspose = 1;             // cublasOperation_t
inline constexpr int kProductTransposeA = 3, kProductTransposeB = 4; // cublasLtMatmulDescAttributes_t
inline constexpr int kPreferWorkspaceBytes = 1, kPreferReductions = 3, kPreferAlignmentA = 5, kPreferAlignmentB = 6,
                     kPreferAlignmentC = 7, kPreferAlignmentD = 8; // cublasLtMatmulPreferenceAttributes_t
inline constexpr std::uint32_t kReduceInComputeType = 2;           // cublasLtReductionScheme_t

/// cublasLtMatmulAlgo_t
struct ProductAlgorithm {
  std::uint64_t data[8];
};
/// cublasLtMatmulHeuristicResult_t
struct ProductHeuristic {
  ProductAlgorithm algorithm;
  std::size_t workspaceBytes;
  BlasStatus state;
  float waves;
  int reserved[4];
};

// X(member, symbol, type)
#define ADJRT_BLASLT_FUNCTIONS(X)                                                                                      \
  X(create, cublasLtCreate, BlasStatus(BlasHandle *))                                                                  \
  X(destroy, cublasLtDestroy, BlasStatus(BlasHandle))                                                                  \
  X(statusName, cublasLtGetStatusName, const char *(BlasStatus))                                                       \
  X(productCreate, cublasLtMatmulDescCreate, BlasStatus(ProductHandle *, int, int))                                    \
  X(productDestroy, cublasLtMatmulDescDestroy, BlasStatus(ProductHandle))                                              \
  X(productSet, cublasLtMatmulDescSetAttribute, BlasStatus(ProductHandle, int, const void *, std::size_t))             \
  X(layoutCreate, cublasLtMatrixLayoutCreate,                                                                          \
    BlasStatus(LayoutHandle *, int, std::uint64_t, std::uint64_t, std::int64_t))                                       \
  X(layoutDestroy, cublasLtMatrixLayoutDestroy, BlasStatus(LayoutHandle))                                              \
  X(preferenceCreate, cublasLtMatmulPreferenceCreate, BlasStatus(PreferenceHandle *))                                  \
  X(preferenceDestroy, cublasLtMatmulPreferenceDestroy, BlasStatus(PreferenceHandle))                                  \
  X(preferenceSet, cublasLtMatmulPreferenceSetAttribute, BlasStatus(PreferenceHandle, int, const void *, std::size_t)) \
  X(heuristic, cublasLtMatmulAlgoGetHeuristic,                                                                         \
    BlasStatus(BlasHandle, ProductHandle, LayoutHandle, LayoutHandle, LayoutHandle, LayoutHandle, PreferenceHandle,    \
               int, ProductHeuristic *, int *))                                                                        \
  X(matmul, cublasLtMatmul,                                                                                            \
    BlasStatus(BlasHandle, ProductHandle, const void *, const void *, LayoutHandle, const void *, LayoutHandle,        \
               const void *, const void *, LayoutHandle, void *, LayoutHandle, const ProductAlgorithm *, void *,       \
               std::size_t, Stream))

struct BlasLtApi {
#define ADJRT_DECLARE(member, symbol, ...)                                                                             \
  using member##Type = __VA_ARGS__;                                                                                    \
  member##Type *member = nullptr;
  ADJRT_BLASLT_FUNCTIONS(ADJRT_DECLARE)
#undef ADJRT_DECLARE
};

} // namespace adjrt::cuda

#endif
