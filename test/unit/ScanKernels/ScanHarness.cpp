//===- ScanHarness.cpp - compiles scans and their adjoints and runs them on plain arrays ------------------------===//
#include "ScanHarness.h"

#include "adj/AdjDialect.h"
#include "adj/AdjOps.h"
#include "adjc/Kernels/KernelGrid.h"
#include "adjc/Kernels/Passes.h"
#include "adjc/Target/CPU/CpuTarget.h"
#include "adjrt/abi.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "ssm/SsmOps.h"
#include "gtest/gtest.h"

#include <dlfcn.h>
#include <limits>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;

//===----------------------------------------------------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------------------------------------------------===//

static std::string list(const std::string &dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? std::string(", ") : std::string()) + dims[i];
  return text + "]";
}

static std::string typeOf(const ScanCase &scan, const std::string &dims) {
  std::string text = "tensor<";
  for (char dim : dims)
    text += (dim == 'b' || dim == 't' ? std::string("?") : std::to_string(scan.sizes.at(dim))) + "x";
  return text + "f32>";
}

std::string ScanCase::dims() const {
  std::string all = "bt" + state;
  for (auto [dim, size] : sizes)
    if (all.find(dim) == std::string::npos)
      all += dim;
  return all;
}

std::string ScanCase::text(bool) const {
  std::string arguments, ins, types, scalars, outs, outTypes, results;
  for (const ScanOperand &input : inputs) {
    std::string comma = arguments.empty() ? "" : ", ";
    arguments += comma + "%in_" + input.name + ": " + typeOf(*this, input.dims);
    ins += comma + "%in_" + input.name + " as " + list(input.dims);
    types += comma + typeOf(*this, input.dims);
    scalars += "%" + input.name + ": f32, ";
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::string comma = i ? ", " : "";
    outs += comma + list(outputs[i].dims);
    outTypes += comma + typeOf(*this, outputs[i].dims);
    results += comma + "%y#" + std::to_string(i);
  }
  return "adj.kernel @forward {\n^bb0(" + arguments + "):\n  %y:" + std::to_string(outputs.size()) +
         " = ssm.scan over " + list(dims()) + " state " + list(state) +
         (contracted ? std::string(" contracted ") + contracted + " of " + contracts : "") + " : f32\n    ins(" + ins +
         " : " + types + ")\n    outs(" + outs + " : " + outTypes + ")\n    step {\n    ^bb0(" + scalars +
         "%reset: i1):\n" + step + "    } read {\n    ^bb0(" + scalars + "%h: f32, %reset: i1):\n" + read +
         "    }\n  adj.yield " + results + " : " + outTypes + "\n}\n";
}

//===----------------------------------------------------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------------------------------------------------===//

/// Gives @forward its checkpoints, carries and (if `resets`) resets, and adds @adjoint beside it.
static LogicalResult buildKernels(ModuleOp module, bool withResets) {
  auto forward = cast<adj::KernelOp>(module.getBody()->front());
  MLIRContext *context = module.getContext();
  IRRewriter rewriter(context);
  Location loc = forward.getLoc();
  auto scan = *forward.getBody().getOps<ssm::ScanOp>().begin();
  scan.augmentForward(rewriter);
  scan = *forward.getBody().getOps<ssm::ScanOp>().begin();
  Type stateType = scan.getStateTensorType(), checkpointsType = scan.getCheckpoints().getType();
  auto flags = RankedTensorType::get({ShapedType::kDynamic, ShapedType::kDynamic}, rewriter.getI8Type());

  // @adjoint(inputs, cotangents, checkpoints, state cotangent, resets)
  rewriter.setInsertionPointAfter(forward);
  auto adjoint = adj::KernelOp::create(rewriter, loc, "adjoint", nullptr, /*accumulate=*/false);
  Block &body = adjoint.getBody().emplaceBlock();
  IRMapping mapping;
  for (Value input : scan.getInputs())
    mapping.map(input, body.addArgument(input.getType(), loc));
  SmallVector<Value> cotangents;
  for (Value output : scan.getOutputs())
    cotangents.push_back(body.addArgument(output.getType(), loc));
  Value checkpoints = body.addArgument(checkpointsType, loc);
  Value stateCotangent = body.addArgument(stateType, loc);
  Value resets = withResets ? Value(body.addArgument(flags, loc)) : Value();
  rewriter.setInsertionPointToStart(&body);
  auto copy = cast<ssm::ScanOp>(rewriter.clone(*scan, mapping));
  SmallVector<Value> allCotangents(cotangents);
  allCotangents.resize(copy->getNumResults());
  if (failed(copy.buildAdjoint(rewriter, allCotangents)))
    return failure();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isa<adj::SumPartialsOp>(op))
      rewriter.eraseOp(&op);
  auto reverse = *body.getOps<adj::ScanAdjointOp>().begin();
  rewriter.replaceAllUsesWith(copy.getCheckpoints(), checkpoints);
  rewriter.eraseOp(copy);
  SmallVector<Value> carried;
  rewriter.setInsertionPointToEnd(&body);
  auto yield = adj::YieldOp::create(rewriter, loc, reverse.getInputCotangents());
  if (failed(reverse.attachCarries(rewriter, stateCotangent, resets, carried)))
    return failure();
  yield->insertOperands(yield->getNumOperands(), carried);

  // @forward(inputs, initial, resets) -> outputs, final, checkpoints
  Block &source = forward.getBody().front();
  Value initial = source.addArgument(stateType, loc);
  Value forwardResets = withResets ? Value(source.addArgument(flags, loc)) : Value();
  carried.clear();
  if (failed(scan.attachCarries(rewriter, initial, forwardResets, carried)))
    return failure();
  carried.push_back((*source.getOps<ssm::ScanOp>().begin()).getCheckpoints());
  source.getTerminator()->insertOperands(source.getTerminator()->getNumOperands(), carried);
  return verify(module);
}

