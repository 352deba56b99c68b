// RUN: adj-opt --pass-pipeline='builtin.module(func.func(adj-expand-math))' %s | FileCheck %s

// Functions become arithmetic, which may contract but not be reordered; what is an instruction stays.
// CHECK-LABEL: func.func @functions(
// CHECK-NOT:     {{math\.(exp|log1p|rsqrt|fma)}}
// CHECK:         arith.mulf {{.*}} fastmath<contract> : vector<16xf32>
// CHECK-NOT:     {{math\.(exp|log1p|rsqrt|fma)}}
// CHECK:         math.sqrt
// CHECK-NOT:     reassoc
func.func @functions(%x: vector<16xf32>) -> vector<16xf32> {
  %a = math.exp %x : vector<16xf32>
  %b = math.log1p %a : vector<16xf32>
  %c = math.rsqrt %b : vector<16xf32>
  return %c : vector<16xf32>
}

// A sine keeps its digits near the zeros: the argument less k times the parts of pi/2, then a polynomial; the sign and the
// function are chosen by the quadrant.
// CHECK-LABEL: func.func @sine(
// CHECK:         %[[K:.*]] = math.roundeven
// CHECK:         arith.mulf %[[K]], %{{.*}} fastmath<contract> : f32
// CHECK:         arith.minimumf
// CHECK-COUNT-2: arith.select
// CHECK-NOT:     math.sin
func.func @sine(%x: f32) -> f32 {
  %y = math.sin %x : f32
  return %y : f32
}

// 2^x is 2^k times an exponential of at most log(2) / 2.
// CHECK-LABEL: func.func @power_of_two(
// CHECK:         %[[K:.*]] = math.roundeven
// CHECK:         arith.fptosi
// CHECK:         arith.bitcast
// CHECK-NOT:     math.exp
func.func @power_of_two(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp2 %x : vector<16xf32>
  return %y : vector<16xf32>
}
