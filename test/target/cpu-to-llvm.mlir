// RUN: adj-opt --adj-lower-kernels --adj-cpu-to-llvm %s | FileCheck %s

// The exported entry unpacks a const adj_kernel_args * and calls the internal body.
// CHECK-LABEL: llvm.func @residual(
// CHECK-SAME:    %[[ARGS:.*]]: !llvm.ptr)
// CHECK:         %[[BUFFERS:.*]] = llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK-COUNT-3: llvm.load {{.*}} -> !llvm.ptr
// CHECK-COUNT-5: llvm.load {{.*}} -> i64
// CHECK:         llvm.call @residual.body
// CHECK:       llvm.func internal @residual.body(
// CHECK-SAME:    !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: i64
// CHECK:         llvm.fadd {{.*}} {fastmathFlags = #llvm.fastmath<contract>} : vector<16xf32>
//              LLVM leaves the remainder loop as it is: an attribute of the branch at its end.
// CHECK:         llvm.br {{.*}} {loop_annotation = #{{.*}}}
adj.kernel @residual {
^bb0(%a: tensor<?x?x40xf32>, %b: tensor<?x?x40xf32>):
  %y = ssm.residual %a, %b : tensor<?x?x40xf32>
  adj.yield %y : tensor<?x?x40xf32>
}
