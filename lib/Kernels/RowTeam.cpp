//===- RowTeam.cpp - rows that threads of a GPU hold in registers -----------------------------------------------===//
#include "RowTeam.h"

using namespace mlir;
using namespace adjc;
using arith::CmpIPredicate;

RowTeam::RowTeam(KernelContext &context, int64_t channels, int64_t width)
    : context(context), b(context.b), channels(channels), width(width),
      threads(getTeams(channels) > 1 ? warpThreads : gpuThreads), pieces(llvm::divideCeil(channels, width * threads)),
      lanes(context.b, width, /*aligned=*/true) {}

void RowTeam::forTeams(int64_t rowsPerTeam, function_ref<void(Value, Value, Value)> body) {
  int64_t teams = getTeams(channels);
  context.forGroups([&](Value group) {
    Value team = group;
    if (teams > 1)
      team = b.add(b.mul(group, b.index(teams)), b.div(b.threadNumber(), b.index(warpThreads)));
    Value first = b.mul(team, b.index(rowsPerTeam));
    Value last = b.min(b.add(first, b.index(rowsPerTeam)), context.rows);
    // A block that is one team has rows: it would not have been launched.
    if (teams == 1)
      return body(team, first, last);
    b.ifThen(b.compare(CmpIPredicate::slt, first, context.rows), [&] { body(team, first, last); });
  });
}

Value RowTeam::channelOf(unsigned piece) {
  Value thread = b.threadNumber();
  if (threads != gpuThreads)
    thread = b.remainder(thread, b.index(threads));
  return b.mul(b.add(thread, b.index(piece * threads)), b.index(width));
}

Value RowTeam::hasPiece(unsigned piece, Value channel) {
  return (piece + 1) * threads * width <= channels ? Value()
                                                   : b.compare(CmpIPredicate::slt, channel, b.index(channels));
}

SmallVector<SmallVector<Value>> RowTeam::gather(unsigned count,
                                                function_ref<SmallVector<Value>(const Lanes &, Value)> body) {
  SmallVector<SmallVector<Value>> all;
  for (unsigned piece = 0; piece < pieces; ++piece) {
    Value channel = channelOf(piece), has = hasPiece(piece, channel);
    auto read = [&] { return body(lanes, channel); };
    SmallVector<Type> types(count, lanes.type(b.getF32Type()));
    all.push_back(has ? b.ifElse(types, has, read, [&] { return SmallVector<Value>(count, lanes.constant(0)); })
                      : read());
  }
  return all;
}

void RowTeam::forPieces(function_ref<void(const Lanes &, Value, unsigned)> body) {
  for (unsigned piece = 0; piece < pieces; ++piece) {
    Value channel = channelOf(piece);
    if (Value has = hasPiece(piece, channel))
      b.ifThen(has, [&] { body(lanes, channel, piece); });
    else
      body(lanes, channel, piece);
  }
}

SmallVector<Value> RowTeam::sum(ArrayRef<Value> vectors) {
  auto mine = llvm::map_to_vector(
      vectors, [&](Value vector) { return width > 1 ? reduceVector(b, Reduction::Sum, vector) : vector; });
  return threads == warpThreads ? reduceWarp(b, Reduction::Sum, mine) : reduceThreads(b, Reduction::Sum, mine);
}
