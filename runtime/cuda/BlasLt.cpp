#include "BlasLt.h"
#include "Library.h"

#include <algorithm>

namespace adjrt::cuda {
namespace {

int dataType(Element element) { return element == Element::bf16 ? kRealBf16 : kRealF32; }

/// The largest power of two, up to what the library knows, that divides an address.
std::uint32_t alignment(Address address) {
  return static_cast<std::uint32_t>(std::min<Address>(256, address & (~address + 1)));
}

void *pointer(Address address) { return reinterpret_cast<void *>(address); }

} // namespace

Expected<std::unique_ptr<BlasLt>> BlasLt::open(const Context &context) {
  ADJ_ASSIGN_OR_RETURN(const Library library,
                       Library::open({"libcublasLt.so.13", "libcublasLt.so.12"},
                                     "install cuBLAS of CUDA 13 or 12 (the package of its runtime libraries)"));
  std::unique_ptr<BlasLt> blas(new BlasLt(context));
#define ADJRT_LOAD(member, symbol, ...) ADJ_RETURN_IF_ERROR(library.load(#symbol, blas->member));
  ADJRT_BLASLT_FUNCTIONS(ADJRT_LOAD)
#undef ADJRT_LOAD
  const Driver &api = context.driver();
  ADJ_RETURN_IF_ERROR(blas->check(blas->create(&blas->handle), "cublasLtCreate"));
  ADJ_RETURN_IF_ERROR(api.check(api.memoryAllocate(&blas->workspace, kWorkspaceBytes), "cuMemAlloc"));
  ADJ_RETURN_IF_ERROR(blas->warmUp());
  return blas;
}

BlasLt::~BlasLt() {
  const Context::Current current(context);
  (void)context.wait();
  for (auto &[key, plan] : plans) {
    layoutDestroy(plan.first);
    layoutDestroy(plan.second);
    layoutDestroy(plan.result);
    productDestroy(plan.product);
  }
  if (workspace)
    context.driver().memoryFree(workspace);
  if (handle)
    destroy(handle);
}

Status BlasLt::check(BlasStatus status, const char *call) const {
  if (status == 0)
    return {};
  const char *name = statusName(status);
  return failed(std::string(call) + ": " + (name ? name : "status " + std::to_string(status)));
}

Status BlasLt::describe(const Product &p, Plan &plan) const {
  ADJ_RETURN_IF_ERROR(check(productCreate(&plan.product, kComputeF32, kRealF32), "cublasLtMatmulDescCreate"));
  // Row-major C = A B is column-major C^T = B^T A^T: B comes first.
  const std::int32_t first = p.transposeB ? kTranspose : kTransposeNone,
                     second = p.transposeA ? kTranspose : kTransposeNone;
  ADJ_RETURN_IF_ERROR(
      check(productSet(plan.product, kProductTransposeA, &first, sizeof first), "cublasLtMatmulDescSetAttribute"));
  ADJ_RETURN_IF_ERROR(
      check(productSet(plan.product, kProductTransposeB, &second, sizeof second), "cublasLtMatmulDescSetAttribute"));
  const auto layout = [&](LayoutHandle &result, Element element, std::int64_t rows, std::int64_t columns,
                          std::int64_t leading) {
    return check(layoutCreate(&result, dataType(element), static_cast<std::uint64_t>(rows),
                              static_cast<std::uint64_t>(columns), leading),
                 "cublasLtMatrixLayoutCreate");
  };
  ADJ_RETURN_IF_ERROR(layout(plan.first, p.inputs, p.transposeB ? p.k : p.n, p.transposeB ? p.n : p.k, p.ldb));
  ADJ_RETURN_IF_ERROR(layout(plan.second, p.inputs, p.transposeA ? p.m : p.k, p.transposeA ? p.k : p.m, p.lda));
  return layout(plan.result, p.output, p.n, p.m, p.ldc);
}

Status BlasLt::choose(const Key &key, Plan &plan) const {
  PreferenceHandle preference = nullptr;
  ADJ_RETURN_IF_ERROR(check(preferenceCreate(&preference), "cublasLtMatmulPreferenceCreate"));
  const auto ask = [&]() -> Status {
    const std::uint64_t bytes = kWorkspaceBytes;
    ADJ_RETURN_IF_ERROR(check(preferenceSet(preference, kPreferWorkspaceBytes, &bytes, sizeof bytes),
                              "cublasLtMatmulPreferenceSetAttribute"));
    for (const auto &[attribute, value] : {std::pair(kPreferReductions, kReduceInComputeType),
                                           {kPreferAlignmentA, key.alignmentB},
                                           {kPreferAlignmentB, key.alignmentA},
                                           {kPreferAlignmentC, key.alignmentC},
                                           {kPreferAlignmentD, key.alignmentC}})
      ADJ_RETURN_IF_ERROR(
          check(preferenceSet(preference, attribute, &value, sizeof value), "cublasLtMatmulPreferenceSetAttribute"));
    ProductHeuristic found{};
    int count = 0;
    ADJ_RETURN_IF_ERROR(check(heuristic(handle, plan.product, plan.first, plan.second, plan.result, plan.result,
                                        preference, 1, &found, &count),
                              "cublasLtMatmulAlgoGetHeuristic"));
    if (count < 1)
      return failed("cublasLtMatmulAlgoGetHeuristic: no algorithm for this product");
    ADJ_RETURN_IF_ERROR(check(found.state, "cublasLtMatmulAlgoGetHeuristic"));
    plan.algorithm = found.algorithm;
    return {};
  };
  const Status status = ask();
  preferenceDestroy(preference);
  return status;
}

Status BlasLt::multiply(const Product &product, Address a, Address b, Address c) {
  const Key key{product, alignment(a), alignment(b), alignment(c)};
  auto place = plans.find(key);
  if (place == plans.end()) {
    Plan plan;
    Status status = describe(product, plan);
    if (status)
      status = choose(key, plan);
    if (!status) {
      for (LayoutHandle layout : {plan.first, plan.second, plan.result})
        if (layout)
          layoutDestroy(layout);
      if (plan.product)
        productDestroy(plan.product);
      return status;
    }
    place = plans.emplace(key, plan).first;
  }
  const Plan &plan = place->second;
  const float one = 1, beta = product.accumulate ? 1 : 0;
  return check(matmul(handle, plan.product, &one, pointer(b), plan.first, pointer(a), plan.second, &beta, pointer(c),
                      plan.result, pointer(c), plan.result, &plan.algorithm, pointer(workspace), kWorkspaceBytes,
                      context.stream()),
               "cublasLtMatmul");
}

Status BlasLt::warmUp() {
  const Driver &api = context.driver();
  constexpr std::int64_t size = 64;
  constexpr std::size_t bytes = size * size * sizeof(float);
  Address matrices = 0;
  ADJ_RETURN_IF_ERROR(api.check(api.memoryAllocate(&matrices, 3 * bytes), "cuMemAlloc"));
  Status status = api.check(api.fill(matrices, 0, 3 * bytes, context.stream()), "cuMemsetD8Async");
  if (status)
    status = multiply({size, size, size, size, size, size, false, true, false}, matrices, matrices + bytes,
                      matrices + 2 * bytes);
  if (status)
    status = context.wait();
  api.memoryFree(matrices);
  return status;
}

} // namespace adjrt::cuda
