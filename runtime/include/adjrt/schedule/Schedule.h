// adjrt/schedule/Schedule.h - in which order shards are computed, and which boundaries are kept: checkpoint schedules.
//
// A sequence is cut into M shards 0 .. M-1. Boundary i is the set of carries before shard i; boundary 0 is the initial
// state. A schedule is a stream of actions on a *current* boundary and a number of storage slots. Plain C++, no MLIR,
// no device: the planner of the compiler and the session of the runtime use the same code.
#ifndef ADJRT_SCHEDULE_SCHEDULE_H
#define ADJRT_SCHEDULE_SCHEDULE_H

#include "adjrt/support/Status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace adjrt {

/// What to do next. `index` is a shard (Forward, Recompute, Gradient) or a boundary (the others).
struct Action {
  enum class Kind : std::uint8_t {
    Forward,   ///< run shard `index` for the first time: the current boundary, which is `index`, becomes index + 1
    Recompute, ///< the same for a shard that ran before
    Save,      ///< keep the current boundary, which is `index`, in `slot`, whatever that held
    Restore,   ///< make boundary `index`, held by `slot`, the current one; the slot keeps it
    Offload,   ///< keep the current boundary, which is `index`, in `slot` on the host: moved beside what follows
    Prefetch,  ///< move boundary `index`, held by `slot` on the host, to the device, beside what follows: before its
               ///< Restore, and one at a time
    Gradient,  ///< run shard `index` from the current boundary, which is `index`, and its adjoint
    End,
  };
  Kind kind = Kind::End;
  std::int64_t index = 0;
  std::int64_t slot = 0;

  friend bool operator==(const Action &, const Action &) = default;
};

/// How boundaries are kept: the plan's `boundaries`.
struct BoundaryPolicy {
  enum class Kind : std::uint8_t {
    Device,   ///< "device": all of them, in the arena
    Binomial, ///< "binomial:N": at most N at a time (boundary 0 counts), the rest recomputed
    Host,     ///< "host": all of them, in memory of the host, and a few in the arena
  };
  Kind kind = Kind::Device;
  std::int64_t slots = 0; ///< N of binomial:N, at least 1

  /// Parse "device", "host" or "binomial:N"; InvalidInput names what is wrong.
  static Expected<BoundaryPolicy> parse(std::string_view text);
  std::string text() const;
};

/// A stream of actions for one sequence. The first action finds boundary 0 current. The last shard is never run
/// forward: its Gradient includes it; a schedule of one shard is a single Gradient. After `End`, `next`
/// yields End forever.
class Schedule {
public:
  virtual ~Schedule() = default;
  virtual Action next() = 0;
  /// Storage slots it uses, all of them on the host when it offloads; slots are numbered from 0.
  virtual std::int64_t slots() const = 0;
};

/// Keep every boundary but the last, which is current when it is needed: M - 1 slots, no Recompute.
std::unique_ptr<Schedule> makeStoreAll(std::int64_t shards);

/// The same with every boundary but the last on the host: each is moved there while the next shard runs, and back while
/// the gradient of the shard after it does.
std::unique_ptr<Schedule> makeHostStore(std::int64_t shards);

/// The binomial schedule of Griewank and Walther (Revolve, ACM TOMS 799) with at most `slots` >= 1 stored boundaries:
/// the least possible number of Recompute actions. Uses O(slots) memory itself.
std::unique_ptr<Schedule> makeBinomial(std::int64_t shards, std::int64_t slots);

std::unique_ptr<Schedule> makeSchedule(const BoundaryPolicy &policy, std::int64_t shards);

/// Forward and Recompute actions of the binomial schedule, from the closed formula; shards >= 1, slots >= 1.
std::int64_t binomialForwardCount(std::int64_t shards, std::int64_t slots);

/// Boundary slots that a session's arena needs to execute the policy's schedule on `shards` shards: the stored ones,
/// the current one, one to write to, and the final state. device: M + 1. binomial:N: min(M + 1, N + 3). host, where the
/// stored one is that on its way: min(M + 1, 4). The planner must use this function.
std::int64_t arenaSlots(const BoundaryPolicy &policy, std::int64_t shards);

/// Boundary slots that it needs in memory of the host. host: M - 1; none otherwise.
std::int64_t hostSlots(const BoundaryPolicy &policy, std::int64_t shards);

} // namespace adjrt

#endif
