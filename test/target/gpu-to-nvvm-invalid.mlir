// RUN: adj-opt --adj-gpu-to-nvvm --split-input-file --verify-diagnostics %s

func.func @no_instruction(%x: f32) -> f32 {
  // expected-error @+1 {{of 'f32' is not an instruction of a GPU, and adj-expand-math spells no such function}}
  %y = math.asin %x : f32
  return %y : f32
}

// -----

// Only f32 has the special-function units.
func.func @double_precision(%x: f64) -> f64 {
  // expected-error @+1 {{of 'f64' is not an instruction of a GPU}}
  %y = math.exp2 %x : f64
  return %y : f64
}
