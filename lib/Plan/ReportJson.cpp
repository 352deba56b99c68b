//===- ReportJson.cpp - --emit=plan -------------------------------------------------------------------------------===//
#include "adjc/Plan/Report.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
namespace json = llvm::json;

namespace adjc {

static json::Array layoutAsJson(const Layout &layout) {
  json::Array list;
  for (const LayoutEntry &entry : layout.entries()) {
    json::Array shape;
    for (int64_t size : entry.type.getShape())
      shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
    list.push_back(json::Object{{"name", entry.name},
                                {"shape", std::move(shape)},
                                {"layers", entry.layers},
                                {"bytes", entry.bytes},
                                {"offset", entry.offset},
                                {"layer_stride", entry.layerStride}});
  }
  return list;
}

/// The whole program, command by command. Bytes and seconds are of a full shard.
static json::Object timelineAsJson(const Timeline &timeline, int64_t copies) {
  json::Array commands, buffers;
  for (const TimelineCommand &command : timeline.commands) {
    json::Object held;
    for (unsigned use = 0; use < kBufferUses; ++use)
      held[nameOf(static_cast<BufferUse>(use))] = command.held[use];
    commands.push_back(json::Object{{"name", command.name},
                                    {"op", command.op},
                                    {"kind", nameOf(command.kind)},
                                    {"place", command.place},
                                    {"layers", command.layers},
                                    {"mini_sequences", command.inMini},
                                    {"seconds", command.seconds},
                                    {"held", std::move(held)}});
  }
  for (const TimelineBuffer &buffer : timeline.buffers)
    buffers.push_back(json::Object{{"name", buffer.name},
                                   {"place", buffer.place},
                                   {"use", nameOf(buffer.use)},
                                   {"offset", buffer.offset},
                                   {"size", buffer.bytes},
                                   {"layers", buffer.layers},
                                   {"first", static_cast<int64_t>(buffer.first)},
                                   {"last", static_cast<int64_t>(buffer.last)}});
  return json::Object{{"name", timeline.program},
                      {"copies", copies},
                      {"commands", std::move(commands)},
                      {"arena", std::move(buffers)},
                      {"peak_command", static_cast<int64_t>(timeline.peakCommand())}};
}

static json::Object candidateAsJson(const Candidate &candidate) {
  const Plan &plan = candidate.plan;
  return json::Object{
      {"shard", plan.shard},
      {"mini_sequence", plan.miniSequence},
      {"boundaries", plan.boundaries},
      {"policy", policyOf(plan)},
      {"peak_bytes", candidate.peak},
      {"seconds", candidate.seconds},
      {"tokens_per_second", static_cast<double>(plan.batch) * static_cast<double>(plan.context) / candidate.seconds}};
}

static json::Object costAsJson(const PlanReport &report) {
  const CallCost &cost = report.cost;
  json::Array kinds;
  for (unsigned kind = 0; kind < kWorkKinds; ++kind)
    if (cost.by.kind[kind] > 0)
      kinds.push_back(json::Object{{"kind", nameOf(static_cast<WorkKind>(kind))},
                                   {"seconds", cost.by.kind[kind]},
                                   {"bytes", cost.by.bytes[kind]},
                                   {"flop", cost.by.flops[kind]}});
  json::Object ops;
  for (auto &[op, seconds] : cost.by.op)
    ops[op] = seconds;
  return json::Object{{"machine", report.machine->target},
                      {"machine_description", report.machine->description},
                      {"tokens", cost.tokens},
                      {"seconds", cost.seconds},
                      {"tokens_per_second", cost.tokensPerSecond()},
                      {"forward_runs", cost.forwards},
                      {"forward_seconds", cost.forwardSeconds},
                      {"gradient_runs", cost.gradients},
                      {"gradient_seconds", cost.gradientSeconds},
                      {"once_seconds", cost.otherSeconds},
                      {"by_kind", std::move(kinds)},
                      {"by_op", std::move(ops)}};
}

static json::Array alternativesAsJson(const Alternatives &alternatives, uint64_t budget) {
  json::Array list;
  for (const Alternative &alternative : alternatives.list) {
    json::Object entry = candidateAsJson(alternative.candidate);
    entry["choice"] = alternative.choice;
    entry["value"] = alternative.value;
    entry["fits"] = alternative.candidate.peak <= budget;
    entry["chosen"] = alternative.chosen;
    list.push_back(std::move(entry));
  }
  return list;
}

static json::Array budgetsAsJson(const Alternatives &alternatives) {
  json::Array list;
  for (const BudgetOffer &offer : alternatives.budgets) {
    json::Object entry;
    if (offer.best)
      entry = candidateAsJson(*offer.best);
    entry["budget"] = offer.budget;
    entry["works"] = offer.best.has_value();
    entry["asked"] = offer.asked;
    entry["smallest"] = offer.smallest;
    list.push_back(std::move(entry));
  }
  return list;
}

static json::Object peakAsJson(const PlanReport &report) {
  const Timeline &timeline = report.peakTimeline();
  if (timeline.commands.empty())
    return {};
  size_t number = timeline.peakCommand();
  const TimelineCommand &command = timeline.commands[number];
  json::Array holders;
  for (const TimelineBuffer *buffer : timeline.heldAt(number))
    holders.push_back(json::Object{{"name", buffer->name},
                                   {"place", buffer->place},
                                   {"use", nameOf(buffer->use)},
                                   {"bytes", buffer->bytes},
                                   {"layers", buffer->layers}});
  return json::Object{
      {"program", timeline.program}, {"command", static_cast<int64_t>(number)}, {"name", command.name},
      {"place", command.place},      {"held_bytes", command.heldBytes()},       {"holders", std::move(holders)}};
}

std::string reportAsJson(const PlanReport &report) {
  const MemoryPlan &memory = *report.memory;
  const Plan &plan = memory.plan;
  json::Object holdings;
  for (const Holding &holding : report.holdings)
    holdings[holding.name] = holding.bytes;
  json::Array programs;
  for (auto [timeline, program] : llvm::zip(report.timelines, memory.programs))
    programs.push_back(timelineAsJson(timeline, static_cast<int64_t>(program.copies.size())));
  json::Array tape;
  for (const TapeChoice &choice : plan.tape)
    tape.push_back(json::Object{{"value", choice.name}, {"keep", stringifyKeep(choice.keep)}, {"bytes", choice.bytes}});
  json::Object root{{"spec", report.spec},
                    {"batch", plan.batch},
                    {"shard", plan.shard},
                    {"context", plan.context},
                    {"shards", plan.shards()},
                    {"mini_sequence", plan.miniSequence},
                    {"budget", plan.budget},
                    {"policy", plan.policy},
                    {"tape", std::move(tape)},
                    {"boundaries", plan.boundaries},
                    {"optimizer", plan.adamw ? "adamw" : "none"},
                    {"dtype", plan.dtype},
                    {"parameter_bytes", memory.parameters.bytes()},
                    {"working_copy_bytes", memory.workingCopies.bytes()},
                    {"fixed_bytes", memory.fixedBytes},
                    {"host_bytes", report.prediction.host},
                    {"boundary_bytes", memory.carries.bytes()},
                    {"boundary_slots", report.prediction.slots},
                    {"process_bytes", plan.processBytes()},
                    {"arena_bytes", report.prediction.arena},
                    {"predicted_peak_bytes", report.prediction.peak},
                    {"holdings", std::move(holdings)},
                    {"peak", peakAsJson(report)},
                    {"predicted", costAsJson(report)},
                    {"alternatives", alternativesAsJson(report.alternatives, plan.budget)},
                    {"budgets", budgetsAsJson(report.alternatives)},
                    {"parameters", layoutAsJson(memory.parameters)},
                    {"carries", layoutAsJson(memory.carries)},
                    {"programs", std::move(programs)}};
  return llvm::formatv("{0:2}\n", json::Value(std::move(root))).str();
}

} // namespace adjc
