// adjrt/session/Session.h - loss and gradients of a module on a device, for a sequence of any length up to the plan's
// context.
#ifndef ADJRT_SESSION_SESSION_H
#define ADJRT_SESSION_SESSION_H

#include "adjrt/device/Device.h"
#include "adjrt/module/Module.h"
#include "adjrt/schedule/ArenaLayout.h"
#include "adjrt/schedule/Schedule.h"
#include "adjrt/support/RowSource.h"
#include "adjrt/support/Status.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace adjrt {

/// Rows of a (batch, T) host array: row b starts at data + b * rowStride (in elements). With tokens of (batch, T+1):
/// inputs {p, T+1}, targets {p + 1, T+1}. Or rows that are nowhere in memory as a whole, read window by window.
/// Absent: neither.
template <typename T> struct RowsView {
  RowsView() = default;
  RowsView(const T *data, std::int64_t rowStride) : data(data), rowStride(rowStride) {}
  RowsView(RowSource<T> *source) : source(source) {}

  const T *data = nullptr;
  std::int64_t rowStride = 0;
  RowSource<T> *source = nullptr;

  explicit operator bool() const { return data || source; }
  /// Call `visit(position, values)`, which returns a Status, for the elements [first, first + count) of row b, piece by
  /// piece.
  template <typename Visit> Status walk(std::int64_t b, std::int64_t first, std::int64_t count, Visit &&visit) const {
    if (!source)
      return visit(first, std::span<const T>(data + b * rowStride + first, static_cast<std::size_t>(count)));
    for (const std::int64_t end = first + count; first < end; first += kRowWindow) {
      ADJ_ASSIGN_OR_RETURN(const std::span<const T> values,
                           source->window(b, first, std::min(kRowWindow, end - first)));
      ADJ_RETURN_IF_ERROR(visit(first, values));
    }
    return {};
  }
};

/// A target that is not counted.
inline constexpr std::int32_t kIgnoredTarget = -100;

/// A batch of sequences as the model reads it. `batch` must be the plan's; `tokens` (T) at least 1.
struct SequenceInputs {
  std::int64_t batch = 1;
  std::int64_t tokens = 0;
  RowsView<std::int32_t> inputs;
  RowsView<std::uint8_t> resets; ///< 1 where a document begins; absent: no resets
  /// Carries before the first token, a boundary of Session::boundaryBytes() bytes (layout: Plan.carries); empty: zeros.
  std::span<const std::byte> initialStates;
};

struct GradientInputs : SequenceInputs {
  RowsView<std::int32_t> targets; ///< kIgnoredTarget: not counted
  /// Cotangents of the carries after the last token (boundary layout); empty: zeros.
  std::span<const std::byte> finalCotangents;
  /// Counted targets over which the mean is taken; 0: those of this call. Streaming over several calls gives the total
  /// of all.
  std::int64_t totalTargets = 0;
  /// Add to the loss and gradients of the calls before, from the last one without this flag on, instead of starting
  /// from zero: the pieces of a streamed sequence, from the last to the first, or several batches of one step. All of
  /// these calls give the same totalTargets.
  bool accumulate = false;
};

struct GradientResult {
  double loss = 0; ///< sum of the counted targets' losses of this call over the total of counted targets
  /// The same of this call and those it accumulates into. The pieces of a sequence give the bits of one call when every
  /// piece but the last is a whole number of shards; so do the gradients.
  double accumulatedLoss = 0;
  std::int64_t countedTargets = 0; ///< of this call
  std::int64_t shards = 0;
  std::int64_t forwardShards = 0; ///< shards run forward before their gradient, recomputations included
  double seconds = 0;             ///< from when the device had done all before to when it had done all of this
};

/// One executed action and when (seconds since the call began), for traces and progress bars.
struct ActionTiming {
  Action action;
  std::int64_t shards = 0;
  double begin = 0, end = 0;
};

struct AdamWOptions {
  double learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01;
};

struct SessionOptions {
  std::int64_t tokens = 0; ///< T for which the arena is made; a longer call grows it. 0: one shard
  bool optimizer = false;  ///< AdamW's state from the start, even when the plan has none
  /// Bytes that the caller will make resident after opening the session (token arrays, buffers it streams parameters
  /// through): part of the predicted peak, which is that of the whole process.
  std::uint64_t callerBytes = 0;
  std::function<void(const ActionTiming &)> onAction;
};

/// Owns a device and its arena: see ArenaLayout.h. Calls come from one thread at a time.
class Session {
public:
  static Expected<std::unique_ptr<Session>> open(std::shared_ptr<const Module> module, std::unique_ptr<Device> device,
                                                 SessionOptions options = {});
  ~Session();

  const Module &module() const { return *mod; }
  const Device &device() const { return *dev; }

  /// Make the arena large enough for sequences of `tokens` tokens. InvalidInput above the plan's context.
  Status reserve(std::int64_t tokens);

  /// Parameters and gradients by name: the `values.size()` elements from element `first` on, so that a tool can stream
  /// a large one through a small buffer. InvalidInput for an unknown name or elements past the parameter's end.
  /// Parameters are zero until set.
  Status setParameter(std::string_view name, std::span<const float> values, std::uint64_t first = 0);
  Status getParameter(std::string_view name, std::span<float> values, std::uint64_t first = 0);
  Status getGradient(std::string_view name, std::span<float> values, std::uint64_t first = 0);

  /// Loss and gradients; the gradients of the last call stay in the arena until the next. InvalidInput: a token or
  /// target outside the vocabulary (names sequence and position), no counted target, a total that does not fit, a
  /// context above the plan's (names --context), a wrong batch, states of a wrong size. Failed: a loss that is not
  /// finite (names the first token where it happened), nothing to accumulate into. After an error other than
  /// InvalidInput, and one of a RowSource after the checks, there are no gradients.
  Expected<GradientResult> valueAndGrad(const GradientInputs &inputs);

