// Everything that makes a scan wrong.

// RUN: adj-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{needs the batch, the token and at least one state dimension, found 2 dimension(s)}}
  %y = ssm.scan over [b, t] state [b] : f32
      ins(%x as [b, t] : tensor<?x?x4xf32>) outs([b, t] : tensor<?x?xf32>) step {
  ^bb0(%w: f32, %v: i1):
    ssm.yield %w, %w : f32, f32
  } read {
  ^bb0(%w: f32, %s: f32, %v: i1):
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{has two dimensions named 'd'}}
  %y = ssm.scan over [b, t, d, d] state [d] : f32
      ins(%x as [b, t, d], %A as [d, t] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{has no state dimension}}
  %y = ssm.scan over [b, t, d, n] state [] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{'t' is the token dimension, the first two dimensions are: it is no state dimension}}
  %y = ssm.scan over [b, t, d, n] state [t, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{'b' is the batch dimension, the first two dimensions are: it is no state dimension}}
  %y = ssm.scan over [b, t, d, n] state [d, b] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{lists state dimension 'n' twice}}
  %y = ssm.scan over [b, t, d, n] state [n, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{the contracted dimension must be one of its own beside the state's, found number 2}}
  %y = ssm.scan over [b, t, d, n] state [d, n] contracted d of n : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{the contracted dimension 'n' must be a copy of a state dimension, found number 0}}
  %y = ssm.scan over [b, t, d, n] state [d] contracted n of b : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{the state must be f32 or complex<f32>, found 'f64'}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f64
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{the map of input 1 names 'd' twice}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, d] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{the map of output 0 has 't' at place 0; tensors are token-major: 'b' comes first, and 't' follows it}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([t, b, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{the map of input 1 has 'b' at place 1; tensors are token-major}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, b] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xcomplex<f32>>) {
  // expected-error@+1 {{input 1 is complex, 'tensor<4x2xcomplex<f32>>'; pass real and imaginary part as two inputs and join them with complex.create}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xcomplex<f32>>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf64>) {
  // expected-error@+1 {{input 1 must hold f32 or bf16, found 'tensor<4x2xf64>'}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf64>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{input 1 has rank 2, its map names 1 dimension(s)}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<?x2xf32>) {
  // expected-error@+1 {{input 1, 'tensor<?x2xf32>', has a dynamic size for 'd'; batch and token are dynamic, all else static}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<?x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x8x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{input 0, 'tensor<?x8x4xf32>', has a static size for 't'; batch and token are dynamic, all else static}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x8x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<3x2xf32>) {
  // expected-error@+1 {{'d' has size 3 in input 1, but 4 in input 0}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<3x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{'m' is a copy of 'n' but has size 4 instead of 2}}
  %y = ssm.scan over [b, t, d, n, m] state [d, n] contracted m of n : f32
      ins(%x as [b, t, d], %A as [m, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{'k' is in no map: nothing says its size; remove it, or map an input onto it}}
  %y = ssm.scan over [b, t, d, n, k] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{initial state must be 'tensor<?x4x2xf32>', found 'tensor<4x2xf32>'}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      initial(%A : tensor<4x2xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{final state must be 'tensor<?x4x2xf32>', found 'tensor<?x2x4xf32>'}}
  %y, %f = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      final(tensor<?x2x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{final state must be 'tensor<?x4x2x2xf32>', found 'tensor<?x4x2xf32>'}}
  %y, %f = ssm.scan over [b, t, d, n] state [d, n] : complex<f32>
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      final(tensor<?x4x2xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{resets must be 'tensor<?x?xi8>', found 'tensor<?x?x4xf32>'}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      resets(%x : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{checkpoint_every must be at least 1, found 0}}
  %y, %c = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      checkpoints(every 0 : tensor<?x?x4x2xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{checkpoints (batch, blocks of tokens, state) must be 'tensor<?x?x4x2xf32, #adj.blocks<"tokens", 8>>', found 'tensor<?x?x4x2xf32>'}}
  %y, %c = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      checkpoints(every 8 : tensor<?x?x4x2xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{needs checkpoint_every where it yields checkpoints, and only there}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      attributes {checkpoint_every = 8 : i64} step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{the step region takes 3 arguments, found 2}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{argument 2 of the step region must be 'i1', found 'i8'}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i8):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  // expected-error@+1 {{the read region takes 4 arguments, found 3}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    // expected-error@+1 {{'vector.broadcast' op may not stand in a scan's region; only operations of arith, math and complex, and ssm.sum, may}}
    %a = vector.broadcast %v : f32 to vector<2xf32>
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    // expected-error@+1 {{yields 'f64'; values in a scan's region are scalars: f32, i1 or complex<f32>}}
    %a = arith.extf %v : f32 to f64
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %out = arith.constant 2.0 : f32
  // expected-note@+1 {{required by region isolation constraints}}
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    // expected-error@+1 {{using value defined outside the region}}
    %a = arith.mulf %v, %out : f32
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    // expected-error@+1 {{must yield the transition and the input term, 2 values, found 1}}
    ssm.yield %w : f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : complex<f32>
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    // expected-error@+1 {{the transition must have the state's type, 'complex<f32>', found 'f32'}}
    ssm.yield %w, %w : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: complex<f32>, %reset: i1):
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    // expected-error@+1 {{the transition varies over n, which the state has not; sum over it with ssm.sum, or add it to 'state'}}
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x4xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d] contracted n of d : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x4xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    // expected-error@+1 {{the input term varies over n, which the state has not}}
    ssm.yield %w, %w : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    // expected-error@+1 {{must yield one value per output, 1, found 2}}
    ssm.yield %v, %v : f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : complex<f32>
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    %z = complex.create %w, %v : complex<f32>
    ssm.yield %z, %z : complex<f32>, complex<f32>
  } read {
  ^bb0(%v: f32, %w: f32, %h: complex<f32>, %reset: i1):
    %s = ssm.sum [3] %h : complex<f32>
    // expected-error@+1 {{output 0 must be f32, found 'complex<f32>'; take its real part with complex.re}}
    ssm.yield %s : complex<f32>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    // expected-error@+1 {{output 0 varies over n, which its map has not; sum over it with ssm.sum, or add it to the map}}
    ssm.yield %h : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d, n] : tensor<?x?x4x2xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    // expected-error@+1 {{output 0 does not vary over n, which its map has; remove it from the map}}
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %c = arith.constant 1.0 : f32
    // expected-error@+1 {{output 0 does not vary over b, t, d, which its map has; remove it from the map}}
    ssm.yield %c : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    // expected-error@+1 {{sums over dimension 7; the scan has dimensions 0 to 3}}
    %s = ssm.sum [7] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    // expected-error@+1 {{sums over 't'; sums over the batch or the tokens are not local to a token}}
    %s = ssm.sum [1] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    // expected-error@+1 {{sums over 'n', but its operand varies over b, t, d; multiply by the dimension's size instead}}
    %s = ssm.sum [3] %v : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    // expected-error@+1 {{sums over no dimension}}
    %s = ssm.sum [] %v : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%v: f32) {
  // expected-error@+1 {{must stand in a region of ssm.scan or adj.scan_adjoint}}
  %s = ssm.sum [3] %v : f32
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      // expected-error@+1 {{unknown dimension 'k'; 'over' lists b, t, d, n}}
      ins(%x as [b, t, k] : tensor<?x?x4xf32>) outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    %s = ssm.sum [3] %h : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{has no outputs}}
  "ssm.scan"(%x) <{dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32,
      indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>], operandSegmentSizes = array<i32: 1, 0, 0>, resultSegmentSizes = array<i32: 0, 0, 0>}> ({
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  }, {
  ^bb0(%v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }) : (tensor<?x?x4xf32>) -> ()
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{state dimension 5 is out of range; there are 3 dimensions}}
  %y = "ssm.scan"(%x) <{dims = ["b", "t", "d"], state = array<i64: 5>, state_type = f32,
      indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t, d)>], operandSegmentSizes = array<i32: 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>}> ({
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  }, {
  ^bb0(%v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{needs both or none of 'contracted' and 'contracts'}}
  %y = "ssm.scan"(%x) <{dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, contracted = 2 : i64,
      indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t, d)>], operandSegmentSizes = array<i32: 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>}> ({
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  }, {
  ^bb0(%v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{has 1 indexing maps for 2 tensors}}
  %y = "ssm.scan"(%x) <{dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32,
      indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>], operandSegmentSizes = array<i32: 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>}> ({
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  }, {
  ^bb0(%v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{the map of output 0 is over 2 dimensions, expected 3}}
  %y = "ssm.scan"(%x) <{dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32,
      indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t) -> (b, t, b)>], operandSegmentSizes = array<i32: 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>}> ({
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  }, {
  ^bb0(%v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{the map of input 0 must be a projection: result 2 is not a dimension}}
  %y = "ssm.scan"(%x) <{dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32,
      indexing_maps = [affine_map<(b, t, d) -> (b, t, d + 1)>, affine_map<(b, t, d) -> (b, t, d)>], operandSegmentSizes = array<i32: 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>}> ({
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  }, {
  ^bb0(%v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %D: tensor<4xf32>) {
  // expected-error@+1 {{the map of output 0 lacks 't'; a scan's output has a value for every sequence and token}}
  %y = ssm.scan over [b, t, d] state [d] : f32
      ins(%x as [b, t, d], %D as [d] : tensor<?x?x4xf32>, tensor<4xf32>) outs([b, d] : tensor<?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    ssm.yield %w : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %D: tensor<4xf32>) {
  // expected-error@+1 {{the map of output 0 lacks 'b'; a scan's output has a value for every sequence and token}}
  %y = ssm.scan over [b, t, d] state [d] : f32
      ins(%x as [b, t, d], %D as [d] : tensor<?x?x4xf32>, tensor<4xf32>) outs([d] : tensor<4xf32>) step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %h: f32, %reset: i1):
    ssm.yield %w : f32
  }
  return
}
