#include "cpu/CpuDevice.h"
#include "cuda/CudaDevice.h"

#include <charconv>

namespace adjrt {
namespace {

/// N of "cuda:N"; nothing for any other text.
std::optional<int> cudaOrdinal(std::string_view spec) {
  constexpr std::string_view prefix = "cuda:";
  if (!spec.starts_with(prefix))
    return std::nullopt;
  spec.remove_prefix(prefix.size());
  int ordinal = 0;
  const auto [end, error] = std::from_chars(spec.data(), spec.data() + spec.size(), ordinal);
  if (error != std::errc() || end != spec.data() + spec.size() || ordinal < 0)
    return std::nullopt;
  return ordinal;
}

} // namespace

Expected<std::unique_ptr<Device>> makeDevice(std::string_view spec, const DeviceOptions &options) {
  if (spec == "cpu")
    return cpu::CpuDevice::make(options.threads);
  if (const std::optional<int> ordinal = cudaOrdinal(spec)) {
    auto device = cuda::CudaDevice::make(*ordinal);
    if (!device)
      return tl::unexpected<Error>(device.error().in("device '" + std::string(spec) + "'"));
    return device;
  }
  return invalidInput("device '" + std::string(spec) + "' is not known; there are: cpu, cuda:N (N from 0)");
}

} // namespace adjrt
