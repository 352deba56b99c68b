#include "adjc/Driver/Driver.h"

#include "adj/AdjOps.h"
#include "adjc/InitAll.h"
#include "adjc/Kernels/Passes.h"
#include "adjc/Module/ModelExporter.h"
#include "adjc/Module/ModuleWriter.h"
#include "adjc/Pipelines/Pipelines.h"
#include "adjc/Plan/Report.h"
#include "adjc/Plan/SpecPlace.h"
#include "adjc/Spec/LoadSpec.h"
#include "adjc/Target/CPU/CpuTarget.h"
#include "adjc/Target/GPU/GpuTarget.h"
#include "adjm_generated.h"
#include "adjrt/io/File.h"
#include "adjrt/module/Module.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "ssm/SsmOps.h"

#include <cstring>
#include <optional>

using namespace mlir;
using adjrt::invalidInput;

namespace adjc {

namespace {

/// Errors of passes as text: "file:line:column: what is wrong".
class Diagnostics {
public:
  explicit Diagnostics(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return success();
          add(diagnostic.getLocation(), diagnostic.str());
          for (const Diagnostic &note : diagnostic.getNotes())
            add(note.getLocation(), "note: " + note.str());
          return success();
        }) {}

  /// What was reported, as an error; a spec that can't be compiled is the spec's fault.
  tl::unexpected<adjrt::Error> error(const std::string &spec) const {
    return invalidInput(messages.empty() ? spec + ": cannot be compiled" : messages);
  }

private:
  void add(Location location, const std::string &text) {
    std::string place = placeOf(location);
    std::string line = place + (place.empty() ? "" : ": ") + text;
    if (StringRef(messages).contains(line))
      return;
    messages += (messages.empty() ? "" : "\n") + line;
  }

  std::string messages;
  ScopedDiagnosticHandler handler;
};

/// OUT: a file that appears only when all is done, or standard output.
class Output {
public:
  static adjrt::Expected<Output> create(const std::string &path) {
    Output output;
    if (path != "-") {
      ADJ_ASSIGN_OR_RETURN(auto file, adjrt::OutputFile::create(path));
      output.file.emplace(std::move(file));
    }
    return output;
  }

  adjrt::Status write(llvm::StringRef bytes) {
    if (!file) {
      bool complete = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0;
      return complete ? adjrt::Status() : adjrt::failed("standard output cannot be written");
    }
    ADJ_RETURN_IF_ERROR(file->writeAt(0, std::as_bytes(std::span(bytes.data(), bytes.size()))));
    return file->commit();
  }

private:
  std::optional<adjrt::OutputFile> file;
};

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out);
  out << "\n";
  return text;
}

/// The kernels alone, as functions on memrefs.
FailureOr<OwningOpRef<ModuleOp>> lowerKernels(ModuleOp planned, KernelTarget target) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(planned.getLoc());
  OpBuilder b = OpBuilder::atBlockEnd(kernels->getBody());
  for (auto kernel : planned.getOps<adj::KernelOp>())
    b.clone(*kernel);
  PassManager manager(planned.getContext());
  AdjLowerKernelsOptions options;
  options.target = target == KernelTarget::Gpu ? "gpu" : "cpu";
  manager.addPass(createAdjLowerKernels(options));
  if (mlir::failed(manager.run(*kernels)))
    return failure();
  return std::move(kernels);
}

int64_t vocabularyOf(ssm::ModelOp model) {
  int64_t vocabulary = 0;
  model.walk([&](Operation *op) {
    if (auto embedding = dyn_cast<ssm::EmbeddingOp>(op))
      vocabulary = std::max(vocabulary, cast<RankedTensorType>(embedding.getTable().getType()).getDimSize(0));
    if (auto loss = dyn_cast<ssm::LmLossOp>(op))
      vocabulary = std::max(vocabulary, cast<RankedTensorType>(loss.getWeight().getType()).getDimSize(0));
  });
  return vocabulary;
}

/// The loader's own checks, on what is about to be written.
adjrt::Status checkModule(const std::vector<char> &bytes, const std::string &name) {
  ADJ_ASSIGN_OR_RETURN(auto aligned, adjrt::AlignedBytes::allocate(bytes.size()));
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  auto module = adjrt::Module::parse(std::move(aligned), name);
  if (!module)
    return adjrt::failed(module.error().message +
                         " (the compiler wrote a module that its own loader refuses; please report it)");
  return {};
}

/// What kernels are compiled for: one of the two.
struct Target {
  std::optional<CpuTarget> cpu;
  std::optional<GpuTarget> gpu;

  KernelTarget kind() const { return gpu ? KernelTarget::Gpu : KernelTarget::Cpu; }
};

adjrt::Expected<Target> resolveTarget(const DriverOptions &options) {
  Target target;
  if (options.target == "cpu") {
    llvm::Expected<CpuTarget> cpu = resolveCpu(options.cpu);
    if (!cpu)
      return invalidInput("--cpu=" + options.cpu + ": " + llvm::toString(cpu.takeError()));
    target.cpu = std::move(*cpu);
    return target;
  }
  llvm::Expected<GpuTarget> gpu = resolveGpu(options.target);
  if (!gpu)
    return invalidInput("--target=" + options.target + ": " + llvm::toString(gpu.takeError()));
  target.gpu = std::move(*gpu);
  return target;
}

/// The code of lowered kernels, as the module file holds it. Fails with a diagnostic.
FailureOr<std::vector<char>> compileKernels(ModuleOp kernels, const Target &target) {
  if (target.cpu)
    return compileForCpu(kernels, *target.cpu);
  FailureOr<std::string> ptx = compileForGpu(kernels, *target.gpu);
  if (mlir::failed(ptx))
    return failure();
  return std::vector<char>(ptx->begin(), ptx->end());
}

