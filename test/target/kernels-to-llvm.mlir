// RUN: adj-opt --adj-kernels-to-llvm %s | FileCheck %s

// One pass alone, on a kernel whose loops are branches already: the body is internal and has plain pointers for its rank-0 memrefs; the entry takes its name, and
// reads the buffers' addresses, then the five sizes, off a const adj_kernel_args *.
// CHECK-LABEL: llvm.func @double(
// CHECK-SAME:    %[[ARGS:[^:]*]]: !llvm.ptr) {
// CHECK:         %[[FIRST:.*]] = llvm.getelementptr %[[ARGS]][0] : (!llvm.ptr) -> !llvm.ptr, i64
// CHECK:         %[[BUFFERS:.*]] = llvm.load %[[FIRST]] {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK:         llvm.getelementptr %[[BUFFERS]][0]
// CHECK:         llvm.getelementptr %[[BUFFERS]][1]
// CHECK-NOT:     %[[BUFFERS]]
// CHECK:         llvm.getelementptr %[[ARGS]][1]
// CHECK:         llvm.getelementptr %[[ARGS]][5]
// CHECK-NOT:     llvm.getelementptr
// CHECK:         llvm.call @double.body
// CHECK:       llvm.func internal @double.body(
// CHECK-SAME:    %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64, %{{[^:]*}}: i64)
// CHECK:         llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK:         llvm.fadd %{{.*}} : vector<16xf32>
// CHECK:         llvm.store %{{.*}} : vector<16xf32>, !llvm.ptr
// CHECK:         llvm.cond_br
// CHECK-NOT:     {{(memref|vector|cf|builtin)\.[a-z]}}
func.func @double(%x: memref<f32> {llvm.noalias}, %y: memref<f32>, %batch: index, %tokens: index, %rows: index, %first: index, %last: index) {
  %one = arith.constant 1 : index
  %zero = arith.constant 0 : index
  %from = memref.reinterpret_cast %x to offset: [0], sizes: [%rows, 16], strides: [16, 1] : memref<f32> to memref<?x16xf32, strided<[16, 1]>>
  %to = memref.reinterpret_cast %y to offset: [0], sizes: [%rows, 16], strides: [16, 1] : memref<f32> to memref<?x16xf32, strided<[16, 1]>>
  cf.br ^row(%first : index)
^row(%row: index):
  %v = vector.load %from[%row, %zero] : memref<?x16xf32, strided<[16, 1]>>, vector<16xf32>
  %w = arith.addf %v, %v : vector<16xf32>
  vector.store %w, %to[%row, %zero] : memref<?x16xf32, strided<[16, 1]>>, vector<16xf32>
  %next = arith.addi %row, %one : index
  %more = arith.cmpi slt, %next, %last : index
  cf.cond_br %more, ^row(%next : index), ^end
^end:
  return
}
