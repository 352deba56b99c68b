// What a module's commands are called in tables.
#ifndef ADJC_TOOLS_ADJRUN_COMMANDNAMES_H
#define ADJC_TOOLS_ADJRUN_COMMANDNAMES_H

#include "adjrt/device/Device.h"
#include "adjrt/module/Module.h"

#include <string>

namespace adjrun {

const adjrt::fb::Command &commandAt(const adjrt::Module &module, const adjrt::CommandPlace &place);

/// Of a dispatch the operation that its kernel computes; of another command what it is: "gemm", "copy", "transfer".
std::string kindOf(const adjrt::Module &module, const adjrt::fb::Command &command);

/// The kernel's name, or "gemm rows x 64 x 32".
std::string describe(const adjrt::Module &module, const adjrt::fb::Command &command);

/// Its place in the spec.
std::string placeOf(const adjrt::fb::Command &command);

/// Multiplications and additions of a product that ran so; 0 of another command.
double flopsOf(const adjrt::fb::Command &command, const adjrt::CommandTiming &timing);

} // namespace adjrun

#endif
