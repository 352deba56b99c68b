#include "adjc/Plan/TapePolicies.h"

#include "adjc/Plan/TapeValues.h"

#include "llvm/ADT/StringMap.h"

#include <limits>
#include <optional>

using namespace mlir;

namespace adjc {

namespace {

/// Sizes at which policies are compared: large enough that one more block of tokens makes no difference.
constexpr ShardSizes kSizes{1, 4096, 4096};

/// Arithmetic for which one byte could be moved: of matrix products, and of what runs in lanes.
struct Balance {
  double products, lanes;
};
constexpr Balance kCpuBalance{10, 4}, kGpuBalance{200, 15};

int64_t elementsOf(RankedTensorType type) {
  int64_t elements = 1;
  for (int64_t size : type.getShape())
    elements *= ShapedType::isDynamic(size) ? 1 : size;
  return elements;
}

/// The work of one operation of a layer on a shard of kSizes, in bytes moved in the same time: the larger of what it
/// moves and what it computes. An estimate that only orders values: products above all else, then recurrences.
double workOf(Operation *op, Balance balance) {
  double bytes = 0, products = 0, lanes = 0;
  auto look = [&](Value value, bool result) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return;
    if (type.hasStaticShape() && type.getRank() >= 2 && !result)
      products += 2.0 * static_cast<double>(elementsOf(type)) * static_cast<double>(kSizes.rows);
    if (!type.hasStaticShape())
      bytes += static_cast<double>(bytesOf(type, kSizes).value_or(0));
  };
  // Views, places and the shard's sizes cost nothing.
  if (isa<ssm::ParameterOp, ssm::SplitOp, ssm::ReshapeOp>(op) || isShardSize(op))
    return 0;
  if (op->getNumRegions() == 0 && llvm::all_of(op->getOperandTypes(), [](Type type) { return type.isIndex(); }))
    return 0;
  if (auto scan = dyn_cast<ssm::ScanOp>(op)) {
    int64_t scalars = 0;
    scan->walk([&](Operation *) { ++scalars; });
    lanes = static_cast<double>(scalars * elementsOf(scan.getStateTensorType())) * static_cast<double>(kSizes.rows);
    for (Value value : op->getOperands())
      if (!cast<RankedTensorType>(value.getType()).hasStaticShape())
        look(value, false);
  } else {
    op->walk([&](Operation *inner) {
      for (Value value : inner->getOperands())
        look(value, false);
    });
  }
  for (Value value : op->getResults())
    look(value, true);
  return std::max({bytes, products / balance.products, lanes / balance.lanes});
}

/// The work of all layers' operations that run again, in the same unit.
double workAgain(const Tape &tape, const llvm::StringSet<> &dropped, Balance balance) {
  double work = 0;
  for (ssm::RepeatOp stack : tape.stacks())
    for (Operation *op : tape.recomputation(stack, dropped).operations)
      work += workOf(op, balance) * static_cast<double>(stack.getCount());
  return work;
}

class Enumerator {
public:
  Enumerator(ModuleOp module, const PlanOptions &options)
      : tape(Tape::of(module)), balance(options.gpu ? kGpuBalance : kCpuBalance) {
    for (const TapeChoice &choice : options.keep)
      asked[choice.name] = choice.keep;
  }

  /// Whether every value that is asked for is there, and can be kept so.
  LogicalResult checkAsked(MLIRContext *context) const {
    for (const auto &entry : asked) {
      const TapeValue *value = tape.find(entry.getKey());
      if (value && canBe(*value, entry.getValue()))
        continue;
      InFlightDiagnostic error = emitError(UnknownLoc::get(context))
                                 << "--keep=\"" << entry.getKey() << "=" << stringifyKeep(entry.getValue())
                                 << "\": no such value";
      StringRef before = "; those that can be kept so are ";
      for (const TapeValue &other : tape.values())
        if (canBe(other, entry.getValue())) {
          error << before << '"' << other.name << '"';
          before = ", ";
        }
      return error;
    }
    return success();
  }

  TapePolicy make(StringRef name, const llvm::StringSet<> &dropped, Keep others = Keep::Store) const {
    TapePolicy policy;
    policy.name = name.str();
    for (const TapeValue &value : tape.values()) {
      Keep keep = dropped.contains(value.name)                       ? Keep::Recompute
                  : others == Keep::Offload && value.isOffloadable() ? Keep::Offload
                                                                     : Keep::Store;
      if (auto other = asked.find(value.name); other != asked.end() && other->second != keep) {
        keep = other->second;
        policy.name = "mixed";
      }
      policy.tape.push_back({value.name, keep});
    }
    return policy;
  }

