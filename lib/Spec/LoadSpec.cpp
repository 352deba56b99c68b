//===- LoadSpec.cpp - a model spec from a file ------------------------------------------------------------------===//
#include "adjc/Spec/LoadSpec.h"

#include "adjc/Import/MambaSpecWriter.h"
#include "ssm/SsmOps.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace adjc {
namespace {

/// `file:line:column: ` of a location, or nothing where none of its parts is in a file.
std::string place(Location location) {
  std::string text;
  location->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file)
      return WalkResult::advance();
    text =
        file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn()) + ": ";
    return WalkResult::interrupt();
  });
  return text;
}

/// Parses and verifies; the diagnostics become the error's message.
adjrt::Expected<OwningOpRef<ModuleOp>> parse(MLIRContext &context, std::unique_ptr<llvm::MemoryBuffer> buffer) {
  std::string messages;
  ScopedDiagnosticHandler collect(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
      messages += (messages.empty() ? "" : "\n") + place(diagnostic.getLocation()) + diagnostic.str();
      for (const Diagnostic &note : diagnostic.getNotes())
        messages += "\n" + place(note.getLocation()) + "note: " + note.str();
    }
    return success();
  });
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  if (!module)
    return adjrt::invalidInput(messages);
  return module;
}

/// What a spec says is exact: how values are stored is an option of the compiler, and the reference knows none.
adjrt::Status checkPrecision(ModuleOp module) {
  adjrt::Status status;
  module.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (getElementTypeOrSelf(type).isBF16()) {
        status =
            adjrt::invalidInput(place(op->getLoc()) + "a spec is in f32; --dtype=bf16 stores its activations in bf16");
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return status;
}

} // namespace

adjrt::Expected<OwningOpRef<ModuleOp>> loadSpec(MLIRContext &context, llvm::StringRef path, ComputeType computeType) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return adjrt::invalidInput(path.str() + ": cannot be read: " + file.getError().message() +
                               "; give an .mlir spec or a config.json");
  std::unique_ptr<llvm::MemoryBuffer> buffer = std::move(*file);
  if (path.ends_with_insensitive(".json")) {
    ADJ_ASSIGN_OR_RETURN(MambaConfig config, parseMambaConfig(buffer->getBuffer(), path.str(), computeType));
    buffer = llvm::MemoryBuffer::getMemBufferCopy(writeMambaSpec(config), path);
  }
  ADJ_ASSIGN_OR_RETURN(OwningOpRef<ModuleOp> module, parse(context, std::move(buffer)));
  auto models = module->getOps<ssm::ModelOp>();
  size_t count = std::distance(models.begin(), models.end());
  if (count != 1)
    return adjrt::invalidInput(path.str() + ": a spec holds exactly one ssm.model, found " + std::to_string(count));
  ADJ_RETURN_IF_ERROR(checkPrecision(*module));
  return module;
}

} // namespace adjc
