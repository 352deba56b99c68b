//===- ScanCommands.cpp - times the scan commands of a module, alone ----------------------------------------------===//
//
//     scan-commands MODULE THREADS SECONDS INPUTS OUTPUTS
//
// Calls what the gradient program of benchmarks/scan.mlir calls for its scan (the scan with its checkpoints, the
// adjoint, the sums of the partial sums), the same way as the runtime does, on inputs from a file, again and again for
// about SECONDS. INPUTS: f32, packed, one after the other: x, dt (T, 1536), B, C (T, 16), A (1536, 16), D (1536), z (T,
// 1536), dt_bias (1536), cotangent of y (T, 1536). OUTPUTS gets y and the cotangents of the eight inputs in that order.
// T is the module's shard. Prints one JSON line: seconds of each part, fastest of all runs and median, and what the two
// kernels take on one core alone.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "Arena.h"
#include "SharedObject.h"
#include "ThreadPool.h"
#include "adjrt/module/Module.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <numeric>

using namespace adjrt;

namespace {

constexpr std::int64_t kChannels = 1536, kStates = 16;
constexpr unsigned kInputs = 8;

/// Memory of one buffer, as the runtime gets its own.
struct Memory {
  std::unique_ptr<cpu::Arena> arena;
  std::uint64_t size;
};

/// One dispatch with its operands' addresses.
struct Call {
  adj_cpu_kernel kernel;
  std::vector<void *> addresses;
  std::int64_t groups;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
/// Processor time of this thread.
double threadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The scan's commands, each buffer of the program that they use in memory of its own.
class ScanCommands {
public:
  static Expected<std::unique_ptr<ScanCommands>> open(const std::string &path, unsigned threads) {
    std::unique_ptr<ScanCommands> result(new ScanCommands);
    ADJ_ASSIGN_OR_RETURN(result->module, Module::load(path));
    ADJ_ASSIGN_OR_RETURN(result->pool, cpu::ThreadPool::make(threads));
    result->tokens = result->module->plan().shard();
    ADJ_RETURN_IF_ERROR(result->collect());
    return result;
  }

  void runScan() { run(calls[scan]); }
  void runAdjoint() { run(calls[adjoint]); }
  void runSums() {
    for (unsigned sum : sums)
      run(calls[sum]);
  }
  /// The two kernels on one core, group by group; keeps the least processor time of each group: times so short are
  /// disturbed little.
  void runGroups() {
    for (unsigned number : {scan, adjoint}) {
      const Call &call = calls[number];
      auto &least = groupSeconds[number == adjoint];
      least.resize(static_cast<std::size_t>(call.groups), 1e9);
      for (std::int64_t group = 0; group < call.groups; ++group) {
        const double start = threadSeconds();
        runRange(call, group, group + 1);
        double &seconds = least[static_cast<std::size_t>(group)];
        seconds = std::min(seconds, threadSeconds() - start);
      }
    }
  }
  double groupsOf(bool theAdjoint) const {
    return std::accumulate(groupSeconds[theAdjoint].begin(), groupSeconds[theAdjoint].end(), 0.0);
  }

  /// Some sums are added to gradients: leaves them as after one run.
  void finish() {
    for (unsigned sum : sums) {
      const fb::BufferRef *result = dispatches[sum]->operands()->Get(1);
      const Memory &bytes = memory.at(result->buffer());
      std::memset(bytes.arena->data(), 0, bytes.size);
    }
    runSums();
  }

  /// Calls visit(first float, floats per row, rows, bytes between rows) for each tensor of the input file.
  template <typename Visit> void inputs(const Visit &visit) {
    for (unsigned i = 0; i < kInputs; ++i)
      visitTensor(dispatches[scan], i, i, visit);
    visitTensor(dispatches[adjoint], kInputs, 0, visit); // the cotangent of y: of x's shape
  }
  template <typename Visit> void outputs(const Visit &visit) {
    visitTensor(dispatches[scan], yOperand, 0, visit);
    for (unsigned i = 0; i < kInputs; ++i) {
      // Where a partial sum is left, its sum is the cotangent.
      unsigned sum = sumOf(dispatches[adjoint]->operands()->Get(firstCotangent + i));
      if (sum == calls.size())
        visitTensor(dispatches[adjoint], firstCotangent + i, i, visit);
      else
        visitTensor(dispatches[sum], 1, i, visit);
    }
  }

private:
  /// Operands of the kernels, as ssm.scan and adj.scan_adjoint have them with all carries and resets.
  static constexpr unsigned yOperand = kInputs + 2, firstCotangent = kInputs + 4;

