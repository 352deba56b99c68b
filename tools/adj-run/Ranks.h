// How many processes a launcher started.
#ifndef ADJC_TOOLS_ADJRUN_RANKS_H
#define ADJC_TOOLS_ADJRUN_RANKS_H

#include "adjrt/support/Status.h"

namespace adjrun {

/// InvalidInput when a launcher (mpirun, torchrun) started more than one process: each would do the whole work.
adjrt::Status refuseSeveralRanks();

} // namespace adjrun

#endif
