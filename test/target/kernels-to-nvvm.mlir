// RUN: adj-opt --adj-kernels-to-nvvm %s | FileCheck %s

// One pass alone: the function keeps its name and becomes an entry for as many threads as it says; its rank-0 memrefs are plain pointers to global memory. A
// function that the special-function units have is one instruction, and so is a quotient 1 / x that may be approximate.
// CHECK-LABEL: llvm.func @reciprocal(
// CHECK-SAME:    %{{[^:]*}}: !llvm.ptr<1> {llvm.noalias}, %{{[^:]*}}: !llvm.ptr<1>, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64)
// CHECK-SAME:    adj.threads = 128 : i64, nvvm.kernel, nvvm.maxntid = array<i32: 128>
// CHECK-DAG:     nvvm.read.ptx.sreg.tid.x
// CHECK-DAG:     nvvm.read.ptx.sreg.ctaid.x
// CHECK:         llvm.load %{{.*}} : !llvm.ptr<1> -> f32
// CHECK:         llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"
// CHECK:         llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"
// CHECK:         nvvm.barrier0
// CHECK:         llvm.fdiv
// CHECK:         llvm.store %{{.*}} : f32, !llvm.ptr<1>
// What is left of the types is casts between index and i64, for reconcile-unrealized-casts.
// CHECK-NOT:     {{(gpu|memref|math|arith)\.[a-z]}}
func.func @reciprocal(%x: memref<f32, 1> {llvm.noalias}, %y: memref<f32, 1>, %batch: index, %tokens: index, %rows: index, %groups: index) attributes {adj.threads = 128 : i64} {
  %one = arith.constant 1.0 : f32
  %thread = gpu.thread_id x
  %block = gpu.block_id x
  %at = arith.addi %thread, %block : index
  %from = memref.reinterpret_cast %x to offset: [0], sizes: [%rows], strides: [1] : memref<f32, 1> to memref<?xf32, strided<[1]>, 1>
  %to = memref.reinterpret_cast %y to offset: [0], sizes: [%rows], strides: [1] : memref<f32, 1> to memref<?xf32, strided<[1]>, 1>
  %v = memref.load %from[%at] : memref<?xf32, strided<[1]>, 1>
  %e = math.exp2 %v : f32
  %approximate = arith.divf %one, %e fastmath<afn> : f32
  gpu.barrier
  %exact = arith.divf %one, %approximate : f32
  memref.store %exact, %to[%at] : memref<?xf32, strided<[1]>, 1>
  return
}
