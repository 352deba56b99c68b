// What the commands of a gradient take by themselves, against what the whole of it takes.
#ifndef ADJC_TOOLS_ADJRUN_ALONE_H
#define ADJC_TOOLS_ADJRUN_ALONE_H

#include "Evaluator.h"

#include <map>
#include <ostream>
#include <tuple>

namespace adjrun {

/// Is told of one gradient (its actions and commands), then measures each of its commands alone.
class Alone {
public:
  Alone(const adjrt::Module &module, std::int64_t tokens) : module(module), tokens(tokens) {}

  /// A shard ran.
  void add(const adjrt::ActionTiming &timing);
  /// A command ran. Boundaries on their way are none of a program, and left out.
  void add(const adjrt::CommandTiming &timing);

  /// Run every command alone, `times` times as often as a shard does, for shards of each length there were.
  adjrt::Status measure(Evaluator &evaluator, const adjrt::TokenStream &stream, int times);

  /// The commands in the order of the programs, their kinds, and what products, recurrences and copies come to against
  /// a gradient of `whole` seconds.
  void print(std::ostream &out, double whole) const;

private:
  struct Line {
    std::uint64_t calls = 0;
    double inside = 0; ///< seconds in the gradient that was observed
    double alone = 0;  ///< as often as in it
    double flops = 0;  ///< of products

    Line &operator+=(const Line &other);
  };
  /// Program, block, command, tokens of the shard.
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::int64_t>;

  static void printHead(std::ostream &out, const std::string &name, const std::string &what);
  static void printLine(std::ostream &out, const std::string &name, const std::string &what, const Line &line,
                        double whole);

  const adjrt::Module &module;
  std::int64_t tokens; ///< T
  std::map<Key, Line> lines;
  std::map<std::pair<std::uint32_t, std::int64_t>, int> runs; ///< of a program, on so many tokens
};

} // namespace adjrun

#endif