  Status collect() {
    const fb::Program *gradient = module->program("gradient");
    for (const fb::Block *block : *gradient->blocks())
      for (const fb::Command *command : *block->commands()) {
        const fb::Dispatch *dispatch = command->operation_as_Dispatch();
        if (!dispatch)
          continue;
        const fb::Kernel &kernel = *module->table().kernels()->Get(dispatch->kernel());
        std::string_view op = kernel.op()->string_view();
        if (op == "ssm.scan")
          scan = static_cast<unsigned>(calls.size());
        else if (op == "adj.scan_adjoint")
          adjoint = static_cast<unsigned>(calls.size());
        else if (op == "adj.sum_partials" && adjoint < calls.size() && isCotangent(dispatch->operands()->Get(0)))
          sums.push_back(static_cast<unsigned>(calls.size()));
        else
          continue;
        ADJ_RETURN_IF_ERROR(add(*dispatch, kernel, *gradient));
      }
    if (dispatches.size() < 3 || dispatches[scan]->operands()->size() != kInputs + 5 ||
        dispatches[adjoint]->operands()->size() != 2 * kInputs + 5)
      return invalidInput("the module is not one of benchmarks/scan.mlir");
    return {};
  }

  bool isCotangent(const fb::BufferRef *ref) const {
    for (unsigned i = 0; i < kInputs; ++i)
      if (same(dispatches[adjoint]->operands()->Get(firstCotangent + i), ref))
        return true;
    return false;
  }
  static bool same(const fb::BufferRef *a, const fb::BufferRef *b) {
    return a->buffer() == b->buffer() && a->offset() == b->offset();
  }
  unsigned sumOf(const fb::BufferRef *partial) const {
    for (unsigned sum : sums)
      if (same(dispatches[sum]->operands()->Get(0), partial))
        return sum;
    return static_cast<unsigned>(calls.size());
  }

  Status add(const fb::Dispatch &dispatch, const fb::Kernel &kernel, const fb::Program &program) {
    if (!objects.contains(kernel.blob())) {
      ADJ_ASSIGN_OR_RETURN(cpu::SharedObject object, cpu::SharedObject::open(module->blob(kernel.blob())));
      objects.emplace(kernel.blob(), std::move(object));
    }
    ADJ_ASSIGN_OR_RETURN(adj_cpu_kernel entry, objects.at(kernel.blob()).kernel(kernel.name()->str()));
    const fb::Extent &groups = *dispatch.groups();
    const std::int64_t units[] = {1, 1, tokens, tokens};
    Call call{
        entry, {}, groups.factor() * ((units[static_cast<int>(groups.unit())] + groups.block() - 1) / groups.block())};
    for (const fb::BufferRef *ref : *dispatch.operands()) {
      const fb::Buffer &buffer = *program.buffers()->Get(ref->buffer());
      if (!memory.contains(ref->buffer())) {
        auto arena = std::make_unique<cpu::Arena>("arena");
        ADJ_RETURN_IF_ERROR(arena->reserve(buffer.size()));
        memory.emplace(ref->buffer(), Memory{std::move(arena), buffer.size()});
      }
      call.addresses.push_back(memory.at(ref->buffer()).arena->data() + ref->offset());
    }
    calls.push_back(std::move(call));
    dispatches.push_back(&dispatch);
    return {};
  }

  /// Operand number `operand` of `dispatch`, whose shape is that of input `input`.
  template <typename Visit>
  void visitTensor(const fb::Dispatch *dispatch, unsigned operand, unsigned input, const Visit &visit) {
    static constexpr std::int64_t perToken[kInputs] = {kChannels, kChannels, kStates, kStates, 0, 0, kChannels, 0};
    const fb::BufferRef *ref = dispatch->operands()->Get(operand);
    const Memory &bytes = memory.at(ref->buffer());
    auto *first = reinterpret_cast<float *>(bytes.arena->data() + ref->offset());
    if (std::int64_t row = perToken[input])
      visit(first, row, tokens, bytes.size / static_cast<std::uint64_t>(tokens));
    else
      visit(first, input == 4 ? kChannels * kStates : kChannels, 1, 0);
  }

