// The JSON line of grad and bench.
#ifndef ADJC_TOOLS_ADJRUN_RUNREPORT_H
#define ADJC_TOOLS_ADJRUN_RUNREPORT_H

#include "Evaluator.h"

#include <string>

namespace adjrun {

/// One line of JSON, without its line feed: loss, tokens (batch * T), seconds, tokens_per_second, arena_bytes,
/// peak_bytes, predicted_peak_bytes, device, and `ranks`, the memory figures of each rank.
std::string formatRunReport(const Evaluation &evaluation, std::int64_t batch, std::int64_t tokens,
                            const MemoryFigures &memory, const std::string &device);

} // namespace adjrun

#endif
