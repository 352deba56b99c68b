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

// A quotient is a product with a reciprocal, which all that is divided by y share.
// CHECK-LABEL: func.func @quotients(
// CHECK:         %[[INVERSE:.*]] = arith.divf %{{.*}}, %arg2 fastmath<contract,afn> : f32
// CHECK-NEXT:    arith.mulf %arg0, %[[INVERSE]] fastmath<contract> : f32
// CHECK:         arith.mulf %arg1, %
func.func @quotients(%x: f32, %z: f32, %y: f32) -> (f32, f32) {
  %a = arith.divf %x, %y : f32
  %b = arith.divf %z, %y : f32
  return %a, %b : f32, f32
}

// Softplus is max(x, 0) + log1p(e^-|x|): between 0 and 1 the logarithm is the polynomial alone.
// CHECK-LABEL: func.func @softplus(
// CHECK:         math.exp2
// CHECK-NOT:     {{lg2|divf|select|cmpf}}
// CHECK:         return
func.func @softplus(%x: f32) -> f32 {
  %zero = arith.constant 0.0 : f32
  %n = arith.negf %x : f32
  %m = arith.minimumf %n, %x : f32
  %e = math.exp %m : f32
  %l = math.log1p %e : f32
  %p = arith.maximumf %x, %zero : f32
  %s = arith.addf %p, %l : f32
  return %s : f32
}

// Of another exponential only the sign is known.
// CHECK-LABEL: func.func @log1p_of_exp(
// CHECK-NOT:     divf
// CHECK:         lg2.approx
// CHECK:         return
func.func @log1p_of_exp(%x: f32) -> f32 {
  %e = math.exp %x : f32
  %l = math.log1p %e : f32
  return %l : f32
}