  /// As the runtime's Program runs a dispatch.
  void run(const Call &call) {
    const std::int64_t ranges = std::min<std::int64_t>(call.groups, pool->threads() == 1 ? 1 : 4 * pool->threads());
    pool->run(static_cast<std::uint64_t>(ranges), [&](std::uint64_t task) {
      const auto range = static_cast<std::int64_t>(task);
      runRange(call, range * call.groups / ranges, (range + 1) * call.groups / ranges);
    });
  }
  void runRange(const Call &call, std::int64_t first, std::int64_t last) const {
    const adj_kernel_args args{call.addresses.data(), 1, tokens, tokens, first, last};
    call.kernel(&args);
  }

  std::unique_ptr<Module> module;
  std::unique_ptr<cpu::ThreadPool> pool;
  std::int64_t tokens = 0;
  std::map<std::uint32_t, cpu::SharedObject> objects;
  std::map<std::uint32_t, Memory> memory; ///< by number of the buffer
  std::vector<Call> calls;
  std::vector<const fb::Dispatch *> dispatches; ///< of the calls
  unsigned scan = ~0U, adjoint = ~0U;           ///< numbers of calls
  std::vector<unsigned> sums;
  std::vector<double> groupSeconds[2]; ///< of the scan and of the adjoint
};

/// Times a part; keeps all of its times.
struct Clock {
  std::vector<double> seconds;
  template <typename Function> void time(const Function &function) {
    const double start = now();
    function();
    seconds.push_back(now() - start);
  }
  double fastest() const { return *std::min_element(seconds.begin(), seconds.end()); }
  double median() {
    std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2), seconds.end());
    return seconds[seconds.size() / 2];
  }
};

Status measure(char **arguments) {
  ADJ_ASSIGN_OR_RETURN(std::unique_ptr<ScanCommands> commands,
                       ScanCommands::open(arguments[1], static_cast<unsigned>(std::stoul(arguments[2]))));
  std::ifstream input(arguments[4], std::ios::binary);
  commands->inputs([&](float *first, std::int64_t row, std::int64_t rows, std::uint64_t stride) {
    for (std::int64_t i = 0; i < rows; ++i)
      input.read(reinterpret_cast<char *>(first) + static_cast<std::uint64_t>(i) * stride, row * 4);
  });
  if (!input || input.peek() != EOF)
    return invalidInput(std::string(arguments[4]) + ": is not as long as the module's inputs");
  const double limit = std::stod(arguments[3]), start = now();
  Clock scan, adjoint, sums, all;
  do {
    all.time([&] {
      scan.time([&] { commands->runScan(); });
      adjoint.time([&] { commands->runAdjoint(); });
      sums.time([&] { commands->runSums(); });
    });
    commands->runGroups();
  } while (all.seconds.size() < 4 || now() - start < limit);
  commands->finish();
  std::ofstream output(arguments[5], std::ios::binary);
  commands->outputs([&](const float *first, std::int64_t row, std::int64_t rows, std::uint64_t stride) {
    for (std::int64_t i = 0; i < rows; ++i)
      output.write(reinterpret_cast<const char *>(first) + static_cast<std::uint64_t>(i) * stride, row * 4);
  });
  if (!output.flush())
    return failed(std::string(arguments[5]) + ": cannot be written");
  std::printf("{\"runs\": %zu, \"seconds\": %.6f, \"median\": %.6f, \"scan\": %.6f, \"adjoint\": %.6f, \"sums\": %.6f, "
              "\"one_core_scan\": %.6f, \"one_core_adjoint\": %.6f}\n",
              all.seconds.size(), all.fastest(), all.median(), scan.fastest(), adjoint.fastest(), sums.fastest(),
              commands->groupsOf(false), commands->groupsOf(true));
  return {};
}

} // namespace

int main(int count, char **arguments) {
  if (count != 6) {
    std::fprintf(stderr, "usage: scan-commands MODULE THREADS SECONDS INPUTS OUTPUTS\n");
    return 2;
  }
  if (Status status = measure(arguments); !status) {
    std::fprintf(stderr, "scan-commands: %s\n", status.error().message.c_str());
    return status.error().kind == ErrorKind::InvalidInput ? 2 : 1;
  }
  return 0;
}
