// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

#lanes = affine_map<(b, t, d, n) -> (b, t, d)>
#states = affine_map<(b, t, d, n) -> (b, t, n)>
#parameter = affine_map<(b, t, d, n) -> (d, n)>

// A dispatch is three launches, which leave states for each other in the workspace, the operand before the sizes. 64 lanes of 4 inner points are 64
// threads; what a token needs of x is computed by all threads for a tile of 16 tokens and shared.
// CHECK-LABEL: func.func @staged_states(
// CHECK-SAME:    memref<f32, 1> {llvm.noalias}, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index)
// CHECK-SAME:    adj.threads = 64 : i64
// CHECK-NOT:     memref.alloca
// CHECK:         vector.store {{.*}} {alignment = 16 : i64} : memref<16x1x64xf32, 3>, vector<4xf32>
// CHECK:         gpu.barrier
// The sequential part twice: for a tile of 16 tokens without a reset, and for any.
// CHECK:         scf.if
// CHECK:           vector.load {{.*}} {alignment = 16 : i64} : memref<16x1x4xf32, 3>, vector<4xf32>
// CHECK:         } else {
// CHECK:           arith.cmpi slt
// CHECK:         gpu.barrier
// CHECK:         vector.store {{.*}} {alignment = 16 : i64}
// CHECK-LABEL: func.func @staged_carry(
// CHECK-SAME:    adj.threads = 256 : i64
// CHECK-LABEL: func.func @staged_outputs(
// CHECK:         vector.load {{.*}} {alignment = 16 : i64} : memref<?xf32, 1>, vector<4xf32>
adj.kernel @staged {
^bb0(%x: tensor<?x?x128xf32>, %b: tensor<?x?x4xf32>, %a: tensor<128xf32>):
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %b as [b, t, n], %a as [d] : tensor<?x?x128xf32>, tensor<?x?x4xf32>, tensor<128xf32>)
      outs([b, t, d] : tensor<?x?x128xf32>)
      step {
      ^bb0(%x_: f32, %b_: f32, %a_: f32, %reset: i1):
        %one = arith.constant 1.0 : f32
        %e = math.exp %a_ : f32
        %d = arith.addf %one, %e : f32
        %decay = arith.divf %one, %d : f32
        %xx = arith.mulf %x_, %x_ : f32
        %u = arith.mulf %xx, %b_ : f32
        ssm.yield %decay, %u : f32, f32
      } read {
      ^bb0(%x_: f32, %b_: f32, %a_: f32, %h: f32, %reset: i1):
        %s = ssm.sum [3] %h : f32
        ssm.yield %s : f32
      }
  adj.yield %y : tensor<?x?x128xf32>
}

