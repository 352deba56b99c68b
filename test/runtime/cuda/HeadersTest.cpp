// The runtime's own declarations of the driver and of cuBLASLt, against the real headers.
#include "cuda/BlasLtApi.h"

#ifdef ADJRT_HAVE_CUDA_HEADERS
#include <cublasLt.h>
#include <cuda.h>
#endif

#include <gtest/gtest.h>

#include <type_traits>

using namespace adjrt::cuda;

namespace {

#ifdef ADJRT_HAVE_CUDA_HEADERS

/// Whether a value of one type is passed as one of the other.
template <typename A, typename B>
constexpr bool kSamePassing =
    (std::is_void_v<A> && std::is_void_v<B>) || (std::is_pointer_v<A> && std::is_pointer_v<B>) ||
    ((std::is_integral_v<A> || std::is_enum_v<A>) && (std::is_integral_v<B> || std::is_enum_v<B>) &&
     sizeof(A) == sizeof(B));

template <typename F, typename G> struct SameCall : std::false_type {};
template <typename R, typename... A, typename S, typename... B> struct SameCall<R(A...), S(B...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(A) == sizeof...(B))
      return (kSamePassing<R, S> && ... && kSamePassing<A, B>);
    return false;
  }();
};
static_assert(SameCall<int(int *), unsigned(char *)>::value && !SameCall<int(int), int(long)>::value &&
              !SameCall<int(int), int()>::value && !SameCall<int(int), int(float)>::value);

#define CHECK(member, symbol, ...) static_assert(SameCall<decltype(::symbol), __VA_ARGS__>::value, #symbol);
ADJRT_DRIVER_FUNCTIONS(CHECK)
ADJRT_BLASLT_FUNCTIONS(CHECK)
#if CUDA_VERSION >= 12040
ADJRT_DRIVER_OPTIONAL_FUNCTIONS(CHECK)
#endif

#define SAME_MEMBER(ours, our, theirs, their)                                                                          \
  static_assert(offsetof(ours, our) == offsetof(theirs, their) &&                                                      \
                sizeof(std::declval<ours>().our) == sizeof(std::declval<theirs>().their))
static_assert(sizeof(Copy2D) == sizeof(CUDA_MEMCPY2D));
SAME_MEMBER(Copy2D, sourceType, CUDA_MEMCPY2D, srcMemoryType);
SAME_MEMBER(Copy2D, sourceHost, CUDA_MEMCPY2D, srcHost);
SAME_MEMBER(Copy2D, source, CUDA_MEMCPY2D, srcDevice);
SAME_MEMBER(Copy2D, sourcePitch, CUDA_MEMCPY2D, srcPitch);
SAME_MEMBER(Copy2D, destinationType, CUDA_MEMCPY2D, dstMemoryType);
SAME_MEMBER(Copy2D, destinationHost, CUDA_MEMCPY2D, dstHost);
SAME_MEMBER(Copy2D, destination, CUDA_MEMCPY2D, dstDevice);
SAME_MEMBER(Copy2D, destinationPitch, CUDA_MEMCPY2D, dstPitch);
SAME_MEMBER(Copy2D, width, CUDA_MEMCPY2D, WidthInBytes);
SAME_MEMBER(Copy2D, height, CUDA_MEMCPY2D, Height);
static_assert(sizeof(KernelLaunch) == sizeof(CUDA_KERNEL_NODE_PARAMS));
SAME_MEMBER(KernelLaunch, function, CUDA_KERNEL_NODE_PARAMS, func);
SAME_MEMBER(KernelLaunch, gridX, CUDA_KERNEL_NODE_PARAMS, gridDimX);
SAME_MEMBER(KernelLaunch, gridY, CUDA_KERNEL_NODE_PARAMS, gridDimY);
SAME_MEMBER(KernelLaunch, blockX, CUDA_KERNEL_NODE_PARAMS, blockDimX);
SAME_MEMBER(KernelLaunch, blockZ, CUDA_KERNEL_NODE_PARAMS, blockDimZ);
SAME_MEMBER(KernelLaunch, sharedBytes, CUDA_KERNEL_NODE_PARAMS, sharedMemBytes);
SAME_MEMBER(KernelLaunch, arguments, CUDA_KERNEL_NODE_PARAMS, kernelParams);
SAME_MEMBER(KernelLaunch, extra, CUDA_KERNEL_NODE_PARAMS, extra);
SAME_MEMBER(KernelLaunch, kernel, CUDA_KERNEL_NODE_PARAMS, kern);
SAME_MEMBER(KernelLaunch, context, CUDA_KERNEL_NODE_PARAMS, ctx);
static_assert(sizeof(AllocationProperties) == sizeof(CUmemAllocationProp));
SAME_MEMBER(AllocationProperties, type, CUmemAllocationProp, type);
SAME_MEMBER(AllocationProperties, location, CUmemAllocationProp, location);
static_assert(sizeof(AccessDescription) == sizeof(CUmemAccessDesc));
SAME_MEMBER(AccessDescription, location, CUmemAccessDesc, location);
SAME_MEMBER(AccessDescription, flags, CUmemAccessDesc, flags);
SAME_MEMBER(MemoryLocation, type, CUmemLocation, type);
SAME_MEMBER(MemoryLocation, id, CUmemLocation, id);
static_assert(sizeof(ProductHeuristic) == sizeof(cublasLtMatmulHeuristicResult_t));
SAME_MEMBER(ProductHeuristic, algorithm, cublasLtMatmulHeuristicResult_t, algo);
SAME_MEMBER(ProductHeuristic, workspaceBytes, cublasLtMatmulHeuristicResult_t, workspaceSize);
SAME_MEMBER(ProductHeuristic, state, cublasLtMatmulHeuristicResult_t, state);

