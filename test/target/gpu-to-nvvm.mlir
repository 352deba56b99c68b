// RUN: adj-opt --adj-lower-kernels=target=gpu --adj-gpu-to-nvvm %s | FileCheck %s

// A kernel keeps its name; its pointers are bare, to global memory; shared memory is one global of that address space.
// CHECK:       llvm.mlir.global private @adj_shared() {addr_space = 3 : i32, alignment = 16 : i64}
// CHECK-LABEL: llvm.func @residual(
// CHECK-SAME:    %{{[^:]*}}: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %{{[^:]*}}: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %{{[^:]*}}: !llvm.ptr<1> {llvm.noalias},
// CHECK-SAME:    %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64)
// CHECK-SAME:    nvvm.kernel, nvvm.maxntid = array<i32: 256>
// CHECK-DAG:     nvvm.read.ptx.sreg.ctaid.x
// CHECK-DAG:     nvvm.read.ptx.sreg.ctaid.y
// CHECK-DAG:     nvvm.read.ptx.sreg.nctaid.x
// CHECK:         nvvm.read.ptx.sreg.tid.x
// CHECK:         llvm.fadd {{.*}} {fastmathFlags = #llvm.fastmath<contract>} : f32
// CHECK-NOT:     {{gpu\.|builtin\.unrealized}}
adj.kernel @residual {
^bb0(%a: tensor<?x?x40xf32>, %b: tensor<?x?x40xf32>):
  %y = ssm.residual %a, %b : tensor<?x?x40xf32>
  adj.yield %y : tensor<?x?x40xf32>
}

// CHECK-LABEL: llvm.func @norm(
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK:         nvvm.barrier0
// CHECK:         llvm.store %{{.*}} : f32, !llvm.ptr<3>
// CHECK:         nvvm.barrier0
// CHECK:         llvm.load %{{.*}} : !llvm.ptr<3> -> f32
adj.kernel @norm {
^bb0(%x: tensor<?x?x2048xf32>, %w: tensor<2048xf32>):
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x2048xf32>, tensor<2048xf32>) -> tensor<?x?x2048xf32>
  adj.yield %y : tensor<?x?x2048xf32>
}
