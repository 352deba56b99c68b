// Formatting the JSON line.
#include "RunReport.h"

#include <nlohmann/json.hpp>

std::string adjrun::formatRunReport(const Evaluation &evaluation, std::int64_t batch, std::int64_t tokens,
                                    const MemoryFigures &memory, const std::string &device) {
  nlohmann::ordered_json line;
  std::int64_t count = batch * tokens;
  line["loss"] = evaluation.loss;
  line["tokens"] = count;
  line["seconds"] = evaluation.seconds;
  line["tokens_per_second"] = evaluation.seconds > 0 ? static_cast<double>(count) / evaluation.seconds : 0.0;
  line["arena_bytes"] = memory.arena;
  line["peak_bytes"] = memory.peak;
  line["predicted_peak_bytes"] = memory.predictedPeak;
  line["host_bytes"] = memory.host;
  line["device"] = device;
  line["ranks"] = {{{"rank", 0},
                    {"arena_bytes", memory.arena},
                    {"peak_bytes", memory.peak},
                    {"predicted_peak_bytes", memory.predictedPeak},
                    {"host_bytes", memory.host}}};
  // A device's name is the system's to choose: bytes that are not UTF-8 are replaced rather than thrown about.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}
