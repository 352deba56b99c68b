//===- Machines.cpp - the rates of every target -----------------------------------------------------------------===//
//
// One table per target. A figure is measured (with which command, where, when) or from the vendor's documentation
// ("vendor"). To recalibrate the shares that kinds of kernels reach: benchmarks/predict.py --fit (docs/cost-model.md).
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "adjc/Plan/Cost/Machine.h"

using namespace mlir;

namespace adjc {

// In the order of WorkKind: products, recurrences, their adjoints, elementwise, norms, convolutions, embeddings,
// losses, sums, copies, transfers.

// The same kernels on every GPU: measured on sm_90, `adj-run bench --profile` of examples/mamba-1.4b.mlir, bf16, 65 536
// tokens in shards of 8192 (docs/performance.md), NVIDIA H100 80GB HBM3, 2026-11-22; benchmarks/predict.py --fit. But
// those of recurrences and their adjoints, which became faster since: the measured ones times 1.14 and 1.16
// (docs/cost-model.md).
static constexpr std::array<double, kWorkKinds> kGpuEfficiency{0.93, 0.66, 0.66, 0.91, 0.84, 0.54,
                                                               0.69, 0.35, 0.32, 0.88, 1};
// Recurrences: one number for all launches of a kind, 4 blocks of 256 threads, which `_states` has room for
// (TileLayout.cpp). Where a thread has two lanes, `_outputs` has 5 blocks of 128 threads (TileScan.cpp) and
// `_gradients` 2 (TileScanAdjoint.cpp, docs/gpu.md): in a shard of fewer blocks than this table asks for, these fill
// more of a processor than it says. Others: two blocks of 256 threads have loads enough under way.
static constexpr std::array<double, kWorkKinds> kGpuResidents{1, 4, 4, 2, 2, 2, 2, 1, 2, 2, 1};

// Measured: mamba-130m, f32, one shard of 2048 tokens (docs/performance.md, 2026-11-22): products 81 %, adjoint scans
// 9 %, scans 4 %, convolutions 2 %, pointwise chains 1.5 % of 10.3 s; all else together 2.5 %.
static constexpr std::array<double, kWorkKinds> kCpuEfficiency{1,    0.35, 0.21, 0.62, 0.21, 0.21,
                                                               0.21, 0.21, 0.21, 0.21, 1};
static constexpr std::array<double, kWorkKinds> kCpuResidents{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static constexpr Machine kMachines[] = {
    {
        .target = "cpu",
        .description = "two cores of an Intel Xeon at 2.50 GHz with AVX-512",
        // machine-rates 2 (benchmarks/MachineRates.cpp), 2026-11-22.
        .memory = 18.9e9,
        .cache = 25e9, // measured: numpy.copyto of arrays of 8 MB in two processes, the best of 3 s, the machine busy
        .cacheBytes = 32e6,    // lscpu: 35.8 MB, shared with other guests
        .products = 190e9,     // measured: docs/performance.md, 1.6 TFLOP in the 8.3 s of 10.3 that are products
        .bf16Products = 190e9, // operands are widened to f32
        .exponentials = 10.0e9,
        .operations = 153e9,
        .launch = 5e-6,
        .program = 20e-6,
        .link = 18.9e9 / 2, // there is no link: a copy in its own memory
        .processors = 2,
        .efficiency = kCpuEfficiency,
        .residents = kCpuResidents,
    },
    {
        .target = "sm_80",
        .description = "NVIDIA A100 80GB (rates from its data sheet, shares as measured on sm_90)",
        .memory = 0.89 * 2039e9,           // vendor: 2039 GB/s; the share that a copy reaches on sm_90
        .cache = 4e12,                     // vendor (GA100 whitepaper): 5120 bytes a clock, read
        .cacheBytes = 40e6,                // vendor
        .products = 19.5e12,               // vendor: f32 without tensor cores
        .bf16Products = 0.8 * 312e12,      // vendor: 312 TFLOP/s; the share that products reach on sm_90
        .exponentials = 108 * 16 * 1.41e9, // vendor: 16 a clock and processor
        .operations = 108 * 64 * 1.41e9,   // vendor: 64 f32 lanes a clock and processor
        .launch = 2.5e-6,
        .program = 60e-6,
        .link = 25e9, // vendor: PCIe 4.0 x16, 31.5 GB/s
        .processors = 108,
        .efficiency = kGpuEfficiency,
        .residents = kGpuResidents,
    },
    {
        .target = "sm_90",
        .description = "NVIDIA H100 80GB HBM3",
        .memory = 2.98e12,   // measured: a copy on the device, PyTorch 2.11, CUDA events, 2026-11-22
        .cache = 5.5e12,     // twice its memory's: vendor gives the L2's width, not a rate
        .cacheBytes = 50e6,  // vendor
        .products = 55.4e12, // measured: docs/performance.md, f32, 16 384 tokens: 87 % of 3.51 s, over the efficiency
        .bf16Products = 790e12,            // measured: PyTorch 2.11, large bf16 products, CUDA events, 2026-11-22
        .exponentials = 132 * 16 * 1.98e9, // vendor: 16 a clock and processor, 132 of them at 1980 MHz
        .operations = 132 * 128 * 1.98e9,  // vendor: four schedulers of 32 lanes
        .launch = 2.0e-6,                  // measured: adjrt-gpu-test in test/gpu/run.sh, a small command in a graph
        .program = 60e-6,
        .link = 50e9, // vendor: PCIe 5.0 x16, 63 GB/s
        .processors = 132,
        .efficiency = kGpuEfficiency,
        .residents = kGpuResidents,
    },
    {
        .target = "sm_100",
        .description = "NVIDIA B200 (rates from its data sheet, shares as measured on sm_90)",
        .memory = 0.89 * 8e12,         // vendor: 8 TB/s
        .cache = 14e12,                // as on sm_90, twice its memory's
        .cacheBytes = 126e6,           // vendor
        .products = 0.85 * 80e12,      // vendor: 80 TFLOP/s
        .bf16Products = 0.8 * 2250e12, // vendor: 2250 TFLOP/s, dense
        .exponentials = 148 * 16 * 1.965e9,
        .operations = 148 * 128 * 1.965e9,
        .launch = 2.0e-6,
        .program = 60e-6,
        .link = 50e9, // vendor: PCIe 5.0 x16, 63 GB/s
        .processors = 148,
        .efficiency = kGpuEfficiency,
        .residents = kGpuResidents,
    },
};

ArrayRef<Machine> Machine::all() { return kMachines; }

const Machine *Machine::find(StringRef target) {
  StringRef name = target == "sm_90a" ? "sm_90" : target;
  for (const Machine &machine : kMachines)
    if (machine.target == name)
      return &machine;
  return nullptr;
}

} // namespace adjc
