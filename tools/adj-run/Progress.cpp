// Drawing progress.
#include "Progress.h"

#include <algorithm>
#include <iomanip>
#include <sstream>
#include <string>

using namespace adjrun;
using Clock = std::chrono::steady_clock;

Progress::Progress(Console &console, std::int64_t steps, std::int64_t tokensPerStep)
    : console(console), steps(steps), tokensPerStep(tokensPerStep), interval(std::max<std::int64_t>(1, steps / 20)),
      begin(Clock::now()) {}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double Progress::tokensPerSecond(std::int64_t step) const {
  return static_cast<double>(step) * static_cast<double>(tokensPerStep) / std::max(seconds(), 1e-9);
}

void Progress::draw(std::int64_t step, double loss) {
  constexpr std::int64_t kWidth = 30;
  std::int64_t filled = kWidth * step / steps;
  std::ostringstream line;
  line << "\r[" << std::string(static_cast<std::size_t>(filled), '#')
       << std::string(static_cast<std::size_t>(kWidth - filled), '.') << "] step " << step << "/" << steps << "  loss "
       << std::fixed << std::setprecision(4) << loss << "  " << std::setprecision(0) << tokensPerSecond(step)
       << " tokens/s   ";
  console.err << line.str() << std::flush;
}

void Progress::report(std::int64_t step, double loss) {
  if (console.terminal) {
    if (step == steps || Clock::now() - drawn > std::chrono::milliseconds(100)) {
      draw(step, loss);
      drawn = Clock::now();
    }
    return;
  }
  if (step != 1 && step != steps && step % interval != 0)
    return;
  std::ostringstream line;
  line << "step " << step << "/" << steps << "  loss " << std::fixed << std::setprecision(4) << loss << "  "
       << std::setprecision(0) << tokensPerSecond(step) << " tokens/s\n";
  console.out << line.str() << std::flush;
}

void Progress::finish() {
  if (console.terminal)
    console.err << std::endl;
}