TEST(Headers, ConstantsAreTheirs) {
  EXPECT_EQ(kSuccess, CUDA_SUCCESS);
  EXPECT_EQ(kOutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(kNoDevice, CUDA_ERROR_NO_DEVICE);
  EXPECT_EQ(kMaxThreadsPerBlock, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  EXPECT_EQ(kMaxPitch, CU_DEVICE_ATTRIBUTE_MAX_PITCH);
  EXPECT_EQ(kCapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  EXPECT_EQ(kCapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  EXPECT_EQ(kMaxSharedPerBlockOptin, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  EXPECT_EQ(kVirtualMemorySupported, CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED);
  EXPECT_EQ(kFunctionMaxThreads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  EXPECT_EQ(kFunctionSharedBytes, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
  EXPECT_EQ(kFunctionMaxDynamicShared, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
  EXPECT_EQ(kJitErrorLog, CU_JIT_ERROR_LOG_BUFFER);
  EXPECT_EQ(kJitErrorLogBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
  EXPECT_EQ(kAllocationPinned, CU_MEM_ALLOCATION_TYPE_PINNED);
  EXPECT_EQ(kLocationDevice, CU_MEM_LOCATION_TYPE_DEVICE);
  EXPECT_EQ(kAccessReadWrite, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
  EXPECT_EQ(kGranularityMinimum, CU_MEM_ALLOC_GRANULARITY_MINIMUM);
  EXPECT_EQ(kMemoryDevice, CU_MEMORYTYPE_DEVICE);
  EXPECT_EQ(kMemoryHost, CU_MEMORYTYPE_HOST);
  EXPECT_EQ(kStreamNonBlocking, unsigned(CU_STREAM_NON_BLOCKING));
  EXPECT_EQ(kEventDefault, unsigned(CU_EVENT_DEFAULT));
  EXPECT_EQ(kEventNoTiming, unsigned(CU_EVENT_DISABLE_TIMING));
  EXPECT_EQ(kCaptureRelaxed, CU_STREAM_CAPTURE_MODE_RELAXED);
  EXPECT_EQ(kRealF32, CUDA_R_32F);
  EXPECT_EQ(kRealBf16, CUDA_R_16BF);
  EXPECT_EQ(kComputeF32, CUBLAS_COMPUTE_32F);
  EXPECT_EQ(kTransposeNone, CUBLAS_OP_N);
  EXPECT_EQ(kTranspose, CUBLAS_OP_T);
  EXPECT_EQ(kProductTransposeA, CUBLASLT_MATMUL_DESC_TRANSA);
  EXPECT_EQ(kProductTransposeB, CUBLASLT_MATMUL_DESC_TRANSB);
  EXPECT_EQ(kPreferWorkspaceBytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
  EXPECT_EQ(kPreferReductions, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
  EXPECT_EQ(kPreferAlignmentA, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
  EXPECT_EQ(kPreferAlignmentB, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
  EXPECT_EQ(kPreferAlignmentC, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
  EXPECT_EQ(kPreferAlignmentD, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
  EXPECT_EQ(kReduceInComputeType, std::uint32_t(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
}

#else

TEST(Headers, ConstantsAreTheirs) { GTEST_SKIP() << "the CUDA toolkit's headers were not found"; }

#endif

} // namespace
