// RUN: adj-opt --pass-pipeline='builtin.module(func.func(adj-expand-math{gpu=true}))' %s | FileCheck %s

// An exponential is a multiplication and the special-function units' 2^x; so is a division theirs. The rest becomes arithmetic, as on the CPU.
// CHECK-LABEL: func.func @functions(
// CHECK:         %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK:         %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[LOG2E]] fastmath<contract> : f32
// CHECK-NEXT:    math.exp2 %[[SCALED]] fastmath<contract,afn> : f32
// CHECK-NOT:     {{math\.(exp |log1p|rsqrt|fma)}}
// CHECK:         math.sqrt %{{.*}} fastmath<contract> : f32
// CHECK-NEXT:    arith.divf {{.*}} fastmath<contract,afn> : f32
// CHECK-NOT:     reassoc
func.func @functions(%x: f32) -> f32 {
  %a = math.exp %x : f32
  %b = math.log1p %a : f32
  %c = math.rsqrt %b : f32
  return %c : f32
}

// CHECK-LABEL: func.func @power_of_two(
// CHECK-NEXT:    math.exp2 %{{.*}} fastmath<contract,afn> : f32
// CHECK-NEXT:    return
func.func @power_of_two(%x: f32) -> f32 {
  %y = math.exp2 %x : f32
  return %y : f32
}
