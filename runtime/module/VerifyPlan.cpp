#include "Verify.h"
#include "adjrt/abi.h"
#include "adjrt/schedule/ArenaLayout.h"
#include "adjrt/schedule/Schedule.h"

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>
#include <vector>

namespace adjrt::verify {
namespace {

constexpr std::int64_t kMostRows = std::numeric_limits<std::int32_t>::max();

std::string text(std::uint64_t value) { return std::to_string(value); }

bool validDType(fb::DType dtype) { return dtype >= fb::DType::MIN && dtype <= fb::DType::MAX; }

/// Bytes of a tensor; nothing when an extent is not positive or the size passes 2^62.
std::optional<std::uint64_t> tensorBytes(fb::DType dtype, const flatbuffers::Vector<std::int64_t> *shape,
                                         std::uint64_t times) {
  Wide bytes = Wide(elementBytes(dtype)) * times;
  for (std::int64_t extent : Items(shape)) {
    if (extent < 1)
      return std::nullopt;
    bytes *= static_cast<std::uint64_t>(extent);
    if (bytes > Wide(1) << 62)
      return std::nullopt;
  }
  return static_cast<std::uint64_t>(bytes);
}

Status numbers(const fb::Plan &plan) {
  const std::array<std::pair<const char *, std::int64_t>, 4> positive{{{"batch", plan.batch()},
                                                                       {"shard", plan.shard()},
                                                                       {"context", plan.context()},
                                                                       {"vocabulary", plan.vocabulary()}}};
  for (const auto &[name, value] : positive)
    if (value < 1)
      return invalidInput(std::string("plan: ") + name + " " + std::to_string(value) + " must be at least 1");
  if (plan.batch() > kMostRows || plan.shard() > kMostRows || plan.batch() * plan.shard() > kMostRows)
    return invalidInput("plan: a shard of " + std::to_string(plan.batch()) + " x " + std::to_string(plan.shard()) +
                        " tokens has more than 2^31 - 1 rows");
  if (plan.vocabulary() > kMostRows)
    return invalidInput("plan: vocabulary " + std::to_string(plan.vocabulary()) + " does not fit in int32");
  if (plan.mini_sequence() < 0 || plan.layers() < 0)
    return invalidInput("plan: mini_sequence and layers must not be negative");
  const std::string optimizer = plan.optimizer() ? plan.optimizer()->str() : "";
  if (optimizer != "none" && optimizer != "adamw")
    return invalidInput("plan: optimizer '" + optimizer + "' is not known (none, adamw)");
  return {};
}

Status arena(const fb::Plan &plan) {
  auto policy = BoundaryPolicy::parse(plan.boundaries() ? plan.boundaries()->string_view() : "");
  if (!policy)
    return tl::unexpected<Error>(policy.error().in("plan"));
  const std::int64_t shards = (plan.context() - 1) / plan.shard() + 1;
  auto layout =
      ArenaLayout::make(plan.parameter_bytes(), plan.working_copy_bytes(), plan.fixed_bytes(), plan.boundary_bytes(),
                        plan.optimizer()->string_view() == "adamw", arenaSlots(*policy, shards));
  if (!layout)
    return tl::unexpected<Error>(layout.error().in("plan"));
  auto host = HostLayout::make(plan.host_bytes(), plan.boundary_bytes(), hostSlots(*policy, shards));
  if (!host)
    return tl::unexpected<Error>(host.error().in("plan"));
  return {};
}

Status staging(const fb::Plan &plan) {
  const fb::Staging &staging = *plan.staging();
  const std::uint64_t rows = static_cast<std::uint64_t>(plan.batch() * plan.shard());
  struct Place {
    const char *name;
    std::uint64_t offset, bytes, alignment;
  };
  const std::array<Place, 5> places{{{"tokens", staging.tokens(), 4 * rows, 4},
                                     {"targets", staging.targets(), 4 * rows, 4},
                                     {"resets", staging.resets(), rows, 1},
                                     {"loss_scale", staging.loss_scale(), 4, 4},
                                     {"losses", staging.losses(), 4 * rows, 4}}};
  for (const Place &place : places)
    if (place.offset % place.alignment != 0 || Wide(place.offset) + place.bytes > plan.fixed_bytes())
      return invalidInput(std::string("plan: staging of ") + place.name + " (" + text(place.bytes) + " bytes at " +
                          text(place.offset) + ") is misaligned or leaves the fixed part of " +
                          text(plan.fixed_bytes()) + " bytes");
  return {};
}

Status carries(const fb::Plan &plan) {
  std::uint32_t index = 0;
  for (const fb::Carry *carry : Items(plan.carries())) {
    const std::string place = "plan: carry " + quoted(carry->name(), index++) + ": ";
    if (!validDType(carry->dtype()))
      return invalidInput(place + "unknown dtype");
    const auto bytes = tensorBytes(carry->dtype(), carry->shape(), static_cast<std::uint64_t>(plan.batch()));
    if (!bytes || carry->layers() < 1)
      return invalidInput(place + "a size that is not positive, or is too large");
    const Wide end = Wide(carry->offset()) + Wide(carry->layers() - 1) * carry->layer_stride() + *bytes;
    if (carry->offset() % 4 != 0 || carry->layer_stride() % 4 != 0 || end > plan.boundary_bytes())
      return invalidInput(place + "is misaligned or leaves the boundary of " + text(plan.boundary_bytes()) + " bytes");
  }
  return {};
}

bool knownInitializer(std::string_view kind) {
  constexpr std::array<std::string_view, 8> kinds{"zeros",   "ones",   "constant", "normal",
                                                  "uniform", "arange", "a_log",    "dt_bias"};
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

Status parameters(const fb::Module &module) {
  std::unordered_set<std::string_view> names;
  struct Range {
    std::uint64_t begin, end;
    std::string_view name;
  };
  std::vector<Range> ranges;
  std::uint32_t index = 0;
  for (const fb::Parameter *parameter : Items(module.parameters())) {
    const std::string place = "parameter " + quoted(parameter->name(), index++) + ": ";
    if (parameter->name()->size() == 0)
      return invalidInput(place + "has no name");
    if (!names.insert(parameter->name()->string_view()).second)
      return invalidInput(place + "there are two of this name");
    if (parameter->dtype() != fb::DType::f32)
      return invalidInput(place + "parameters must be f32");
    const auto bytes = tensorBytes(parameter->dtype(), parameter->shape(), 1);
    if (!bytes)
      return invalidInput(place + "a size that is not positive, or is too large");
    const std::uint64_t size = module.plan()->parameter_bytes();
    if (parameter->offset() % ADJ_ALIGNMENT != 0 || Wide(parameter->offset()) + *bytes > size)
      return invalidInput(place + "offset " + text(parameter->offset()) + " is misaligned or leaves the parameters' " +
                          text(size) + " bytes");
    if (parameter->initializer() && !knownInitializer(parameter->initializer()->kind()->string_view()))
      return invalidInput(place + "unknown initializer '" + parameter->initializer()->kind()->str() + "'");
    ranges.push_back({parameter->offset(), parameter->offset() + *bytes, parameter->name()->string_view()});
  }
  std::sort(ranges.begin(), ranges.end(), [](const Range &a, const Range &b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].begin < ranges[i - 1].end)
      return invalidInput("parameter '" + std::string(ranges[i].name) + "': overlaps '" +
                          std::string(ranges[i - 1].name) + "'");
  return {};
}

/// "cpu", or "sm_", digits, and perhaps an a.
bool knownTarget(std::string_view name) {
  if (name == "cpu")
    return true;
  if (!name.starts_with("sm_"))
    return false;
  name.remove_prefix(3);
  if (name.ends_with('a'))
    name.remove_suffix(1);
  return name.size() >= 2 && name.size() <= 4 &&
         std::all_of(name.begin(), name.end(), [](char digit) { return digit >= '0' && digit <= '9'; });
}

/// What a kernel's code is and how it is launched, by the module's target.
Status code(const fb::Kernel &kernel, const fb::Blob &blob, bool cpu, const std::string &place) {
  const std::string_view kind = blob.kind() ? blob.kind()->string_view() : std::string_view();
  if (cpu ? kind != "shared-object" : kind != "ptx" && kind != "cubin")
    return invalidInput(place + "its code in blob " + text(kernel.blob()) + " is '" + std::string(kind) + "', not " +
                        (cpu ? "a shared-object" : "ptx or a cubin"));
  if (cpu) {
    if (kernel.threads() || kernel.shared_bytes())
      return invalidInput(place + "threads and shared memory of a block, but the target is the cpu");
    return {};
  }
  if (kernel.threads() < 1 || kernel.threads() > ADJ_PTX_MOST_THREADS)
    return invalidInput(place + "a block of " + text(kernel.threads()) + " threads; there must be 1 to " +
                        text(ADJ_PTX_MOST_THREADS));
  if (kernel.shared_bytes() > ADJ_PTX_MOST_SHARED_BYTES)
    return invalidInput(place + text(kernel.shared_bytes()) + " bytes of shared memory; no GPU has that much");
  if (kernel.operand_count() > ADJ_PTX_MOST_OPERANDS)
    return invalidInput(place + text(kernel.operand_count()) + " operands; a kernel on a GPU takes at most " +
                        text(ADJ_PTX_MOST_OPERANDS));
  return {};
}

Status kernels(const fb::Module &module) {
  std::unordered_set<std::string_view> names;
  const std::string_view target = module.target()->name()->string_view();
  if (!knownTarget(target))
    return invalidInput("target: '" + std::string(target) + "' is not known (cpu, sm_80, sm_90, sm_90a, sm_100)");
  const bool cpu = target == "cpu";
  std::uint32_t index = 0;
  for (const fb::Kernel *kernel : Items(module.kernels())) {
    const std::string place = "kernel " + quoted(kernel->name(), index++) + ": ";
    if (kernel->name()->size() == 0 || !names.insert(kernel->name()->string_view()).second)
      return invalidInput(place + "has no name, or there are two of this name");
    if (kernel->blob() >= Items(module.blobs()).size())
      return invalidInput(place + "its code is in blob " + text(kernel->blob()) + " of " +
                          text(Items(module.blobs()).size()));
    ADJ_RETURN_IF_ERROR(code(*kernel, *module.blobs()->Get(kernel->blob()), cpu, place));
  }
  return {};
}

} // namespace

Status plan(const fb::Module &module) {
  if (module.target()->abi_version() != ADJ_ABI_VERSION)
    return invalidInput("target: kernels of ABI version " + text(module.target()->abi_version()) +
                        ", but this runtime calls version " + text(ADJ_ABI_VERSION) +
                        "; compile the spec with the adjc of this release");
  if (!validDType(module.dtype()))
    return invalidInput("module: unknown dtype");
  ADJ_RETURN_IF_ERROR(numbers(*module.plan()));
  ADJ_RETURN_IF_ERROR(arena(*module.plan()));
  ADJ_RETURN_IF_ERROR(staging(*module.plan()));
  ADJ_RETURN_IF_ERROR(carries(*module.plan()));
  ADJ_RETURN_IF_ERROR(parameters(module));
  return kernels(module);
}

} // namespace adjrt::verify