static void setRowStrides(adj::KernelOp kernel, int64_t padding) {
  Block &body = kernel.getBody().front();
  SmallVector<int64_t> strides;
  auto add = [&](Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    int64_t size = 1;
    for (int64_t extent : type.getShape())
      size *= ShapedType::isDynamic(extent) ? 1 : extent;
    strides.push_back(size + (type.getElementType().isF32() ? padding : 0));
  };
  llvm::for_each(body.getArguments(), add);
  llvm::for_each(body.getTerminator()->getOperands(), add);
  kernel.setRowStrides(strides);
}

struct ScanKernels::Library {
  void *handle = nullptr;
  adj_cpu_kernel forward = nullptr, adjoint = nullptr;
  ~Library() {
    if (handle)
      dlclose(handle);
  }
};

ScanKernels::~ScanKernels() = default;

std::unique_ptr<ScanKernels> ScanKernels::compile(const ScanCase &scan, bool withResets, int64_t padding) {
  DialectRegistry registry;
  registry.insert<arith::ArithDialect, math::MathDialect, ssm::SsmDialect, adj::AdjDialect, func::FuncDialect>();
  adjc::registerCpuTranslations(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(scan.text(withResets), &context);
  if (!module || failed(buildKernels(*module, withResets))) {
    ADD_FAILURE() << "does not build:\n" << scan.text(withResets);
    return nullptr;
  }
  std::unique_ptr<ScanKernels> result(new ScanKernels);
  result->scan = scan;
  result->withResets = withResets;
  result->padding = padding;
  for (adj::KernelOp kernel : module->getOps<adj::KernelOp>()) {
    setRowStrides(kernel, padding);
    FailureOr<adjc::KernelGrid> grid = adjc::getKernelGrid(kernel, adjc::KernelTarget::Cpu);
    EXPECT_TRUE(succeeded(grid) && grid->unit == adjc::GridUnit::Batch && grid->block == 1);
    if (succeeded(grid))
      result->groups = grid->factor;
  }
  PassManager manager(&context);
  manager.addPass(adjc::createAdjLowerKernels());
  if (failed(manager.run(*module))) {
    ADD_FAILURE() << "does not lower";
    return nullptr;
  }
  llvm::Expected<adjc::CpuTarget> cpu = adjc::resolveCpu("native");
  EXPECT_TRUE(static_cast<bool>(cpu));
  FailureOr<std::vector<char>> object = adjc::compileForCpu(*module, *cpu);
  if (failed(object)) {
    ADD_FAILURE() << "does not compile";
    return nullptr;
  }
  int file = memfd_create("scan-kernels", 0);
  EXPECT_EQ(write(file, object->data(), object->size()), static_cast<ssize_t>(object->size()));
  result->library = std::make_unique<Library>();
  result->library->handle = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  close(file);
  if (!result->library->handle) {
    ADD_FAILURE() << dlerror();
    return nullptr;
  }
  result->library->forward = reinterpret_cast<adj_cpu_kernel>(dlsym(result->library->handle, "forward"));
  result->library->adjoint = reinterpret_cast<adj_cpu_kernel>(dlsym(result->library->handle, "adjoint"));
  return result;
}

//===----------------------------------------------------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------------------------------------------------===//

int64_t ScanArray::size() const {
  int64_t size = 1;
  for (int64_t extent : shape)
    size *= extent;
  return size;
}

float &ScanArray::at(int64_t index) { return data[index / rowSize * stride + index % rowSize]; }

ScanArray ScanKernels::make(const std::string &dims, const Run &run, bool padded) const {
  ScanArray array;
  bool rows = dims.rfind("bt", 0) == 0;
  array.rowSize = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    array.shape.push_back(dims[i] == 'b' ? run.batch : dims[i] == 't' ? run.tokens : scan.sizes.at(dims[i]));
    if (!rows || i >= 2)
      array.rowSize *= array.shape.back();
  }
  array.stride = array.rowSize + (rows && padded ? padding : 0);
  array.data.assign(array.size() / array.rowSize * array.stride, std::numeric_limits<float>::quiet_NaN());
  return array;
}

