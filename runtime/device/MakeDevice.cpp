#include "adjrt/device/Device.h"
#include "cpu/CpuDevice.h"

namespace adjrt {

Expected<std::unique_ptr<Device>> makeDevice(std::string_view spec, const DeviceOptions &options) {
  if (spec == "cpu")
    return cpu::CpuDevice::make(options.threads);
  return invalidInput("device '" + std::string(spec) + "' is not known; there is: cpu");
}

} // namespace adjrt
