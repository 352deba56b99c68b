// When each command of a program ran on the GPU: events on its stream, read after the program.
#ifndef ADJRT_CUDA_COMMANDTIMER_H
#define ADJRT_CUDA_COMMANDTIMER_H

#include "Context.h"
#include "program/CommandList.h"

#include <deque>
#include <functional>
#include <vector>

namespace adjrt::cuda {

/// One event stands before the program's first command and one after each: a command ends when its event is reached,
/// and the next begins then, so that the times of one program add up to all of it, gaps included. A transfer has two
/// events on its own stream. Seconds are counted from the first program, or transfer, that was timed.
class CommandTimer {
public:
  explicit CommandTimer(const Context &context) : context(context) {}
  ~CommandTimer();
  CommandTimer(const CommandTimer &) = delete;
  CommandTimer &operator=(const CommandTimer &) = delete;

  /// A program begins.
  Status begin();
  /// A command of it was put on the stream.
  Status mark(const program::Scope &scope);
  /// Put a transfer on its stream by `copy`; `timing` is what is known of it. It is reported with the next program, or
  /// with that which runs.
  Status transfer(const CommandTiming &timing, Stream stream, const std::function<Status(Stream)> &copy);
  /// Wait for the program, whose place in the module's table is `program`, and tell `observer` of its commands.
  Status report(std::uint32_t program, const CommandObserver &observer);

private:
  Status start();
  Status record();
  Expected<Event> recordOn(Stream stream);
  Status reportMoved(std::uint32_t program, const CommandObserver &observer);

  struct Moved {
    CommandTiming timing;
    Event begin, end;
  };

  const Context &context;
  std::vector<Event> events; ///< [0, used) are of the program that runs; those of longer programs before are kept
  std::size_t used = 0;
  std::vector<CommandTiming> timings;
  std::deque<Moved> moved;   ///< since the last report
  std::vector<Event> unused; ///< events of transfers that were reported
  Event last = nullptr;      ///< the last of the programs before, or the first of all
  double clock = 0;          ///< seconds at `last`
};

} // namespace adjrt::cuda

#endif
