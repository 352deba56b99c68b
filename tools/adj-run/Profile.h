// Where the time of a module's commands goes: a table per command, and one per kind of command.
#ifndef ADJC_TOOLS_ADJRUN_PROFILE_H
#define ADJC_TOOLS_ADJRUN_PROFILE_H

#include "adjrt/device/Device.h"
#include "adjrt/module/Module.h"

#include <map>
#include <ostream>
#include <tuple>

namespace adjrun {

/// Adds up the timings that a device reports; layers, mini-sequences, shards and runs of one command are one line.
class Profile {
public:
  explicit Profile(const adjrt::Module &module) : module(module) {}

  void add(const adjrt::CommandTiming &timing);
  /// Forget what was added: the warm-up.
  void clear() { lines.clear(); }
  /// The lines in the order of the programs, then the kinds; times are those of one of `runs` runs.
  void print(std::ostream &out, int runs) const;

private:
  struct Line {
    std::uint64_t calls = 0;
    double seconds = 0;
    double flops = 0; ///< of products
  };
  /// Program, block, command.
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;

  const adjrt::fb::Command &command(const Key &key) const;

  const adjrt::Module &module;
  std::map<Key, Line> lines;
};

} // namespace adjrun

#endif
