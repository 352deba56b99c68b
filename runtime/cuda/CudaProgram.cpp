#include "CudaProgram.h"
#include "adjrt/abi.h"

#include <functional>

namespace adjrt::cuda {
namespace {

/// The loader lets no other dtype of a product through.
Element element(fb::DType dtype) { return dtype == fb::DType::bf16 ? Element::bf16 : Element::f32; }

Status checkPitch(const program::Copy &copy, const Context &context) {
  if (std::max(copy.sourceStride, copy.destinationStride) > context.properties().maxPitch)
    return failed("rows are further apart than the " + std::to_string(context.properties().maxPitch) +
                  " bytes that a copy takes");
  return {};
}

/// Calls that which fits the operation.
template <typename... F> struct Overloaded : F... {
  using F::operator()...;
};

std::string place(std::uint32_t block, std::uint32_t command, const std::string &name) {
  return "block " + std::to_string(block) + ", command " + std::to_string(command) +
         (name.empty() ? "" : " (" + name + ")");
}

} // namespace

CudaProgram::CudaProgram(const fb::Program &program)
    : name(program.name()->str()), commands(program), arguments(commands.mostOperands() + ADJ_PTX_COUNTS) {
  for (std::uint64_t &argument : arguments)
    pointers.push_back(&argument);
}

Expected<CudaProgram> CudaProgram::make(const fb::Program &program) {
  CudaProgram result(program);
  for (std::uint32_t i = 0; i < result.commands.blocks().size(); ++i) {
    const program::Block &block = result.commands.blocks()[i];
    for (std::uint32_t j = 0; j < block.commands.size(); ++j) {
      const program::Command &command = block.commands[j];
      const std::string where = "program '" + result.name + "', " + place(i, j, command.name) + ": ";
      if (!std::holds_alternative<program::Dispatch>(command.operation) && usesSlots(command))
        result.recordable = false;
      if (const auto *copy = std::get_if<program::Copy>(&command.operation))
        if (copy->sourceStride < copy->width || copy->destinationStride < copy->width)
          return invalidInput(where + "a copy of rows that overlap, which a GPU does not do");
    }
  }
  return result;
}

Status CudaProgram::run(const Machine &machine, const Bindings &bindings) {
  if (!recordable || !machine.graphs || machine.synchronous || machine.timer)
    return runEach(machine, bindings);
  Recordings::Entry *entry = recordings.find(Recordings::keyOf(machine.arena, machine.host, bindings));
  if (!entry)
    return runEach(machine, bindings);
  if (!entry->recording)
    ADJ_RETURN_IF_ERROR(record(machine, bindings, *entry));
  return replay(machine, bindings, *entry->recording);
}

Status CudaProgram::add(StreamGraph &graph, const program::Command &command, const Machine &machine,
                        const program::Scope &scope) {
  return std::visit(Overloaded{[&](const program::Transfer &transfer) -> Status {
                                 if (const auto copy = copyOf(transfer, machine, scope))
                                   return graph.addTransfer(transfer.toHost, machine.streams[transfer.toHost], copy);
                                 graph.addEmptyTransfer(transfer.toHost);
                                 return {};
                               },
                               [&](const program::Await &await) { return graph.await(await.toHost, await.behind); },
                               [&](const auto &operation) -> Status {
                                 ADJ_RETURN_IF_ERROR(graph.record());
                                 return run(operation, machine, scope);
                               }},
                    command.operation);
}

Status CudaProgram::record(const Machine &machine, const Bindings &bindings, Recordings::Entry &entry) {
  auto recording = std::make_unique<Recording>(machine.context);
  StreamGraph &graph = recording->graph;
  ADJ_RETURN_IF_ERROR(commands.walk(bindings, [&](const program::Command &command, const program::Scope &scope) {
    const auto add = [&]() -> Status {
      if (usesSlots(command)) {
        ADJ_ASSIGN_OR_RETURN(const KernelLaunch launch,
                             prepare(std::get<program::Dispatch>(command.operation), machine, scope));
        recording->varying.push_back({&command, scope});
        return graph.add(launch);
      }
      return this->add(graph, command, machine, scope);
    };
    const Status status = add();
    return status ? status : tl::unexpected<Error>(annotate(status.error(), machine, command, scope));
  }));
  if (const Status status = graph.finish(); !status)
    return tl::unexpected<Error>(status.error().in("program '" + name + "'"));
  recording->bound = bindings;
  entry.recording = std::move(recording);
  return {};
}

Status CudaProgram::replay(const Machine &machine, const Bindings &bindings, Recording &recording) {
  if (recording.bound.base != bindings.base) {
    for (std::size_t i = 0; i < recording.varying.size(); ++i) {
      auto &[command, scope] = recording.varying[i];
      scope.base = bindings.base;
      const auto set = [&]() -> Status {
        ADJ_ASSIGN_OR_RETURN(const KernelLaunch launch,
                             prepare(std::get<program::Dispatch>(command->operation), machine, scope));
        return recording.graph.set(i, launch);
      };
      if (const Status status = set(); !status)
        return tl::unexpected<Error>(annotate(status.error(), machine, *command, scope));
    }
    recording.bound = bindings;
  }
  const Status status = recording.graph.launch();
  return status ? status : tl::unexpected<Error>(status.error().in("program '" + name + "'"));
}

Expected<double> CudaProgram::timeAlone(const Machine &machine, const Bindings &bindings, const CommandPlace &place,
                                        int times) {
  const Filter wanted = [&](const program::Scope &scope) {
    return scope.block == place.block && scope.command == place.command;
  };
  // The first pass by itself: libraries choose their algorithms in it.
  ADJ_RETURN_IF_ERROR(runEach(machine, bindings, wanted));
  StreamGraph graph(machine.context);
  const bool replayed = machine.graphs && !machine.synchronous;
  if (replayed) {
    ADJ_RETURN_IF_ERROR(commands.walk(bindings, [&](const program::Command &command, const program::Scope &scope) {
      const Status status = wanted(scope) ? add(graph, command, machine, scope) : Status();
      return status ? status : tl::unexpected<Error>(annotate(status.error(), machine, command, scope));
    }));
    ADJ_RETURN_IF_ERROR(graph.finish());
    ADJ_RETURN_IF_ERROR(graph.launch());
  }
  CommandTimer timer(machine.context);
  ADJ_RETURN_IF_ERROR(timer.begin());
  for (int i = 0; i < times; ++i)
    ADJ_RETURN_IF_ERROR(replayed ? graph.launch() : runEach(machine, bindings, wanted));
  ADJ_RETURN_IF_ERROR(timer.mark({bindings.base, bindings.batch, bindings.tokens, 0}));
  double seconds = 0;
  ADJ_RETURN_IF_ERROR(
      timer.report(place.program, [&](const CommandTiming &timing) { seconds = timing.end - timing.begin; }));
  return seconds / times;
}

Status CudaProgram::runEach(const Machine &machine, const Bindings &bindings, const Filter &wanted) {
  const auto queue = [&](bool toHost) -> TransferQueue & { return *machine.queues[toHost]; };
  const Status status =
      commands.walk(bindings, [&](const program::Command &command, const program::Scope &scope) -> Status {
        if (wanted && !wanted(scope))
          return {};
        Status status =
            std::visit(Overloaded{[&](const program::Transfer &transfer) {
                                    return runTransfer(transfer, machine, scope, queue(transfer.toHost));
                                  },
                                  [&](const program::Await &await) { return queue(await.toHost).await(await.behind); },
                                  [&](const auto &operation) { return run(operation, machine, scope); }},
                       command.operation);
        if (const auto *transfer = std::get_if<program::Transfer>(&command.operation);
            transfer && status && machine.synchronous)
          status = queue(transfer->toHost).await(0);
        if (status && machine.synchronous)
          status = machine.context.wait();
        if (status && machine.timer && !std::holds_alternative<program::Transfer>(command.operation))
          status = machine.timer->mark(scope);
        return status ? status : tl::unexpected<Error>(annotate(status.error(), machine, command, scope));
      });
  for (bool toHost : {false, true}) // after an error too: the next run counts its transfers from none
    if (const Status ended = queue(toHost).await(0); status && !ended)
      return tl::unexpected<Error>(ended.error().in("program '" + name + "'"));
  return status;
}

Error CudaProgram::annotate(const Error &error, const Machine &machine, const program::Command &command,
                            const program::Scope &scope) const {
  std::string what = "gemm";
  if (const auto *dispatch = std::get_if<program::Dispatch>(&command.operation))
    what = "kernel '" + machine.kernels.name(dispatch->kernel) + "'";
  else if (std::holds_alternative<program::Copy>(command.operation))
    what = "copy";
  else if (std::holds_alternative<program::Fill>(command.operation))
    what = "fill";
  else if (const auto *transfer = std::get_if<program::Transfer>(&command.operation))
    what = transfer->toHost ? "transfer to the host" : "transfer to the device";
  else if (const auto *await = std::get_if<program::Await>(&command.operation))
    what = await->toHost ? "await of transfers to the host" : "await of transfers to the device";
  return error.in(what).in("program '" + name + "', " + place(scope.block, scope.command, command.name) + ", layer " +
                           std::to_string(scope.layer));
}

Expected<KernelLaunch> CudaProgram::prepare(const program::Dispatch &command, const Machine &machine,
                                            const program::Scope &scope) {
  const std::int64_t groups = scope.value(command.groups);
  std::size_t count = 0;
  for (const program::Reference &operand : command.operands)
    arguments[count++] = machine.arena + scope.offset(operand);
  for (std::int64_t value : {scope.batch, scope.tokens, scope.rows, groups})
    arguments[count++] = static_cast<std::uint64_t>(value);
  return machine.kernels.prepare(command.kernel, groups, std::span(pointers).first(count));
}

Status CudaProgram::run(const program::Dispatch &command, const Machine &machine, const program::Scope &scope) {
  ADJ_ASSIGN_OR_RETURN(const KernelLaunch launch, prepare(command, machine, scope));
  return machine.kernels.launch(launch);
}

Status CudaProgram::run(const program::Gemm &command, const Machine &machine, const program::Scope &scope) {
  const Product product{scope.value(command.m),
                        scope.value(command.n),
                        scope.value(command.k),
                        command.lda,
                        command.ldb,
                        command.ldc,
                        command.transposeA,
                        command.transposeB,
                        command.accumulate,
                        element(command.dtype),
                        element(command.output)};
  return machine.blas.multiply(product, machine.arena + scope.offset(command.a),
                               machine.arena + scope.offset(command.b), machine.arena + scope.offset(command.c));
}

Status CudaProgram::run(const program::Copy &command, const Machine &machine, const program::Scope &scope) {
  const Driver &api = machine.context.driver();
  const Stream stream = machine.context.stream();
  const auto rows = static_cast<std::uint64_t>(scope.value(command.rows));
  const Address source = machine.arena + scope.offset(command.source),
                destination = machine.arena + scope.offset(command.destination);
  if (command.width == 0)
    return {};
  const auto end = [&](Address begin, std::uint64_t stride) { return begin + (rows - 1) * stride + command.width; };
  if (end(source, command.sourceStride) > destination && end(destination, command.destinationStride) > source)
    return failed("source and destination overlap");
  const bool dense = command.sourceStride == command.width && command.destinationStride == command.width;
  if (rows == 1 || dense)
    return api.check(api.copyOnDevice(destination, source, rows * command.width, stream), "cuMemcpyDtoDAsync");
  ADJ_RETURN_IF_ERROR(checkPitch(command, machine.context));
  Copy2D copy;
  copy.sourceType = copy.destinationType = kMemoryDevice;
  copy.source = source;
  copy.sourcePitch = command.sourceStride;
  copy.destination = destination;
  copy.destinationPitch = command.destinationStride;
  copy.width = command.width;
  copy.height = rows;
  return api.check(api.copyRows(&copy, stream), "cuMemcpy2DAsync");
}

std::function<Status(Stream)> CudaProgram::copyOf(const program::Transfer &command, const Machine &machine,
                                                  const program::Scope &scope) {
  const std::optional<program::Scope> there = scope.shifted(command.layerShift);
  if (!there)
    return nullptr;
  const program::Copy &rows = command.rows;
  const std::uint64_t source = there->offset(rows.source), destination = there->offset(rows.destination);
  const Address arena = machine.arena + (command.toHost ? source : destination);
  std::byte *host = machine.host + (command.toHost ? destination : source);
  const auto count = static_cast<std::uint64_t>(there->value(rows.rows));
  return [=, &context = machine.context, &rows, toHost = command.toHost](Stream stream) -> Status {
    const Driver &api = context.driver();
    if (count == 1 || (rows.sourceStride == rows.width && rows.destinationStride == rows.width)) {
      const std::uint64_t bytes = count * rows.width;
      return toHost ? api.check(api.copyToHost(host, arena, bytes, stream), "cuMemcpyDtoHAsync")
                    : api.check(api.copyToDevice(arena, host, bytes, stream), "cuMemcpyHtoDAsync");
    }
    ADJ_RETURN_IF_ERROR(checkPitch(rows, context));
    Copy2D copy;
    copy.sourceType = toHost ? kMemoryDevice : kMemoryHost;
    copy.destinationType = toHost ? kMemoryHost : kMemoryDevice;
    (toHost ? copy.source : copy.destination) = arena;
    if (toHost)
      copy.destinationHost = host;
    else
      copy.sourceHost = host;
    copy.sourcePitch = rows.sourceStride;
    copy.destinationPitch = rows.destinationStride;
    copy.width = rows.width;
    copy.height = count;
    return api.check(api.copyRows(&copy, stream), "cuMemcpy2DAsync");
  };
}

Status CudaProgram::runTransfer(const program::Transfer &command, const Machine &machine, const program::Scope &scope,
                                TransferQueue &queue) {
  const std::function<Status(Stream)> copy = copyOf(command, machine, scope);
  if (copy && machine.timer) {
    const CommandTiming timing{0,
                               scope.block,
                               scope.command,
                               scope.layer,
                               scope.batch,
                               scope.tokens,
                               scope.rows,
                               0,
                               0,
                               command.toHost ? Queue::ToHost : Queue::ToDevice,
                               scope.bytes(command)};
    return queue.add([&](Stream stream) { return machine.timer->transfer(timing, stream, copy); });
  }
  if (copy)
    return queue.add(copy);
  queue.addEmpty();
  return {};
}

Status CudaProgram::run(const program::Fill &command, const Machine &machine, const program::Scope &scope) {
  const Driver &api = machine.context.driver();
  return api.check(api.fill(machine.arena + scope.offset(command.destination), 0,
                            static_cast<std::uint64_t>(scope.value(command.bytes)), machine.context.stream()),
                   "cuMemsetD8Async");
}

} // namespace adjrt::cuda
