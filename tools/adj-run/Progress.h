// How far a training run is: a bar on a terminal, lines elsewhere.
#ifndef ADJC_TOOLS_ADJRUN_PROGRESS_H
#define ADJC_TOOLS_ADJRUN_PROGRESS_H

#include "Console.h"

#include <chrono>
#include <cstdint>

namespace adjrun {

class Progress {
public:
  /// `tokensPerStep` over the whole batch.
  Progress(Console &console, std::int64_t steps, std::int64_t tokensPerStep);

  /// After step `step` (from 1 on). On a terminal the bar is redrawn, at most ten times a second; elsewhere about 20
  /// lines are printed in all, to the standard output.
  void report(std::int64_t step, double loss);
  /// Ends the bar's line.
  void finish();
  [[nodiscard]] double seconds() const;
  [[nodiscard]] double tokensPerSecond(std::int64_t step) const;

private:
  void draw(std::int64_t step, double loss);

  Console &console;
  std::int64_t steps, tokensPerStep, interval;
  std::chrono::steady_clock::time_point begin, drawn;
};

} // namespace adjrun

#endif
