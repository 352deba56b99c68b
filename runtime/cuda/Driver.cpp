#include "Driver.h"
#include "Library.h"

namespace adjrt::cuda {

Expected<std::shared_ptr<const Driver>> Driver::open() {
  ADJ_ASSIGN_OR_RETURN(const Library library,
                       Library::open({"libcuda.so.1"}, "install NVIDIA's driver, or choose another --device"));
  auto driver = std::make_shared<Driver>();
#define ADJRT_LOAD(member, symbol, ...) ADJ_RETURN_IF_ERROR(library.load(#symbol, driver->member));
#define ADJRT_LOAD_OPTIONAL(member, symbol, ...) library.loadIfPresent(#symbol, driver->member);
  ADJRT_DRIVER_FUNCTIONS(ADJRT_LOAD)
  ADJRT_DRIVER_OPTIONAL_FUNCTIONS(ADJRT_LOAD_OPTIONAL)
#undef ADJRT_LOAD
#undef ADJRT_LOAD_OPTIONAL
  if (const Status status = driver->check(driver->init(0), "cuInit"); !status)
    return invalidInput("no GPU can be used (" + status.error().message + "); choose another --device");
  return driver;
}

Status Driver::check(Result result, const char *call) const {
  if (result == kSuccess)
    return {};
  const char *name = nullptr, *text = nullptr;
  errorName(result, &name);
  errorText(result, &text);
  return failed(std::string(call) + ": " + (name ? name : "error " + std::to_string(result)) + " (" +
                (text ? text : "unknown to the driver") + ")");
}

} // namespace adjrt::cuda