  llvm::StringSet<> recomputable() const {
    llvm::StringSet<> names;
    for (const TapeValue &value : tape.values())
      if (value.recomputable && !asked.contains(value.name))
        names.insert(value.name);
    return names;
  }

  /// As the function of that name.
  std::optional<TapePolicy> offloadOneMore(TapePolicy policy) const {
    llvm::StringSet<> dropped = namesKept(policy.tape, Keep::Recompute);
    double work = workAgain(tape, dropped, balance);
    auto freed = static_cast<double>(tape.bytesFreed(dropped, kSizes));
    TapeChoice *best = nullptr;
    double bestRatio = 0;
    for (TapeChoice &choice : policy.tape) {
      const TapeValue *value = tape.find(choice.name);
      if (choice.keep != Keep::Store || asked.contains(choice.name) || !value->isOffloadable())
        continue;
      double ratio = std::numeric_limits<double>::max();
      if (value->recomputable) {
        llvm::StringSet<> more = dropped;
        more.insert(choice.name);
        double bytes = static_cast<double>(tape.bytesFreed(more, kSizes)) - freed;
        if (bytes > 0)
          ratio = (workAgain(tape, more, balance) - work) / bytes;
      }
      if (!best || ratio > bestRatio) {
        best = &choice;
        bestRatio = ratio;
      }
    }
    if (!best)
      return std::nullopt;
    best->keep = Keep::Offload;
    policy.name = "mixed";
    return policy;
  }

  /// The value that is best dropped beside `dropped`: most bytes freed for the work of computing it again. Empty when
  /// dropping none frees anything.
  std::string next(const llvm::StringSet<> &dropped) const {
    std::string best;
    double bestRatio = 0;
    double work = workAgain(tape, dropped, balance);
    auto freed = static_cast<double>(tape.bytesFreed(dropped, kSizes));
    for (const TapeValue &value : tape.values()) {
      if (!value.recomputable || dropped.contains(value.name) || asked.contains(value.name))
        continue;
      llvm::StringSet<> more = dropped;
      more.insert(value.name);
      double bytes = static_cast<double>(tape.bytesFreed(more, kSizes)) - freed;
      double again = workAgain(tape, more, balance) - work;
      double ratio = again > 0 ? bytes / again : std::numeric_limits<double>::max();
      if (bytes > 0 && ratio > bestRatio) {
        best = value.name;
        bestRatio = ratio;
      }
    }
    return best;
  }

private:
  static bool canBe(const TapeValue &value, Keep keep) {
    return keep == Keep::Store || (keep == Keep::Recompute ? value.recomputable : value.isOffloadable());
  }

  Tape tape;
  Balance balance;
  llvm::StringMap<Keep> asked;
};

} // namespace

FailureOr<std::vector<TapePolicy>> tapePolicies(ModuleOp module, const PlanOptions &options) {
  Enumerator enumerator(module, options);
  if (failed(enumerator.checkAsked(module.getContext())))
    return failure();
  using Policies = std::vector<TapePolicy>;
  if (options.policy == "store")
    return Policies{enumerator.make(options.policy, {})};
  if (options.policy == "offload")
    return Policies{enumerator.make(options.policy, {}, Keep::Offload)};
  if (options.policy == "recompute")
    return Policies{enumerator.make(options.policy, enumerator.recomputable())};
  llvm::StringSet<> dropped = namesKept(options.keep, Keep::Recompute);
  Policies policies{enumerator.make(dropped.empty() ? "store" : "mixed", dropped)};
  for (std::string name = enumerator.next(dropped); !name.empty(); name = enumerator.next(dropped)) {
    dropped.insert(name);
    policies.push_back(enumerator.make("mixed", dropped));
  }
  return policies;
}

std::optional<TapePolicy> offloadOneMore(ModuleOp module, const TapePolicy &policy, const PlanOptions &options) {
  return Enumerator(module, options).offloadOneMore(policy);
}

void setTapeBytes(ModuleOp module, const ShardSizes &sizes, std::vector<TapeChoice> &tape) {
  Tape values = Tape::of(module);
  for (TapeChoice &choice : tape)
    if (const TapeValue *value = values.find(choice.name))
      choice.bytes = bytesOf(value->type, sizes).value_or(0) * static_cast<uint64_t>(value->layers());
}

LogicalResult applyTapePolicy(ModuleOp module, const std::vector<TapeChoice> &tape) {
  Plan plan;
  plan.tape = tape;
  if (failed(recomputeTape(module, plan.valuesKept(Keep::Recompute))))
    return failure();
  return offloadTape(module, plan.valuesKept(Keep::Offload));
}

} // namespace adjc
