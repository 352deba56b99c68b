#include "ThreadPool.h"
#include "FlushDenormals.h"

#include <system_error>

namespace adjrt::cpu {
namespace {

/// Wait until `value` differs from `old`: a short spin first, since commands follow each other within microseconds.
void waitForChange(const std::atomic<std::uint32_t> &value, std::uint32_t old) {
  for (int i = 0; i < 1000; ++i) {
    if (value.load(std::memory_order_acquire) != old)
      return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  value.wait(old, std::memory_order_acquire);
}

/// Stack that kernels use for scratch. Touched when a thread starts: memory is known, and resident, from the start.
constexpr std::size_t kStackBytes = 512 << 10;

[[gnu::noinline]] void makeStackResident() {
  [[maybe_unused]] volatile char stack[kStackBytes];
  for (std::size_t i = 0; i < kStackBytes; i += 4096)
    stack[i] = 0;
}

} // namespace

Expected<std::unique_ptr<ThreadPool>> ThreadPool::make(unsigned threads) {
  std::unique_ptr<ThreadPool> pool(new ThreadPool);
  makeStackResident(); // the calling thread takes part in every run
  try {
    pool->workers.reserve(threads - 1);
    for (unsigned i = 1; i < threads; ++i)
      pool->workers.emplace_back([raw = pool.get()] { raw->work(); });
  } catch (const std::system_error &error) {
    return failed("cannot start " + std::to_string(threads) + " threads (" + error.what() + "); use fewer (--threads)");
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  stopping = true;
  generation.fetch_add(1, std::memory_order_release);
  generation.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

void ThreadPool::runTasks() {
  for (std::uint64_t i; (i = nextTask.fetch_add(1, std::memory_order_relaxed)) < taskCount;)
    function(context, i);
}

void ThreadPool::work() {
  makeStackResident();
  const FlushDenormals flush;
  std::uint32_t seen = 0;
  while (true) {
    waitForChange(generation, seen);
    ++seen; // a run ends only when every worker took part in it: none is missed
    if (stopping)
      return;
    runTasks();
    if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1)
      busy.notify_one();
  }
}

void ThreadPool::runErased(std::uint64_t tasks, Function newFunction, const void *newContext) {
  const FlushDenormals flush; // as in the workers: no bit may depend on who runs a task
  if (workers.empty() || tasks <= 1) {
    for (std::uint64_t i = 0; i < tasks; ++i)
      newFunction(newContext, i);
    return;
  }
  function = newFunction;
  context = newContext;
  taskCount = tasks;
  nextTask.store(0, std::memory_order_relaxed);
  busy.store(static_cast<std::uint32_t>(workers.size()), std::memory_order_relaxed);
  generation.fetch_add(1, std::memory_order_release);
  generation.notify_all();
  runTasks();
  for (std::uint32_t left; (left = busy.load(std::memory_order_acquire)) != 0;)
    waitForChange(busy, left);
}

} // namespace adjrt::cpu
