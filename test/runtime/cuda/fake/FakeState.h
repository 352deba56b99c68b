// What the parts of the fake libcuda.so.1 share: its state, and the streams that work is put on.
#ifndef ADJRT_TEST_FAKESTATE_H
#define ADJRT_TEST_FAKESTATE_H

#include "FakeCuda.h"
#include "cuda/DriverApi.h"

#include <deque>
#include <functional>
#include <type_traits>
#include <vector>

namespace adjrt::test::fake {

using namespace adjrt::cuda;

extern FakeCuda state;

/// What a call returns before it does anything.
Result enter(const char *name, bool waits = false);

#define ENTER(name, ...)                                                                                               \
  if (const Result result = enter(name __VA_OPT__(, ) __VA_ARGS__))                                                    \
  return result

struct FakeEvent {
  bool timed;
  double milliseconds = -1;                ///< of the fake clock when it was last reached; negative before
  std::uint64_t recorded = 0, reached = 0; ///< how often it was put on a stream, and reached there
  struct FakeStream *stream = nullptr;     ///< that it was put on last
};

/// What is put on a stream: work, or an event to reach or to wait for, by the number of the recording meant.
struct FakeOp {
  std::function<void()> work;
  FakeEvent *reach = nullptr, *wait = nullptr;
  std::uint64_t number = 0;
  FakeStream *from = nullptr; ///< where the event that is waited for is
};
struct FakeStream {
  std::deque<FakeOp> ops;
};
extern std::vector<FakeStream *> streams; ///< that there are, in the order in which they were made

/// Do the first thing on a stream. When it waits for an event that was not reached: if `force`, go on there until it
/// is; else return false.
bool step(FakeStream &stream, bool force);
/// Do all that is on a stream.
void finish(FakeStream &stream);
void put(FakeStream *stream, FakeOp op);
void putWork(Stream stream, std::function<void()> work);

/// A launch with its arguments as they are now: what runs it, and writes it down.
std::function<void()> kernelOf(const KernelLaunch &launch);

} // namespace adjrt::test::fake

// The driver's functions are global, and their types the runtime's.
using namespace adjrt::cuda;

// Each is declared as the runtime asks for it: a definition of another type does not compile.
extern "C" {
#define DECLARE(member, symbol, ...) extern std::type_identity_t<__VA_ARGS__> symbol;
ADJRT_DRIVER_FUNCTIONS(DECLARE)
ADJRT_DRIVER_OPTIONAL_FUNCTIONS(DECLARE)
#undef DECLARE
}

#endif
