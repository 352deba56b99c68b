#include "adjc/Plan/Plan.h"

#include "adjrt/support/RowSource.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace adjc {

static constexpr llvm::StringLiteral kAttribute = "adj.plan";

StringRef stringifyKeep(Keep keep) {
  switch (keep) {
  case Keep::Store:
    return "store";
  case Keep::Recompute:
    return "recompute";
  case Keep::Offload:
    return "offload";
  }
  llvm_unreachable("a way to keep a value");
}

std::optional<Keep> parseKeep(StringRef text) {
  for (Keep keep : {Keep::Store, Keep::Recompute, Keep::Offload})
    if (text == stringifyKeep(keep))
      return keep;
  return std::nullopt;
}

std::optional<TapeChoice> TapeChoice::parse(StringRef text) {
  auto [name, how] = text.rsplit('=');
  std::optional<Keep> keep = parseKeep(how);
  if (name.empty() || !keep)
    return std::nullopt;
  return TapeChoice{name.str(), *keep};
}

llvm::StringSet<> namesKept(ArrayRef<TapeChoice> tape, Keep keep) {
  llvm::StringSet<> names;
  for (const TapeChoice &choice : tape)
    if (choice.keep == keep)
      names.insert(choice.name);
  return names;
}

uint64_t Plan::processBytes() const {
  if (gpu)
    return kGpuProcessBytes;
  return kProcessBytes + (dtype == "bf16" ? kBf16ProcessBytes : 0);
}

uint64_t Plan::fileBytes(int64_t tokens) const {
  // Inputs and targets, each through a window of their file.
  return gpu ? 0 : 2 * sizeof(int32_t) * static_cast<uint64_t>(std::min(batch * (tokens + 1), adjrt::kRowWindow));
}

void Plan::attachTo(ModuleOp module) const {
  Builder b(module.getContext());
  auto entry = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
  SmallVector<Attribute> choices;
  for (const TapeChoice &choice : tape)
    choices.push_back(b.getArrayAttr({b.getStringAttr(choice.name), b.getStringAttr(stringifyKeep(choice.keep)),
                                      b.getI64IntegerAttr(static_cast<int64_t>(choice.bytes))}));
  module->setAttr(kAttribute,
                  b.getDictionaryAttr({entry("batch", batch), entry("shard", shard), entry("context", context),
                                       entry("mini_sequence", miniSequence), entry("budget", budget),
                                       b.getNamedAttr("boundaries", b.getStringAttr(boundaries)),
                                       b.getNamedAttr("policy", b.getStringAttr(policy)),
                                       b.getNamedAttr("tape", b.getArrayAttr(choices)),
                                       b.getNamedAttr("dtype", b.getStringAttr(dtype)),
                                       b.getNamedAttr("optimizer", b.getStringAttr(adamw ? "adamw" : "none")),
                                       b.getNamedAttr("target", b.getStringAttr(gpu ? "gpu" : "cpu"))}));
}

/// ["mixer.in_proj output", "recompute", 1024].
static std::optional<TapeChoice> parseChoice(Attribute attribute) {
  auto parts = dyn_cast<ArrayAttr>(attribute);
  if (!parts || parts.size() != 3)
    return std::nullopt;
  auto name = dyn_cast<StringAttr>(parts[0]), how = dyn_cast<StringAttr>(parts[1]);
  auto bytes = dyn_cast<IntegerAttr>(parts[2]);
  std::optional<Keep> keep = how ? parseKeep(how.getValue()) : std::nullopt;
  if (!name || !bytes || !keep)
    return std::nullopt;
  return TapeChoice{name.str(), *keep, static_cast<uint64_t>(bytes.getInt())};
}

FailureOr<Plan> Plan::of(ModuleOp module) {
  auto dictionary = module->getAttrOfType<DictionaryAttr>(kAttribute);
  if (!dictionary)
    return module.emitError("has no plan (attribute adj.plan); run adj-choose-policies first");
  Plan plan;
  bool complete = true;
  auto number = [&](StringRef name, auto &value) {
    if (auto attribute = dictionary.getAs<IntegerAttr>(name))
      value = attribute.getInt();
    else
      complete = false;
  };
  auto text = [&](StringRef name) -> StringRef {
    if (auto attribute = dictionary.getAs<StringAttr>(name))
      return attribute.getValue();
    complete = false;
    return "";
  };
  number("batch", plan.batch);
  number("shard", plan.shard);
  number("context", plan.context);
  number("mini_sequence", plan.miniSequence);
  number("budget", plan.budget);
  plan.boundaries = text("boundaries").str();
  if (auto policy = dictionary.getAs<StringAttr>("policy"))
    plan.policy = policy.str();
  if (auto choices = dictionary.getAs<ArrayAttr>("tape"))
    for (Attribute attribute : choices) {
      std::optional<TapeChoice> choice = parseChoice(attribute);
      if (!choice)
        return module.emitError("the plan (attribute adj.plan) needs a tape of [name, how, bytes], where how is store, "
                                "recompute or offload, found ")
               << attribute;
      plan.tape.push_back(*choice);
    }
  auto dtype = dictionary.getAs<StringAttr>("dtype");
  plan.dtype = dtype ? dtype.str() : "f32";
  plan.adamw = text("optimizer") == "adamw";
  StringRef target = text("target");
  plan.gpu = target == "gpu";
  complete &= plan.gpu || target == "cpu";
  if (!complete || plan.batch < 1 || plan.shard < 1 || plan.context < 1 || plan.miniSequence < 1)
    return module.emitError("the plan (attribute adj.plan) needs positive batch, shard, context and mini_sequence, and "
                            "budget, boundaries, optimizer and target (cpu or gpu)");
  return plan;
}

} // namespace adjc
