// adjrt/device/Device.h - what a session asks of the machine that computes: memory, programs, the optimizer step.
//
// A device owns one arena, and memory of the host that it moves data to and from. Everything in them is named by its
// byte offset from their start, so that a session never sees a device address. Calls are made from one thread; a call
// may return before its work is done, and `download` waits for it.
#ifndef ADJRT_DEVICE_DEVICE_H
#define ADJRT_DEVICE_DEVICE_H

#include "adjrt/module/Module.h"
#include "adjrt/support/Status.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace adjrt {

/// Where a program finds its buffers in this run, and how many rows it has.
struct Bindings {
  /// Offset of each fb::BufferKind's region in the arena (that of `host`: in host memory), indexed by the enum's value.
  std::array<std::uint64_t, 9> base{};
  std::int64_t batch = 0;
  std::int64_t tokens = 0; ///< of this shard: 1 .. S

  std::uint64_t &operator[](fb::BufferKind kind) { return base[static_cast<std::size_t>(kind)]; }
  std::uint64_t operator[](fb::BufferKind kind) const { return base[static_cast<std::size_t>(kind)]; }
};

/// One AdamW step (Loshchilov and Hutter 2019, decoupled weight decay) on `count` f32 values at arena offsets.
struct AdamWStep {
  std::uint64_t parameters = 0, gradients = 0, firstMoment = 0, secondMoment = 0; ///< arena offsets, in bytes
  std::uint64_t count = 0;                                                        ///< values
  float learningRate = 0, beta1 = 0, beta2 = 0, epsilon = 0, weightDecay = 0;
  float correction1 = 1, correction2 = 1; ///< 1 - beta1^step and 1 - beta2^step
};

/// What a command runs on: transfers run beside the rest.
enum class Queue : std::uint8_t { Compute, ToHost, ToDevice };

/// One command of a program that a device has run, or one of `Device::transfer`: when, and for how many tokens.
struct CommandTiming {
  /// The program of what is none's: a transfer that was asked for by itself.
  static constexpr std::uint32_t kNoProgram = 0xffffffff;

  std::uint32_t program = 0, block = 0, command = 0; ///< places in the module's tables
  std::uint64_t layer = 0;
  std::int64_t batch = 0, tokens = 0, rows = 0; ///< what the command's extents were counted with
  double begin = 0, end = 0;                    ///< seconds on the device's clock
  Queue queue = Queue::Compute;
  std::uint64_t bytes = 0; ///< that a transfer moves
};
using CommandObserver = std::function<void(const CommandTiming &)>;

/// Where a command stands in the module's tables.
struct CommandPlace {
  std::uint32_t program = 0, block = 0, command = 0;
};

/// Memory as the device accounts for it, in bytes (the cpu: the resident set of the process; cuda: what is taken of the
/// GPU's memory).
struct DeviceMemory {
  std::uint64_t current = 0;
  std::uint64_t peak = 0;
};

class Device {
public:
  virtual ~Device() = default;

  /// The device's name for reports: the processor's model name, for instance.
  virtual const std::string &name() const = 0;

  /// Make the module's kernels and programs ready to run, and warm up the libraries they call, so that `memory` counts
  /// them. The module must outlive the device. InvalidInput when the module is for another target or asks for missing
  /// CPU features.
  virtual Status open(const Module &module) = 0;

  /// Make the arena at least `bytes` long, resident. What it held stays. Failed when there is not enough memory.
  virtual Status reserve(std::uint64_t bytes) = 0;

  /// Make host memory, which programs' transfers reach, at least `bytes` long: resident, and on a GPU pinned. What it
  /// held is lost when it grows. Failed when there is not enough memory.
  virtual Status reserveHost(std::uint64_t bytes) = 0;

  /// Host to arena, arena to host, arena to arena (ranges must not overlap), and zeros. Ranges must lie in the arena.
  virtual Status upload(std::uint64_t offset, std::span<const std::byte> source) = 0;
  virtual Status download(std::uint64_t offset, std::span<std::byte> destination) = 0;
  virtual Status copy(std::uint64_t destination, std::uint64_t source, std::uint64_t bytes) = 0;
  virtual Status zero(std::uint64_t offset, std::uint64_t bytes) = 0;

  /// Move bytes between the arena and host memory, beside later calls: to the host or back, as fb::Transfer does. It
  /// begins when the work of the calls before has been done. Those of one direction are done in the order of the calls.
  virtual Status transfer(bool toHost, std::uint64_t offset, std::uint64_t hostOffset, std::uint64_t bytes) = 0;
  /// The work of later calls begins when all transfers of that direction but the last `behind` have been done.
  virtual Status await(bool toHost, std::uint64_t behind) = 0;

  /// Run program `index` of the module's list once.
  virtual Status run(std::uint32_t index, const Bindings &bindings) = 0;

  /// Tell `observer` of every command of later runs, and of later transfers, from the thread that called `run`, in the
  /// order in which they were put on their queues; an empty one ends it. Without one, nothing is timed. On a GPU a
  /// transfer is told of with the program after it.
  virtual void observeCommands(CommandObserver observer) = 0;

  /// Seconds that a run of its program spends on one command when nothing else runs: all that the run does of it, in
  /// every layer and mini-sequence, back to back; the mean of `times` such passes after one to warm up. The results are
  /// lost in whatever lies there, so the arena is to be written anew. It waits for the work of all calls before.
  virtual Expected<double> timeAlone(const CommandPlace &place, const Bindings &bindings, int times) = 0;

  virtual Status adamw(const AdamWStep &step) = 0;

  /// Wait for the work of all calls before. An error met in it is returned.
  virtual Status wait() = 0;

  virtual DeviceMemory memory() const = 0;
  /// Whether `memory` counts host memory too: on the cpu both are the process's.
  virtual bool countsHostMemory() const = 0;
};

/// What a device is opened with.
struct DeviceOptions {
  unsigned threads = 0; ///< cpu: worker threads; 0 means one per available core
};

/// The device called `spec` ("cpu", "cuda:N"). InvalidInput, naming the devices there are, for any other name, and for
/// a GPU that is not there or lacks a library. The reference device is not one of them: it interprets the model and has
/// an interface of its own.
Expected<std::unique_ptr<Device>> makeDevice(std::string_view spec, const DeviceOptions &options);

} // namespace adjrt

#endif