// The adjoint has one more, which sums over the chunks what does not vary over the tokens. A constant exponent is scaled by log2(e) once, before
// the tokens. Sums over lanes share their shuffles: a thread sends one of two values at each step. It has its inner points in an order of its own, and rows
// are shared in both orders.
// CHECK-LABEL: func.func @kept_states(
// CHECK:         %[[SCALED:.*]] = arith.mulf %{{.*}}, %cst
// CHECK:         scf.for
// CHECK:           %[[EXPONENT:.*]] = arith.mulf %{{.*}}, %[[SCALED]]
// CHECK:           math.exp2 %[[EXPONENT]]
// CHECK-LABEL: func.func @kept_carry(
// CHECK-LABEL: func.func @kept_gradients(
// CHECK-SAME:    adj.minimum_blocks = 8 : i64
// CHECK:         arith.select
// CHECK:         gpu.shuffle xor
// CHECK-LABEL: func.func @kept_sums(
// CHECK:         scf.for
adj.kernel @kept {
^bb0(%x: tensor<?x?x128xf32>, %dt: tensor<?x?x128xf32>, %C: tensor<?x?x2xf32>, %A: tensor<128x2xf32>, %g: tensor<?x?x128xf32>,
     %checkpoints: tensor<?x?x128x2xf32, #adj.blocks<"tokens", 16>>):
  %d:4 = adj.scan_adjoint ins(%x, %dt, %C, %A : tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<?x?x2xf32>, tensor<128x2xf32>)
      cotangents(%g : tensor<?x?x128xf32>) checkpoints(%checkpoints : tensor<?x?x128x2xf32, #adj.blocks<"tokens", 16>>)
      {carry_name = "scan0", checkpoint_every = 16 : i64, differentiated = array<i64: 0, 1, 2, 3>, dims = ["b", "t", "d", "n"],
       indexing_maps = [#lanes, #lanes, #states, #parameter, #lanes], lane = 2 : i64, lane_block = 64 : i64,
       state = array<i64: 2, 3>, state_type = f32}
      -> tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<2x?x?x2xf32>, tensor<?x128x2xf32> step {
    ^bb0(%x_: f32, %dt_: f32, %C_: f32, %A_: f32, %reset: i1):
      %0 = arith.mulf %dt_, %A_ : f32
      %1 = math.exp %0 : f32
      %2 = arith.mulf %dt_, %x_ : f32
      ssm.yield %1, %2 : f32, f32
    } adjoint {
    ^bb0(%x_: f32, %dt_: f32, %C_: f32, %A_: f32, %g_: f32, %before: f32, %after: f32, %from: f32, %reset: i1):
      %0 = arith.mulf %dt_, %A_ : f32
      %1 = math.exp %0 : f32
      %2 = arith.mulf %g_, %after : f32
      %3 = ssm.sum [2] %2 : f32
      %4 = arith.mulf %g_, %C_ : f32
      %5 = arith.addf %4, %from : f32
      %6 = arith.mulf %5, %before : f32
      %7 = ssm.sum [3] %5 : f32
      %8 = arith.mulf %7, %x_ : f32
      %9 = arith.mulf %7, %dt_ : f32
      %10 = arith.mulf %6, %1 : f32
      %11 = arith.mulf %10, %A_ : f32
      %12 = ssm.sum [3] %11 : f32
      %13 = arith.addf %8, %12 : f32
      %14 = arith.mulf %10, %dt_ : f32
      %15 = arith.mulf %5, %1 : f32
      ssm.yield %15, %9, %13, %3, %14 : f32, f32, f32, f32, f32
    }
  adj.yield %d#0, %d#1, %d#2, %d#3 : tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<2x?x?x2xf32>, tensor<?x128x2xf32>
}

// Where the plan says that rows begin at multiples of 16 bytes, a thread reads and writes four neighbouring lanes at once: the first tile's before the loop
// over tiles, each other one's before the sequential part of the tile before.
// CHECK-LABEL: func.func @aligned_states(
// CHECK:         vector.load {{.*}} {alignment = 8 : i64} : memref<?x?x128xbf16, {{.*}}>, vector<4xbf16>
// CHECK:         scf.for
// CHECK:           vector.store {{.*}} : memref<16x1x64xf32, 3>, vector<4xf32>
// CHECK:           vector.load {{.*}} {alignment = 8 : i64} : memref<?x?x128xbf16, {{.*}}>, vector<4xbf16>
// CHECK:           gpu.barrier
// CHECK:           gpu.barrier
// CHECK-LABEL: func.func @aligned_outputs(
// CHECK:         vector.store {{.*}} {alignment = 8 : i64} : memref<?x?x128xbf16, {{.*}}>, vector<4xbf16>
adj.kernel @aligned attributes {row_strides = array<i64: 128, 4, 1, 128>, alignments = array<i64: 16, 16, 16, 16>} {
^bb0(%x: tensor<?x?x128xbf16>, %b: tensor<?x?x4xbf16>, %a: tensor<128xf32>):
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %b as [b, t, n], %a as [d] : tensor<?x?x128xbf16>, tensor<?x?x4xbf16>, tensor<128xf32>)
      outs([b, t, d] : tensor<?x?x128xbf16>)
      step {
      ^bb0(%x_: f32, %b_: f32, %a_: f32, %reset: i1):
        %xx = arith.mulf %x_, %x_ : f32
        %u = arith.mulf %xx, %b_ : f32
        ssm.yield %a_, %u : f32, f32
      } read {
      ^bb0(%x_: f32, %b_: f32, %a_: f32, %h: f32, %reset: i1):
        %s = ssm.sum [3] %h : f32
        ssm.yield %s : f32
      }
  adj.yield %y : tensor<?x?x128xbf16>
}

// Operands that take more than 16 registers of a thread are read after the sequential part, which needs the registers: two f32 of 16 points here, where
// @aligned has one bf16 and reads before it.
// CHECK-LABEL: func.func @late_states(
// CHECK:         scf.for
// CHECK:           gpu.barrier
// CHECK-NOT:       memref.load {{.*}} : memref<?x?x128xf32
// CHECK:           gpu.barrier
// CHECK:           memref.load {{.*}} : memref<?x?x128xf32
// CHECK-LABEL: func.func @late_carry(
adj.kernel @late {
^bb0(%x: tensor<?x?x128xf32>, %gate: tensor<?x?x128xf32>, %b: tensor<?x?x4xf32>, %a: tensor<128xf32>):
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %gate as [b, t, d], %b as [b, t, n], %a as [d]
          : tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<?x?x4xf32>, tensor<128xf32>)
      outs([b, t, d] : tensor<?x?x128xf32>)
      step {
      ^bb0(%x_: f32, %gate_: f32, %b_: f32, %a_: f32, %reset: i1):
        %xx = arith.mulf %x_, %gate_ : f32
        %u = arith.mulf %xx, %b_ : f32
        ssm.yield %a_, %u : f32, f32
      } read {
      ^bb0(%x_: f32, %gate_: f32, %b_: f32, %a_: f32, %h: f32, %reset: i1):
        %s = ssm.sum [3] %h : f32
        ssm.yield %s : f32
      }
  adj.yield %y : tensor<?x?x128xf32>
}

// A plan for 256 sequences of 512 tokens: four chunks of 128, and blocks enough without cutting them apart. So a span is four chunks, and the adjoint has
// nothing to find out about the first four. Where inner points are shared out among threads, a thread of the gradients has two lanes: what is shared of
// them is there in both orders. Operands that are needed once more are put aside as they were read. The lane sums of a token are written with those of the
// three after it, so that no later token's reads wait for them, and the next tile's operands are read after the sequential part.
// CHECK-LABEL: func.func @planned_states(
// CHECK-SAME:    adj.threads = 256 : i64
// CHECK:         %[[NEEDED:.*]] = arith.cmpi sge, %{{.*}}, %c4 : index
// CHECK:         scf.if %[[NEEDED]] {
// CHECK-LABEL: func.func @planned_carry(
// CHECK:         arith.remui %{{.*}}, %c4 : index
// CHECK-LABEL: func.func @planned_gradients(
// CHECK-SAME:    adj.minimum_blocks = 2 : i64
// CHECK-SAME:    adj.threads = 128 : i64
// CHECK-DAG:     %[[SHARED:.*]] = memref.view {{.*}} to memref<16x2x64xf32, 3>
// CHECK-DAG:     %[[LANE_SUMS:.*]] = memref.view {{.*}} to memref<16x4x4x4xf32, 3>
// CHECK:         gpu.barrier
// CHECK:         vector.load %[[SHARED]]{{.*}} {alignment = 8 : i64} : memref<16x2x64xf32, 3>, vector<2xf32>
// CHECK:         gpu.shuffle xor
// CHECK:         memref.store %{{.*}}, %[[LANE_SUMS]]
// CHECK-NOT:     vector.load
// CHECK:         memref.store %{{.*}}, %[[LANE_SUMS]]
// CHECK:         gpu.barrier
// CHECK-LABEL: func.func @planned_sums(
// CHECK-SAME:    adj.shared_bytes = 0 : i64
adj.kernel @planned attributes {shard = array<i64: 256, 512>} {
^bb0(%x: tensor<?x?x128xf32>, %dt: tensor<?x?x128xf32>, %C: tensor<?x?x16xf32>, %A: tensor<128x16xf32>, %g: tensor<?x?x128xf32>,
     %checkpoints: tensor<?x?x128x16xf32, #adj.blocks<"tokens", 16>>):
  %d:4 = adj.scan_adjoint ins(%x, %dt, %C, %A : tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<?x?x16xf32>, tensor<128x16xf32>)
      cotangents(%g : tensor<?x?x128xf32>) checkpoints(%checkpoints : tensor<?x?x128x16xf32, #adj.blocks<"tokens", 16>>)
      {carry_name = "scan0", checkpoint_every = 16 : i64, differentiated = array<i64: 0, 1, 2, 3>, dims = ["b", "t", "d", "n"],
       indexing_maps = [#lanes, #lanes, #states, #parameter, #lanes], lane = 2 : i64, lane_block = 64 : i64,
       state = array<i64: 2, 3>, state_type = f32}
      -> tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<2x?x?x16xf32>, tensor<?x128x16xf32> step {
    ^bb0(%x_: f32, %dt_: f32, %C_: f32, %A_: f32, %reset: i1):
      %0 = arith.mulf %dt_, %A_ : f32
      %1 = math.exp %0 : f32
      %2 = arith.mulf %dt_, %x_ : f32
      ssm.yield %1, %2 : f32, f32
    } adjoint {
    ^bb0(%x_: f32, %dt_: f32, %C_: f32, %A_: f32, %g_: f32, %before: f32, %after: f32, %from: f32, %reset: i1):
      %0 = arith.mulf %dt_, %A_ : f32
      %1 = math.exp %0 : f32
      %2 = arith.mulf %g_, %after : f32
      %3 = ssm.sum [2] %2 : f32
      %4 = arith.mulf %g_, %C_ : f32
      %5 = arith.addf %4, %from : f32
      %6 = arith.mulf %5, %before : f32
      %7 = ssm.sum [3] %5 : f32
      %8 = arith.mulf %7, %x_ : f32
      %9 = arith.mulf %7, %dt_ : f32
      %10 = arith.mulf %6, %1 : f32
      %11 = arith.mulf %10, %A_ : f32
      %12 = ssm.sum [3] %11 : f32
      %13 = arith.addf %8, %12 : f32
      %14 = arith.mulf %10, %dt_ : f32
      %15 = arith.mulf %5, %1 : f32
      ssm.yield %15, %9, %13, %3, %14 : f32, f32, f32, f32, f32
    }
  adj.yield %d#0, %d#1, %d#2, %d#3 : tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<2x?x?x16xf32>, tensor<?x128x16xf32>
}
