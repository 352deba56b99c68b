#include "adjc/Plan/Explorer.h"

#include "adjc/Form/Passes.h"
#include "adjrt/schedule/Schedule.h"

#include <cmath>

using namespace mlir;

namespace adjc {

namespace {

/// The widest tensor of a mini-sequence, where the budget allows it.
constexpr uint64_t kMiniBytes = 128u << 20, kGpuMiniBytes = 1u << 30;

/// The most forward sweeps over the sequence that an automatic plan may take to save boundaries;
/// --boundaries=binomial:N has no such limit.
constexpr int64_t kMaximalSweeps = 6;

/// How much faster a plan of twice the memory must be.
constexpr double kMemoryWeight = 0.01;

/// How much faster a plan that keeps a part of its tape on the host must be than one that does not: the link may have
/// other users, and a copy beside the kernels takes some of their memory's rate. What it keeps there is memory too.
constexpr double kHostWeight = 0.01;

double objective(double seconds, uint64_t bytes, bool offloads) {
  return std::log(seconds) + kMemoryWeight * std::log2(static_cast<double>(bytes)) + (offloads ? kHostWeight : 0);
}

bool offloads(const TapePolicy &policy) {
  return llvm::any_of(policy.tape, [](const TapeChoice &choice) { return choice.keep == Keep::Offload; });
}

/// Tokens of a shard on which transfers are compared with the commands beside them: enough to fill any machine.
constexpr int64_t kTypicalRows = 8192;

/// The fewest boundary slots with which a schedule stays within kMaximalSweeps.
int64_t fewestSlots(int64_t shards) {
  int64_t low = 1, high = std::max<int64_t>(1, shards);
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (adjrt::binomialForwardCount(shards, middle) <= kMaximalSweeps * shards)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

} // namespace

const Machine &machineOf(const PlanOptions &options) {
  const Machine *machine = Machine::find(options.machine);
  return machine ? *machine : *Machine::find(options.gpu ? "sm_90" : "cpu");
}

FailureOr<Explorer> Explorer::create(ModuleOp module, const PlanOptions &options) {
  Explorer explorer(options, &machineOf(options));
  OwningOpRef<ModuleOp> cut = module.clone();
  if (failed(cutLosses(*cut)))
    return failure();
  explorer.widestRow = widestMiniRow(*cut);
  FailureOr<Layout> parameters = Layout::ofParameters(*cut);
  if (failed(parameters))
    return failure();
  explorer.parameterBytes = parameters->bytes();
  FailureOr<std::vector<TapePolicy>> tapes = tapePolicies(*cut, options);
  if (failed(tapes))
    return failure();
  for (const TapePolicy &policy : *tapes) {
    if (failed(explorer.addVariant(*cut, policy)))
      return failure();
    if (!options.gpu || options.policy != "auto")
      continue;
    // What moves beside the layers' commands costs nothing. Once these wait, one more value costs what the link takes
    // for it, and computing it again is quicker.
    for (auto more = offloadOneMore(*cut, policy, options); more; more = offloadOneMore(*cut, *more, options)) {
      if (failed(explorer.addVariant(*cut, *more)))
        return failure();
      if (explorer.waitsForTransfers(explorer.variants.back()))
        break;
    }
  }
  Plan plan;
  plan.gpu = options.gpu;
  plan.dtype = options.dtype;
  explorer.leastBytes = plan.processBytes() + explorer.parameterBytes * (options.adamw ? 4 : 2);
  explorer.listKeys();
  return std::move(explorer);
}

LogicalResult Explorer::addVariant(ModuleOp cut, const TapePolicy &policy) {
  Variant variant;
  variant.policy = policy;
  variant.module = cut.clone();
  if (failed(applyTapePolicy(*variant.module, policy.tape)) || failed(formKernels(*variant.module)))
    return failure();
  FailureOr<std::vector<ProgramWork>> programs =
      countPrograms(*variant.module, options.gpu ? KernelTarget::Gpu : KernelTarget::Cpu);
  if (failed(programs))
    return failure();
  variant.programs = std::move(*programs);
  variants.push_back(std::move(variant));
  return success();
}

bool Explorer::waitsForTransfers(const Variant &variant) const {
  int64_t tokens = std::max<int64_t>(1, std::min(options.context, kTypicalRows / options.batch));
  return llvm::any_of(variant.programs, [&](const ProgramWork &program) {
    SecondsBy by = program.secondsBy(*rates, options.batch, tokens, miniSequences(tokens * options.batch).front());
    return by.kind[static_cast<unsigned>(WorkKind::Transfer)] > 0;
  });
}

std::vector<TapePolicy> Explorer::policies() const {
  std::vector<TapePolicy> list;
  for (const Variant &variant : variants)
    list.push_back(variant.policy);
  return list;
}

bool keepsAlike(const Plan &a, const Plan &b) {
  return llvm::equal(a.tape, b.tape, [](const TapeChoice &one, const TapeChoice &other) {
    return one.name == other.name && one.keep == other.keep;
  });
}

SmallVector<int64_t> Explorer::shardLengths() const {
  if (options.shard != PlanOptions::kAuto)
    return {std::min(options.shard, options.context)};
  SmallVector<int64_t> lengths;
  constexpr int64_t mostRows = int64_t(1) << 20;
  auto add = [&](int64_t length) {
    if (length < options.context && length * options.batch <= mostRows)
      lengths.push_back(length);
  };
  // Powers of two, and from some hundred tokens on their middles: a step of a half costs a few percent at most.
  for (int64_t length = 1; length < options.context && length <= mostRows; length *= 2) {
    add(length);
    if (length >= 256)
      add(length + length / 2);
  }
  if (options.context * options.batch <= mostRows || lengths.empty())
    lengths.push_back(options.context);
  return lengths;
}

SmallVector<int64_t> Explorer::miniSequences(int64_t rows) const {
  if (options.miniSequence == PlanOptions::kOff)
    return {rows};
  if (options.miniSequence != PlanOptions::kAuto)
    return {std::min(rows, options.miniSequence)};
  SmallVector<int64_t> lengths;
  auto preferred = std::max<int64_t>(64, static_cast<int64_t>((options.gpu ? kGpuMiniBytes : kMiniBytes) / widestRow));
  // Mini-sequences of about one length: the last one is not much shorter.
  int64_t count = (rows + preferred - 1) / preferred;
  int64_t even = ((rows + count - 1) / count + 63) / 64 * 64;
  for (int64_t length : {even, int64_t(2048), int64_t(1024), int64_t(512), int64_t(128), int64_t(64), int64_t(16),
                         int64_t(4), int64_t(1)})
    if (lengths.empty() || std::min(length, rows) < lengths.back())
      lengths.push_back(std::min(length, rows));
  return lengths;
}

SmallVector<std::string> Explorer::boundaries(int64_t shards) const {
  if (options.boundaries != "auto")
    return {options.boundaries};
  SmallVector<std::string> list{"device"};
  if (options.gpu)
    list.push_back("host");
  // Numbers of slots that do not depend on the budget, so that a larger one has every choice that a smaller one has.
  SmallVector<int64_t> slots;
  for (int64_t count = fewestSlots(shards); count + 3 < shards + 1; count += std::max<int64_t>(1, count / 16))
    slots.push_back(count);
  for (int64_t count : llvm::reverse(slots))
    list.push_back("binomial:" + std::to_string(count));
  return list;
}

Plan Explorer::planOf(const Key &key) const {
  Plan plan;
  plan.batch = options.batch;
  plan.shard = std::get<1>(key);
  plan.context = options.context;
  plan.miniSequence = std::get<2>(key);
  plan.budget = options.budget;
  plan.dtype = options.dtype;
  plan.adamw = options.adamw;
  plan.gpu = options.gpu;
  plan.policy = variants[std::get<0>(key)].policy.name;
  plan.tape = variants[std::get<0>(key)].policy.tape;
  plan.boundaries = options.boundaries == "auto" ? "device" : options.boundaries;
  return plan;
}

CallParts Explorer::partsOf(ArrayRef<ProgramWork> programs, const Plan &plan) const {
  CallParts parts;
  int64_t last = plan.context - (plan.shards() - 1) * plan.shard;
  parts.once = secondsOnce(*rates, plan, plan.context, parameterBytes);
  for (const ProgramWork &program : programs) {
    double full = program.secondsOf(*rates, plan.batch, plan.shard, plan.miniSequence);
    if (program.name == "forward") {
      parts.forward = full;
    } else if (program.name == "gradient") {
      parts.gradient = full;
      parts.last = last == plan.shard ? full : program.secondsOf(*rates, plan.batch, last, plan.miniSequence);
    } else {
      parts.once += full;
    }
  }
  return parts;
}

void Explorer::listKeys() {
  for (unsigned variant = 0; variant < variants.size(); ++variant)
    for (int64_t shard : shardLengths())
      for (int64_t mini : miniSequences(shard * options.batch)) {
        Key key(variant, shard, mini);
        Plan plan = planOf(key);
        // Copies, and what activations take, come on top.
        keys.push_back({objective(partsOf(variants[variant].programs, plan).secondsOf(plan.boundaries, plan.shards()),
                                  leastBytes, offloads(variants[variant].policy)),
                        key});
      }
  llvm::stable_sort(keys, [](const auto &a, const auto &b) { return a.first < b.first; });
}

FailureOr<const Explorer::Placed *> Explorer::place(const Key &key) {
  auto found = known.find(key);
  if (found != known.end())
    return &found->second;
  Variant &variant = variants[std::get<0>(key)];
  if (!variant.launches) {
    FailureOr<std::vector<KernelLaunches>> launches = launchesOf(*variant.module, options.gpu);
    if (failed(launches))
      return failure();
    variant.launches = std::move(*launches);
  }
  FailureOr<MemoryPlan> memory = planMemory(ModuleOp(*variant.module), planOf(key), *variant.launches);
  if (failed(memory))
    return failure();
  ++placed;
  Placed result;
  result.parts = partsOf(withCopies(variant.programs, *memory), memory->plan);
  result.memory = std::move(*memory);
  result.parts.boundary = static_cast<double>(result.memory.carries.bytes()) / rates->link;
  result.memory.programs.clear();
  return &known.try_emplace(key, std::move(result)).first->second;
}

std::optional<Candidate> Explorer::candidate(const Placed &placed, const std::string &boundaries) const {
  Candidate candidate;
  MemoryPlan memory = placed.memory;
  memory.plan.boundaries = boundaries;
  auto prediction = predictMemory(memory, memory.plan.context);
  if (!prediction)
    return std::nullopt;
  candidate.plan = memory.plan;
  candidate.peak = prediction->peak;
  candidate.slots = prediction->slots;
  candidate.seconds = placed.parts.secondsOf(boundaries, memory.plan.shards());
  return candidate;
}

FailureOr<std::optional<Candidate>> Explorer::smallestOf(const Key &key) {
  FailureOr<const Placed *> placed = place(key);
  if (failed(placed))
    return failure();
  std::optional<Candidate> least;
  for (const std::string &kept : boundaries((*placed)->memory.plan.shards()))
    if (std::optional<Candidate> one = candidate(**placed, kept); one && (!least || one->peak < least->peak))
      least = one;
  return least;
}

FailureOr<std::optional<Candidate>> Explorer::best(uint64_t budget) {
  std::optional<Candidate> best;
  double bestObjective = 0;
  // What does not fit does not with longer shards or mini-sequences either.
  SmallVector<Key> tooLarge;
  for (auto &[bound, key] : keys) {
    if (best && bound >= bestObjective)
      break;
    if (llvm::any_of(tooLarge, [&key = key](const Key &other) {
          return std::get<0>(other) == std::get<0>(key) && std::get<1>(other) <= std::get<1>(key) &&
                 std::get<2>(other) <= std::get<2>(key);
        }))
      continue;
    FailureOr<const Placed *> placed = place(key);
    if (failed(placed))
      return failure();
    const MemoryPlan &memory = (*placed)->memory;
    if (memory.fixedBytes + leastBytes > budget) {
      tooLarge.push_back(key);
      continue;
    }
    bool fits = false;
    for (const std::string &kept : boundaries(memory.plan.shards())) {
      // Another memory than the budget's, and moving hides behind computing: for what does not fit otherwise.
      if (kept == "host" && fits && options.boundaries == "auto")
        continue;
      std::optional<Candidate> one = candidate(**placed, kept);
      if (!one || one->peak > budget)
        continue;
      fits = true;
      double value = objective(one->seconds, one->peak + memory.hostBytes, offloads(variants[std::get<0>(key)].policy));
      if (!best || value < bestObjective) {
        best = one;
        bestObjective = value;
      }
    }
  }
  return best;
}

FailureOr<std::optional<Candidate>> Explorer::smallest() {
  std::optional<Candidate> least;
  for (unsigned variant = 0; variant < variants.size(); ++variant)
    for (int64_t shard : shardLengths()) {
      FailureOr<std::optional<Candidate>> one =
          smallestOf({variant, shard, miniSequences(shard * options.batch).back()});
      if (failed(one))
        return failure();
      if (*one && (!least || (*one)->peak < least->peak))
        least = **one;
    }
  return least;
}

FailureOr<std::optional<Candidate>> Explorer::evaluate(const Plan &plan) {
  for (unsigned variant = 0; variant < variants.size(); ++variant) {
    Key key(variant, plan.shard, plan.miniSequence);
    if (!keepsAlike(planOf(key), plan))
      continue;
    FailureOr<const Placed *> placed = place(key);
    if (failed(placed))
      return failure();
    return candidate(**placed, plan.boundaries);
  }
  return std::optional<Candidate>();
}

} // namespace adjc
