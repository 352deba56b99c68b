// A CUDA driver and a cuBLASLt that are not there: shared libraries with the real names, for machines without a GPU.
// Device memory is host memory, a launched kernel is its C twin of support/Kernels.c, products are three loops. They
// record what is called and fail when told to.
#ifndef ADJC_TEST_RUNTIME_CUDA_FAKECUDA_H
#define ADJC_TEST_RUNTIME_CUDA_FAKECUDA_H

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace adjrt::test {

struct FakeCuda {
  // What the machine is.
  int gpus = 1, major = 9, minor = 0, maxThreads = 1024, sharedBytes = 232448, maxPitch = 0x7fffffff, virtualMemory = 1;
  int functionThreads = 1024, functionSharedBytes = 0;
  std::uint64_t totalBytes = std::uint64_t(1) << 32;
  std::uint64_t takenBytes = std::uint64_t(64) << 20; ///< by "the context"

  /// The call of that name after `skip` more of it returns `result`.
  struct Failure {
    int skip = 0, result = 0;
  };
  std::map<std::string, Failure> failures;
  /// What the next call that waits returns, and every call after it: an error on the GPU.
  int laterError = 0;

  /// When work on streams that nothing orders is done. The stream made first, on which everything is computed, runs at
  /// once, and the others only as far as something waits for them; or the other way round.
  bool othersFirst = false;

  /// The stream that is captured, and where its work goes; null when none is.
  void *captured = nullptr;
  std::vector<std::function<void()>> *capture = nullptr;

  /// Work of a stream: in its order, or when the graph that is captured from it is launched. Set by the fake driver.
  void (*work)(void *stream, std::function<void()> it) = nullptr;

  // What happened.
  int lost = 0;                      ///< the error that lost the context
  std::vector<std::string> launches; ///< "name grid 3 1 1 block 32 shared 0 counts 1 4 4 3"
  std::vector<std::string>
      products;                   ///< "n m k, transposes, beta, alignments of the heuristic" as the library was asked
  std::vector<std::string> types; ///< "0 14 0": of the first matrix, the second and the result, likewise
  std::map<std::string, int> calls;
  double milliseconds = 0;         ///< the GPU's clock: a fill takes 1, a launch 2
  double transferMilliseconds = 0; ///< that a copy to or from the host takes
  std::uint64_t contexts = 0, allocations = 0, modules = 0, streams = 0, events = 0, hostBuffers = 0, reservations = 0,
                graphs = 0, readyGraphs = 0;

  /// Leaves nothing of earlier calls but what is still held.
  void reset() {
    const FakeCuda fresh;
    FakeCuda old = std::move(*this);
    *this = fresh;
    takenBytes = old.takenBytes;
    contexts = old.contexts, allocations = old.allocations, modules = old.modules, streams = old.streams;
    events = old.events, hostBuffers = old.hostBuffers, reservations = old.reservations;
    graphs = old.graphs, readyGraphs = old.readyGraphs;
    work = old.work;
  }
};

/// The driver's state, in the fake libcuda.so.1 of the folder that the environment names.
FakeCuda &fakeCuda();

} // namespace adjrt::test

/// What the fake driver exports for it, and the fake cuBLASLt uses.
extern "C" adjrt::test::FakeCuda *adjrtFakeCuda();

#endif
