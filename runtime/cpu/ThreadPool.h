// Threads that live as long as the device. Work is cut into tasks by its shape alone; which thread runs a task is left
// to chance, so a task must not depend on it.
#ifndef ADJRT_CPU_THREADPOOL_H
#define ADJRT_CPU_THREADPOOL_H

#include "adjrt/support/Status.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace adjrt::cpu {

class ThreadPool {
public:
  /// A pool of `threads` >= 1, the calling one included.
  static Expected<std::unique_ptr<ThreadPool>> make(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned threads() const { return static_cast<unsigned>(workers.size()) + 1; }

  /// Call task(i) for every i in [0, tasks), in any order, on all threads; returns when all are done. Does not
  /// allocate. Tasks take denormal floats for zeros (FlushDenormals).
  template <typename Task> void run(std::uint64_t tasks, const Task &task) {
    runErased(tasks, [](const void *context, std::uint64_t i) { (*static_cast<const Task *>(context))(i); }, &task);
  }

private:
  using Function = void (*)(const void *context, std::uint64_t task);

  ThreadPool() = default;
  void runErased(std::uint64_t tasks, Function function, const void *context);
  void work();
  void runTasks();

  std::vector<std::thread> workers;
  Function function = nullptr;
  const void *context = nullptr;
  std::uint64_t taskCount = 0;
  alignas(64) std::atomic<std::uint64_t> nextTask{0};
  alignas(64) std::atomic<std::uint32_t> generation{0}; ///< counts runs; workers wait for it to change
  alignas(64) std::atomic<std::uint32_t> busy{0};       ///< workers that have not finished this run
  bool stopping = false;
};

} // namespace adjrt::cpu

#endif
