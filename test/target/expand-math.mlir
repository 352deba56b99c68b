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
