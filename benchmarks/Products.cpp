// adj-products MODULE TOKENS RUNS: the time of the matrix products of a module's gradient program, alone.
//
// The list of products is read from the module, for one shard of TOKENS tokens. Each is done as the cpu device does it
// (tiles), and as fast as OpenBLAS can: cut by rows or by columns into one call per core, or by OpenBLAS's own threads,
// whichever is fastest. Times are the smallest of RUNS. Prints a table and one JSON line.
#include "adjrt/module/Module.h"
#include "cpu/Gemm.h"
#include "cpu/Processor.h"
#include "program/CommandList.h"

#include <cblas.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <vector>

using namespace adjrt;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Less {
  bool operator()(const cpu::GemmShape &a, const cpu::GemmShape &b) const {
    const auto key = [](const cpu::GemmShape &s) {
      return std::tuple(s.m, s.n, s.k, s.lda, s.ldb, s.ldc, s.transposeA, s.transposeB, s.accumulate);
    };
    return key(a) < key(b);
  }
};
/// How often each product is done in one gradient.
using Products = std::map<cpu::GemmShape, std::uint64_t, Less>;

Products listProducts(const Module &module, std::int64_t tokens) {
  Products products;
  Bindings bindings;
  bindings.batch = module.plan().batch();
  bindings.tokens = tokens;
  for (const fb::Program *source : *module.table().programs()) {
    if (source->name()->str() != "gradient")
      continue;
    const auto visit = [&](const program::Command &command, const program::Scope &scope) -> Status {
      if (const auto *gemm = std::get_if<program::Gemm>(&command.operation))
        ++products[{scope.value(gemm->m), scope.value(gemm->n), scope.value(gemm->k), gemm->lda, gemm->ldb, gemm->ldc,
                    gemm->transposeA, gemm->transposeB, gemm->accumulate}];
      return {};
    };
    (void)program::CommandList(*source).walk(bindings, visit); // the visitor never fails
  }
  return products;
}

/// One plain call for rows [row, row + rows) and columns [column, column + columns) of the result.
void multiply(const cpu::GemmShape &s, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns,
              const float *a, const float *b, float *c) {
  cblas_sgemm(CblasRowMajor, s.transposeA ? CblasTrans : CblasNoTrans, s.transposeB ? CblasTrans : CblasNoTrans,
              static_cast<blasint>(rows), static_cast<blasint>(columns), static_cast<blasint>(s.k), 1.0f,
              a + (s.transposeA ? row : row * s.lda), static_cast<blasint>(s.lda),
              b + (s.transposeB ? column * s.ldb : column), static_cast<blasint>(s.ldb), s.accumulate ? 1.0f : 0.0f,
              c + row * s.ldc + column, static_cast<blasint>(s.ldc));
}

/// One call per core, on equal parts of the rows or of the columns.
void multiplyInParts(cpu::ThreadPool &pool, const cpu::GemmShape &s, bool byRows, const float *a, const float *b,
                     float *c) {
  const std::int64_t parts = pool.threads(), side = byRows ? s.m : s.n;
  pool.run(static_cast<std::uint64_t>(parts), [&](std::uint64_t task) {
    const auto i = static_cast<std::int64_t>(task);
    const std::int64_t first = side * i / parts, count = side * (i + 1) / parts - first;
    if (count > 0)
      multiply(s, byRows ? first : 0, byRows ? count : s.m, byRows ? 0 : first, byRows ? s.n : count, a, b, c);
  });
}

template <typename Function> double fastest(int runs, const Function &function) {
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < runs; ++run) {
    const double begin = now();
    function();
    best = std::min(best, now() - begin);
  }
  return best;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: adj-products MODULE TOKENS RUNS\n");
    return 2;
  }
  auto module = Module::load(argv[1]);
  if (!module) {
    std::fprintf(stderr, "adj-products: error: %s\n", module.error().message.c_str());
    return 2;
  }
  const std::int64_t tokens = std::atoll(argv[2]);
  const int runs = std::atoi(argv[3]);
  if (tokens < 1 || runs < 1) {
    std::fprintf(stderr, "adj-products: error: TOKENS and RUNS are at least 1\n");
    return 2;
  }
  const Products products = listProducts(**module, tokens);
  std::size_t sizes[3] = {};
  for (const auto &[s, count] : products) {
    const auto extend = [](std::size_t &size, std::int64_t rows, std::int64_t stride) {
      size = std::max(size, static_cast<std::size_t>(rows * stride));
    };
    extend(sizes[0], s.transposeA ? s.k : s.m, s.lda);
    extend(sizes[1], s.transposeB ? s.n : s.k, s.ldb);
    extend(sizes[2], s.m, s.ldc);
  }
  std::vector<float> a(sizes[0]), b(sizes[1]), c(sizes[2]);
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] = 1e-3f * static_cast<float>(i % 17);
  for (std::size_t i = 0; i < b.size(); ++i)
    b[i] = 1e-3f * static_cast<float>(i % 13);

  const unsigned threads = cpu::availableCores();
  auto pool = cpu::ThreadPool::make(threads);
  if (!pool) {
    std::fprintf(stderr, "adj-products: error: %s\n", pool.error().message.c_str());
    return 1;
  }
  cpu::warmUpGemm(**pool);
  std::printf("| m x n x k | times | tile | GFLOP/s in tiles | GFLOP/s at best |\n|---|---|---|---|---|\n");
  double tiled = 0, best = 0, flops = 0;
  for (const auto &[s, count] : products) {
    openblas_set_num_threads(1);
    const double own = fastest(runs, [&] { cpu::gemm(**pool, s, a.data(), b.data(), c.data()); });
    double alone = fastest(runs, [&] { multiplyInParts(**pool, s, true, a.data(), b.data(), c.data()); });
    alone = std::min(alone, fastest(runs, [&] { multiplyInParts(**pool, s, false, a.data(), b.data(), c.data()); }));
    openblas_set_num_threads(static_cast<int>(threads));
    alone = std::min(alone, fastest(runs, [&] { multiply(s, 0, s.m, 0, s.n, a.data(), b.data(), c.data()); }));
    const auto times = static_cast<double>(count);
    const double work = 2.0 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
    const cpu::GemmTile tile = cpu::gemmTile(s.m, s.n, s.k);
    std::printf("| %lld x %lld x %lld%s | %llu | %lld x %lld | %.0f | %.0f |\n", static_cast<long long>(s.m),
                static_cast<long long>(s.n), static_cast<long long>(s.k), s.accumulate ? ", added" : "",
                static_cast<unsigned long long>(count), static_cast<long long>(tile.rows),
                static_cast<long long>(tile.columns), work / own / 1e9, work / alone / 1e9);
    std::fflush(stdout);
    tiled += times * own;
    best += times * std::min(own, alone);
    flops += times * work;
  }
  std::printf("{\"tiled_seconds\":%.6f,\"best_seconds\":%.6f,\"gflop\":%.3f,\"threads\":%u,\"kernel\":\"%s\"}\n", tiled,
              best, flops / 1e9, threads, cpu::gemmKernelName().c_str());
}