ScanKernels::Run ScanKernels::makeRun(int64_t batch, int64_t tokens) const {
  Run run;
  run.batch = batch;
  run.tokens = tokens;
  for (const ScanOperand &input : scan.inputs) {
    run.inputs.push_back(make(input.dims, run, true));
    run.inputCotangents.push_back(make(input.dims, run, true));
  }
  for (const ScanOperand &output : scan.outputs) {
    run.outputs.push_back(make(output.dims, run, true));
    run.cotangents.push_back(make(output.dims, run, true));
  }
  run.initial = run.final = run.stateCotangent = run.nextStateCotangent = make("b" + scan.state, run, false);
  run.resets.assign(batch * tokens, 0);
  return run;
}

void ScanKernels::call(const char *name, int64_t groups, std::vector<void *> buffers, const Run &run) {
  adj_cpu_kernel kernel = std::string(name) == "forward" ? library->forward : library->adjoint;
  // Groups may run in any order: run them in the least usual one.
  for (int64_t group = groups; group-- > 0;) {
    adj_kernel_args arguments{buffers.data(), run.batch, run.tokens, run.batch * run.tokens, group, group + 1};
    kernel(&arguments);
  }
}

void ScanKernels::forward(Run &run) {
  checkpoints.assign(run.initial.size() * ((run.tokens + 15) / 16), std::numeric_limits<float>::quiet_NaN());
  std::vector<void *> buffers;
  for (ScanArray &input : run.inputs)
    buffers.push_back(input.data.data());
  buffers.push_back(run.initial.data.data());
  if (withResets)
    buffers.push_back(run.resets.data());
  for (ScanArray &output : run.outputs)
    buffers.push_back(output.data.data());
  buffers.push_back(run.final.data.data());
  buffers.push_back(checkpoints.data());
  call("forward", run.batch * groups, buffers, run);
}

int64_t ScanKernels::countPartials(const std::string &dims) const {
  auto lacks = [&](char dim) { return dims.find(dim) == std::string::npos; };
  int64_t blocks = groups, parts = 1;
  bool any = lacks(scan.lane);
  for (char dim : scan.grouped) {
    blocks /= scan.sizes.at(dim);
    any |= lacks(dim);
    parts *= lacks(dim) ? scan.sizes.at(dim) : 1;
  }
  return any ? parts * (lacks(scan.lane) ? blocks : 1) : 0;
}

void ScanKernels::adjoint(Run &run) {
  std::vector<void *> buffers;
  for (ScanArray &input : run.inputs)
    buffers.push_back(input.data.data());
  for (ScanArray &cotangent : run.cotangents)
    buffers.push_back(cotangent.data.data());
  buffers.push_back(checkpoints.data());
  buffers.push_back(run.stateCotangent.data.data());
  if (withResets)
    buffers.push_back(run.resets.data());
  // Partial sums have a leading dimension of groups (without the lane or a grouped dimension) and of sequences (without
  // the batch).
  std::vector<std::vector<float>> partials(scan.inputs.size());
  for (size_t i = 0; i < scan.inputs.size(); ++i) {
    const std::string &dims = scan.inputs[i].dims;
    bool batchless = dims.find('b') == std::string::npos;
    int64_t parts = countPartials(dims);
    bool direct = parts == 0 && !batchless;
    parts = std::max<int64_t>(parts, 1) * (batchless ? run.batch : 1);
    if (!direct)
      partials[i].assign(run.inputCotangents[i].size() * parts, std::numeric_limits<float>::quiet_NaN());
    buffers.push_back(direct ? run.inputCotangents[i].data.data() : partials[i].data());
  }
  buffers.push_back(run.nextStateCotangent.data.data());
  call("adjoint", run.batch * groups, buffers, run);
  for (size_t i = 0; i < scan.inputs.size(); ++i) {
    if (partials[i].empty())
      continue;
    int64_t size = run.inputCotangents[i].size();
    for (int64_t k = 0; k < size; ++k) {
      double sum = 0;
      for (size_t part = 0; part < partials[i].size() / size; ++part)
        sum += partials[i][part * size + k];
      run.inputCotangents[i].at(k) = static_cast<float>(sum);
    }
  }
}
