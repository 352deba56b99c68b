#include "adjc/Driver/Driver.h"

#include <cstdio>

int adjc::runAdjc(int argc, const char *const *argv) {
  std::string printed;
  adjrt::Expected<DriverOptions> options = parseOptions(argc, argv, printed);
  if (options && !printed.empty()) {
    std::fputs(printed.c_str(), stdout);
    return 0;
  }
  adjrt::Status status = options ? compile(*options) : adjrt::Status(tl::unexpected<adjrt::Error>(options.error()));
  if (status)
    return 0;
  std::fprintf(stderr, "adjc: error: %s\n", status.error().message.c_str());
  return status.error().kind == adjrt::ErrorKind::InvalidInput ? 2 : 1;
}
