//===- GpuIntervals.cpp - when a GPU was at work, recorded by CUPTI in a program that knows nothing of it ---------===//
// The driver loads this library into a process that has CUDA_INJECTION64_PATH set to it, and calls InitializeInjection.
// When the process ends, the file named by ADJ_INTERVALS holds one "start end" pair of nanoseconds, two uint64, for
// each kernel, copy and fill, in no order. Built by benchmarks/gpu_busy.py, where the CUDA toolkit is: nothing else
// needs its headers.
#include <cupti.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace {

constexpr size_t kBufferBytes = 8u << 20;

std::mutex mutex;
std::vector<uint64_t> intervals;

void check(CUptiResult result, const char *what) {
  if (result == CUPTI_SUCCESS)
    return;
  const char *text = "";
  cuptiGetResultString(result, &text);
  std::fprintf(stderr, "GpuIntervals: %s: %s\n", what, text);
  std::_Exit(1);
}

void CUPTIAPI provideBuffer(uint8_t **buffer, size_t *size, size_t *records) {
  *buffer = static_cast<uint8_t *>(std::aligned_alloc(8, kBufferBytes));
  *size = *buffer ? kBufferBytes : 0;
  *records = 0;
}

void CUPTIAPI takeBuffer(CUcontext, uint32_t, uint8_t *buffer, size_t, size_t valid) {
  std::lock_guard lock(mutex);
  CUpti_Activity *record = nullptr;
  while (valid != 0 && cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) {
    uint64_t start = 0, end = 0;
    switch (record->kind) {
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
      auto *kernel = reinterpret_cast<ADJ_KERNEL_RECORD *>(record);
      start = kernel->start, end = kernel->end;
      break;
    }
    case CUPTI_ACTIVITY_KIND_MEMCPY: {
      auto *copy = reinterpret_cast<ADJ_COPY_RECORD *>(record);
      start = copy->start, end = copy->end;
      break;
    }
    case CUPTI_ACTIVITY_KIND_MEMSET: {
      auto *fill = reinterpret_cast<ADJ_FILL_RECORD *>(record);
      start = fill->start, end = fill->end;
      break;
    }
    default:
      continue;
    }
    intervals.push_back(start);
    intervals.push_back(end);
  }
  std::free(buffer);
}

void write() {
  check(cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED), "flush");
  const char *path = std::getenv("ADJ_INTERVALS");
  std::FILE *file = path ? std::fopen(path, "wb") : nullptr;
  if (!file || std::fwrite(intervals.data(), sizeof(uint64_t), intervals.size(), file) != intervals.size() ||
      std::fclose(file) != 0)
    std::fprintf(stderr, "GpuIntervals: ADJ_INTERVALS names no file that can be written\n");
}

} // namespace

extern "C" int InitializeInjection() {
  check(cuptiActivityRegisterCallbacks(provideBuffer, takeBuffer), "callbacks");
  for (CUpti_ActivityKind kind :
       {CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, CUPTI_ACTIVITY_KIND_MEMCPY, CUPTI_ACTIVITY_KIND_MEMSET})
    check(cuptiActivityEnable(kind), "enable");
  std::atexit(write);
  return 1;
}
