// RUN: adj-opt %s --ssm-expand-complex --verify-diagnostics --split-input-file

func.func @result(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y = ssm.scan over [b, t, d] state [d] : complex<f32>
      ins(%x as [b, t, d] : tensor<?x?x4xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      step {
      ^bb0(%x_: f32, %reset: i1):
        %z = complex.create %x_, %x_ : complex<f32>
        // expected-error @below {{on complex numbers is not lowered}}
        %e = complex.tan %z : complex<f32>
        ssm.yield %e, %z : complex<f32>, complex<f32>
      } read {
      ^bb0(%x_: f32, %h: complex<f32>, %reset: i1):
        %re = complex.re %h : complex<f32>
        ssm.yield %re : f32
      }
  return %y : tensor<?x?x4xf32>
}

// -----

func.func @operand(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y = ssm.scan over [b, t, d] state [d] : complex<f32>
      ins(%x as [b, t, d] : tensor<?x?x4xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      step {
      ^bb0(%x_: f32, %reset: i1):
        %z = complex.create %x_, %x_ : complex<f32>
        ssm.yield %z, %z : complex<f32>, complex<f32>
      } read {
      ^bb0(%x_: f32, %h: complex<f32>, %reset: i1):
        // expected-error @below {{on complex numbers is not lowered}}
        %angle = complex.angle %h : complex<f32>
        ssm.yield %angle : f32
      }
  return %y : tensor<?x?x4xf32>
}