/// What OUT will hold.
adjrt::Expected<std::string> produce(const DriverOptions &options, MLIRContext &context, const Target &target) {
  ADJ_ASSIGN_OR_RETURN(
      auto spec, loadSpec(context, options.spec, options.plan.dtype == "bf16" ? ComputeType::BF16 : ComputeType::F32));
  if (options.emit == Emit::Ssm)
    return print(*spec);
  Diagnostics diagnostics(&context);
  ModuleParts parts;
  auto model = *spec->getOps<ssm::ModelOp>().begin();
  parts.vocabulary = vocabularyOf(model);
  SmallVector<std::pair<std::string, Location>> parameters;
  model.walk([&](ssm::ParameterOp op) { parameters.push_back({op.getName().str(), op.getLoc()}); });
  if (options.emit == Emit::Module) {
    auto exported = exportModel(model);
    if (mlir::failed(exported))
      return diagnostics.error(options.spec);
    parts.model = std::move(*exported);
  }

  PassManager programs(&context);
  buildProgramsPipeline(programs, options.plan.dtype);
  if (mlir::failed(programs.run(*spec)))
    return diagnostics.error(options.spec);
  // What a report compares the plan with starts from here.
  bool reports = options.emit == Emit::Plan || options.emit == Emit::Report || options.emit == Emit::Html;
  OwningOpRef<ModuleOp> unplanned = reports ? cast<ModuleOp>((*spec)->clone()) : ModuleOp();
  PassManager policies(&context);
  buildPolicyPipeline(policies, options.plan);
  if (mlir::failed(policies.run(*spec)))
    return diagnostics.error(options.spec);
  if (options.emit == Emit::Adj)
    return print(*spec);

  PassManager kernelsPasses(&context);
  buildKernelsPipeline(kernelsPasses);
  if (mlir::failed(kernelsPasses.run(*spec)))
    return diagnostics.error(options.spec);
  FailureOr<Plan> plan = Plan::of(*spec);
  FailureOr<MemoryPlan> memory = mlir::failed(plan) ? FailureOr<MemoryPlan>() : planMemory(*spec, *plan);
  if (mlir::failed(memory))
    return diagnostics.error(options.spec);
  for (auto &[name, location] : parameters)
    if (!memory->parameters.find(name)) {
      emitError(location) << "parameter '" << name << "' does not reach the loss; remove it";
      return diagnostics.error(options.spec);
    }
  if (reports) {
    auto report = makeReport(options.spec, *unplanned, *spec, *memory, options.plan);
    if (!report && report.error().kind == adjrt::ErrorKind::InvalidInput)
      return tl::unexpected<adjrt::Error>(report.error());
    if (!report)
      return diagnostics.error(options.spec);
    return options.emit == Emit::Plan     ? reportAsJson(*report)
           : options.emit == Emit::Report ? reportAsText(*report)
                                          : reportAsHtml(*report);
  }

  if (mlir::failed(applyMemoryPlan(*spec, *memory)))
    return diagnostics.error(options.spec);
  auto kernels = listKernels(*spec, *plan);
  auto lowered = lowerKernels(*spec, target.kind());
  if (mlir::failed(kernels) || mlir::failed(lowered))
    return diagnostics.error(options.spec);
  readLaunchSizes(**lowered, *kernels);
  if (options.emit == Emit::Llvm) {
    FailureOr<std::string> text =
        target.cpu ? printCpuLLVM(**lowered, *target.cpu) : printGpuLLVM(**lowered, *target.gpu);
    return mlir::failed(text) ? adjrt::Expected<std::string>(diagnostics.error(options.spec)) : *text;
  }
  FailureOr<std::vector<char>> code = compileKernels(**lowered, target);
  if (mlir::failed(code))
    return diagnostics.error(options.spec);
  if (options.emit == Emit::Ptx)
    return std::string(code->begin(), code->end());

  parts.kernels = std::move(*kernels);
  parts.code = std::move(*code);
  parts.target = options.target;
  if (target.cpu) {
    parts.cpu = target.cpu->name;
    parts.features = target.cpu->features;
  }
  ADJ_ASSIGN_OR_RETURN(std::vector<char> bytes, writeModule(*spec, *memory, std::move(parts)));
  ADJ_RETURN_IF_ERROR(checkModule(bytes, options.output));
  return std::string(bytes.begin(), bytes.end());
}

} // namespace

adjrt::Status compile(const DriverOptions &options) {
  ADJ_ASSIGN_OR_RETURN(Target target, resolveTarget(options));
  // The spec first: a missing spec is the more useful message, and nothing is made for it.
  ADJ_RETURN_IF_ERROR(adjrt::InputFile::open(options.spec));
  if (options.output != "-")
    ADJ_RETURN_IF_ERROR(adjrt::checkDistinct(std::vector<adjrt::NamedPath>{{"-o", options.output}},
                                             std::vector<adjrt::NamedPath>{{"the spec", options.spec}}));
  ADJ_ASSIGN_OR_RETURN(Output output, Output::create(options.output));
  DialectRegistry registry;
  registerAllDialects(registry);
  registerCpuTranslations(registry);
  registerGpuTranslations(registry);
  MLIRContext context(registry);
  context.printOpOnDiagnostic(false);
  ADJ_ASSIGN_OR_RETURN(std::string bytes, produce(options, context, target));
  return output.write(bytes);
}

} // namespace adjc
