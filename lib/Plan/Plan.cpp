#include "adjc/Plan/Plan.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace adjc {

static constexpr llvm::StringLiteral kAttribute = "adj.plan";

uint64_t Plan::processBytes() const {
  if (gpu)
    return kGpuProcessBytes;
  return kProcessBytes + (dtype == "bf16" ? kBf16ProcessBytes : 0);
}

uint64_t Plan::fileBytes(int64_t tokens) const {
  return gpu ? 0 : sizeof(int32_t) * static_cast<uint64_t>(batch) * static_cast<uint64_t>(tokens + 1);
}

void Plan::attachTo(ModuleOp module) const {
  Builder b(module.getContext());
  auto entry = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
  module->setAttr(kAttribute,
                  b.getDictionaryAttr({entry("batch", batch), entry("shard", shard), entry("context", context),
                                       entry("mini_sequence", miniSequence), entry("budget", budget),
                                       b.getNamedAttr("boundaries", b.getStringAttr(boundaries)),
                                       b.getNamedAttr("dtype", b.getStringAttr(dtype)),
                                       b.getNamedAttr("optimizer", b.getStringAttr(adamw ? "adamw" : "none")),
                                       b.getNamedAttr("target", b.getStringAttr(gpu ? "gpu" : "cpu"))}));
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
