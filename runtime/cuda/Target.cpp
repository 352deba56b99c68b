#include "Target.h"

#include <charconv>

namespace adjrt::cuda {
namespace {

bool hasMachineCode(const fb::Module &module) {
  for (std::uint32_t i = 0; module.blobs() && i < module.blobs()->size(); ++i)
    if (const auto *kind = module.blobs()->Get(i)->kind(); kind && kind->string_view() == "cubin")
      return true;
  return false;
}

} // namespace

Status checkTarget(const fb::Module &module, const std::string &device, const GpuProperties &gpu) {
  const std::string name = module.target()->name()->str();
  const std::string here = device + " (" + gpu.name + ")";
  if (name == "cpu")
    return invalidInput("target: the module was compiled for the cpu, not for " + here +
                        "; choose --device cpu, or compile the spec with --target=sm_" + std::to_string(gpu.major) +
                        std::to_string(gpu.minor));
  int wanted = 0; // the loader has verified the name's form: sm_, digits, and perhaps an a
  const char *end = std::from_chars(name.data() + 3, name.data() + name.size(), wanted).ptr;
  const bool exact = end != name.data() + name.size();
  const int capability = gpu.major * 10 + gpu.minor;
  const bool runs = exact                    ? wanted == capability
                    : hasMachineCode(module) ? wanted / 10 == gpu.major && wanted <= capability
                                             : wanted <= capability;
  if (!runs)
    return invalidInput("target: the module was compiled for " + name + ", but " + here + " has compute capability " +
                        std::to_string(gpu.major) + "." + std::to_string(gpu.minor) +
                        "; compile the spec with --target=sm_" + std::to_string(capability));
  return {};
}

} // namespace adjrt::cuda
