// What launchers say in the environment.
#include "Ranks.h"

#include <cstdlib>

using namespace adjrt;

Status adjrun::refuseSeveralRanks() {
  for (const char *variable : {"WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char *value = std::getenv(variable); value && std::atoi(value) > 1)
      return invalidInput(std::string(variable) + "=" + value +
                          ": running on several ranks is not built yet; start one process");
  return {};
}
