// Where a verb's output goes: streams of its own, so that tests read them.
#ifndef ADJC_TOOLS_ADJRUN_CONSOLE_H
#define ADJC_TOOLS_ADJRUN_CONSOLE_H

#include <ostream>

namespace adjrun {

struct Console {
  std::ostream &out;
  std::ostream &err;
  bool terminal = false; ///< `err` is a terminal: a progress bar may redraw its line
};

} // namespace adjrun

#endif