  /// Tell `observer` of every command of later calls, as Device::observeCommands does.
  void observeCommands(CommandObserver observer) { dev->observeCommands(std::move(observer)); }
  /// Seconds that a run on the first `tokens` tokens of `inputs`, at most a shard, spends on one command when nothing
  /// else runs: see Device::timeAlone. It overwrites what the last call left: gradients, states and cotangents.
  Expected<double> timeAlone(const GradientInputs &inputs, const CommandPlace &place, std::int64_t tokens, int times);

  /// Run all shards forward; the final states can be read afterwards.
  Status forward(const SequenceInputs &inputs);

  /// Size of a boundary: initialStates, finalCotangents, getFinalStates, getInitialCotangents.
  std::uint64_t boundaryBytes() const;
  /// Carries after the last token of the last forward or valueAndGrad.
  Status getFinalStates(std::span<std::byte> states);
  /// Cotangents of the carries before the first token of the last valueAndGrad.
  Status getInitialCotangents(std::span<std::byte> cotangents);

  /// One embedded AdamW step with the gradients of the last valueAndGrad. Gets memory for its state first when the
  /// session has none yet (states and cotangents of the last call can't be read after that).
  Status adamwStep(const AdamWOptions &options);
  std::int64_t adamwSteps() const { return steps; }

  /// Bytes of the arena for a sequence of `tokens` tokens (InvalidInput above the context or when the size overflows).
  Expected<std::uint64_t> arenaBytes(std::int64_t tokens) const;
  /// Bytes of host memory that it moves data to (pinned, where the device is a GPU): the programs' part and boundaries.
  Expected<std::uint64_t> hostBytes(std::int64_t tokens) const;
  /// Peak memory predicted for a call with `tokens` tokens: what was resident when the session opened (process,
  /// libraries, token arrays read before), SessionOptions::callerBytes, the arena, and on the cpu host memory; or what
  /// opening the session has taken at its most, where an arena is smaller than what was freed since.
  Expected<std::uint64_t> predictedPeakBytes(std::int64_t tokens) const;
  /// Process and libraries, measured on opening: all that is resident but the arena.
  std::uint64_t processBytes() const { return process; }
  /// Peak memory until now, as the device measures it.
  std::uint64_t peakBytes() const { return dev->memory().peak; }

private:
  Session() = default;

  /// Shards of a sequence of `tokens` tokens.
  Expected<std::int64_t> shardsOf(std::int64_t tokens) const;
  Expected<ArenaLayout> layoutFor(std::int64_t tokens, bool optimizer) const;
  Expected<HostLayout> hostLayoutFor(std::int64_t tokens) const;
  Status adopt(const ArenaLayout &newLayout);
  Status adoptHost(const HostLayout &newLayout);
  Status checkSequence(const SequenceInputs &inputs) const;
  Status checkBoundary(std::span<const std::byte> values, const char *what) const;
  Expected<std::int64_t> countTargets(const GradientInputs &inputs) const;
  Status checkTotal(const GradientInputs &inputs, std::int64_t counted) const;
  /// Put one shard's tokens, resets and, when there are any, targets where the programs read them.
  Status stage(const SequenceInputs &inputs, const RowsView<std::int32_t> *targets, std::int64_t shard);
  template <typename T>
  Status stageRows(const RowsView<T> &rows, std::int64_t batch, std::int64_t begin, std::int64_t tokens,
                   std::uint64_t offset);
  Status setBoundary(std::uint64_t offset, std::span<const std::byte> values);
  Status getBoundary(const std::optional<std::uint64_t> &offset, std::span<std::byte> values, const char *what);
  std::int64_t tokensOf(std::int64_t shard, std::int64_t tokens) const;
  Bindings bindings(std::int64_t shardTokens) const;
  /// Make the working copies of the parameters, if these have changed.
  Status prepare();
  struct GradientCall;
  /// Execute one action of the schedule.
  Status execute(GradientCall &call, const Action &action);
  /// A free slot for a boundary, when what is read in it has been.
  Status awaitSlot(GradientCall &call);
  Status runGradient(GradientCall &call, std::int64_t shard, std::uint64_t carryIn, std::uint64_t carryOut);
  Status collectLosses(GradientCall &call, std::int64_t shard);
  Status access(std::string_view name, std::uint64_t first, std::uint64_t count, std::uint64_t region,
                std::uint64_t &offset) const;

  std::shared_ptr<const Module> mod;
  std::unique_ptr<Device> dev;
  SessionOptions options;
  BoundaryPolicy policy;
  ArenaLayout layout;
  HostLayout host;
  std::uint32_t forwardProgram = 0, gradientProgram = 0;
  std::optional<std::uint32_t> prepareProgram; ///< none: the module reads the parameters themselves
  bool parametersChanged = true;               ///< since their working copies were made
  std::uint64_t process = 0, openingPeak = 0;
  std::int64_t steps = 0;
  bool haveGradients = false;
  /// What the gradients in the arena are of: one call, or several that accumulate.
  struct Accumulated {
    double lossSum = 0; ///< not yet divided by the number of targets
    std::int64_t countedTargets = 0, totalTargets = 0;
  };
  std::optional<Accumulated> accumulated;                      ///< none: the next call can't accumulate
  std::optional<std::uint64_t> finalStates, initialCotangents; ///< arena offsets, when there are any
  std::vector<float> losses;                                   ///< host copy of one shard's
};

} // namespace adjrt

#endif
