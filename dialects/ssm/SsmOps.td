//===- SsmOps.td - the operations of the ssm dialect ---------------------------------------------------------------===//
#ifndef SSM_OPS_TD
#define SSM_OPS_TD

include "ssm/SsmDialect.td"
include "ssm/SsmAttributes.td"
include "adj/AdjInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------------------------------------------------===//

def Ssm_ModelOp : Ssm_Op<"model", [IsolatedFromAbove, Symbol, SingleBlockImplicitTerminator<"ReturnOp">]> {
  let summary = "A language model: from tokens and targets to the loss.";
  let description = [{
    The body's arguments are the tokens and the targets, both `tensor<?x?xi32>`; it returns the loss, a `tensor<f32>`.

    ```mlir
    ssm.model @tiny(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
      ...
      ssm.return %loss : tensor<f32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Ssm_ReturnOp : Ssm_Op<"return", [Pure, ReturnLike, Terminator, HasParent<"ModelOp">]> {
  let summary = "Ends a model with its loss.";
  let arguments = (ins Variadic<AnyType>:$operands);
  let builders = [OpBuilder<(ins), [{ /* implicit terminator */ }]>];
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
}

def Ssm_YieldOp : Ssm_Op<"yield", [Pure, ReturnLike, Terminator]> {
  let summary = "Yields from a repeat's body or a scan's region.";
  let arguments = (ins Variadic<AnyType>:$operands);
  let builders = [OpBuilder<(ins), [{ /* nothing to yield */ }]>];
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
}

def Ssm_ParameterOp : Ssm_Op<"parameter", [Pure]> {
  let summary = "A trainable parameter, by name.";
  let description = [{
    Inside `ssm.repeat` the name holds the placeholder `{layer}` exactly once, replaced by the layer's number; elsewhere it holds none.
    Two `ssm.parameter`s of the same name are the same parameter and must agree in type and initialiser.

    ```mlir
    %w = ssm.parameter "backbone.layers.{layer}.norm.weight" <ones> : tensor<64xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, Ssm_InitAttr:$init);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$name $init attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Ssm_RepeatOp : Ssm_Op<"repeat", [SingleBlockImplicitTerminator<"YieldOp">, AttrSizedOperandSegments, RecursiveMemoryEffects]> {
  let summary = "A stack of equal layers.";
  let description = [{
    Runs its body `count` times. The body's arguments are the carried values, then one slice per sliced operand; it yields the
    next carried values, then one value per stacked result. A sliced operand has a leading dimension of size `count`: iteration i gets
    slice i. A stacked result has a leading dimension `count` likewise. With `reverse`, iterations run from count - 1 down to 0. The
    iteration's number is what replaces `{layer}` in parameter names.
    A model spec only uses carried values; slices and stacks come from `adj-derive-adjoint`.

    ```mlir
    %y = ssm.repeat 24 iter(%r = %x : tensor<?x?x64xf32>) {
      ...
      ssm.yield %next : tensor<?x?x64xf32>
    }
    ```
  }];
  let arguments = (ins I64Attr:$count, Variadic<AnyRankedTensor>:$inits, Variadic<AnyRankedTensor>:$slices, UnitAttr:$reverse);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// The final carried values: the first results.
    ::mlir::ResultRange getFinals() { return getResults().take_front(getInits().size()); }
    /// What the body yields beyond the carried values, stacked along a new leading dimension.
    ::mlir::ResultRange getStacked() { return getResults().drop_front(getInits().size()); }
    ::mlir::Block::BlockArgListType getCarriedArgs() { return getBody().getArguments().take_front(getInits().size()); }
    ::mlir::Block::BlockArgListType getSliceArgs() { return getBody().getArguments().drop_front(getInits().size()); }
    /// The type of one iteration's slice of a stacked type: the leading dimension removed.
    static ::mlir::RankedTensorType getSliceType(::mlir::RankedTensorType stacked);
    static ::mlir::RankedTensorType getStackedType(int64_t count, ::mlir::RankedTensorType slice);
  }];
}

//===----------------------------------------------------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------------------------------------------------===//

def Ssm_EmbeddingOp : Ssm_Op<"embedding", [Pure, DeclareOpInterfaceMethods<AdjointOpInterface>]> {
  let summary = "Looks tokens up in a table (V, C).";
  let arguments = (ins AnyRankedTensor:$tokens, AnyStaticShapeTensor:$table);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$tokens `,` $table attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Ssm_RmsNormOp : Ssm_Op<"rms_norm", [Pure, DeclareOpInterfaceMethods<AdjointOpInterface>]> {
  let summary = "y = x * rsqrt(mean(x^2) + eps) * weight, over the channels.";
  let arguments = (ins AnyRankedTensor:$x, AnyStaticShapeTensor:$weight, F64Attr:$eps);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $weight `eps` $eps attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Ssm_LinearOp : Ssm_Op<"linear", [Pure, DeclareOpInterfaceMethods<AdjointOpInterface>]> {
  let summary = "y = x W^T + bias, W (out, in) as in PyTorch.";
  let arguments = (ins AnyRankedTensor:$x, AnyStaticShapeTensor:$weight, Optional<AnyStaticShapeTensor>:$bias);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Ssm_Conv1dOp : Ssm_Op<"conv1d", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<AdjointOpInterface>, DeclareOpInterfaceMethods<CarryOpInterface>]> {
  let summary = "Causal depthwise convolution over the tokens, weight (C, 1, W).";
  let description = [{
    y[t, c] = bias[c] + sum_k weight[c, 0, k] * x[t - W + 1 + k, c], where x before the first token comes from `tail`, the last W-1
    inputs of the tokens before (b, W-1, C), or is zero; taps from before a reset are zero. `next_tail` is the last W-1 rows of concat(tail, x), rows
    from before the last reset zeroed. A spec has neither tail nor resets: `adj-shard-tokens` adds them.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyStaticShapeTensor:$weight, Optional<AnyStaticShapeTensor>:$bias,
                       Optional<AnyRankedTensor>:$tail, Optional<AnyRankedTensor>:$resets, OptionalAttr<StrAttr>:$carry_name);
  let results = (outs AnyRankedTensor:$result, Optional<AnyRankedTensor>:$next_tail);
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? (`tail` $tail^)? (`resets` $resets^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Ssm_SiluOp : Ssm_Op<"silu", [Pure, SameOperandsAndResultType]> {
  let summary = "y = x * sigmoid(x).";
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($result)";
}

def Ssm_GateOp : Ssm_Op<"gate", [Pure, SameOperandsAndResultType]> {
  let summary = "y = x * silu(z).";
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$z);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $z attr-dict `:` type($result)";
}

def Ssm_ResidualOp : Ssm_Op<"residual", [Pure, DeclareOpInterfaceMethods<AdjointOpInterface>]> {
  let summary = "y = a + b.";
  let description = [{
    Of one shape; each is stored in f32 or in bf16. One type stands for three equal ones.

    ```mlir
    %y = ssm.residual %a, %b : tensor<?x?x64xf32>
    %z = ssm.residual %y, %c : (tensor<?x?x64xf32>, tensor<?x?x64xbf16>) -> tensor<?x?x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$a, AnyRankedTensor:$b);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$a `,` $b attr-dict `:` custom<SumTypes>(type($a), type($b), type($result))";
  let hasVerifier = 1;
}

def Ssm_MlpOp : Ssm_Op<"mlp", [Pure, AttrSizedOperandSegments]> {
  let summary = "y = W_down (act(W_gate x) * (W_up x)): a gated MLP block, a mini-sequence at a time.";
  let description = [{
    Weights are as in PyTorch: gate and up (hidden, C), down (C, hidden); each may have a bias. Without a gate y = W_down act(W_up x). The activation is
    `silu`, x sigmoid(x); `gelu`, x (1 + erf(x / sqrt(2))) / 2; or `gelu_pytorch_tanh`, x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.

    The block is one operation because its intermediate (tokens x hidden) is a multiple of the residual stream: it only ever exists for one mini-sequence
    at a time (arXiv 2407.15892). Of it the adjoint keeps the input alone, and computes the intermediate again. The weights must be parameters.

    ```mlir
    %y = ssm.mlp silu %x gate %gate up %up down %down
       : (tensor<?x?x64xf32>, tensor<256x64xf32>, tensor<256x64xf32>, tensor<64x256xf32>) -> tensor<?x?x64xf32>
    ```
  }];
  let arguments = (ins Ssm_Activation:$activation, AnyRankedTensor:$x,
                       Optional<AnyStaticShapeTensor>:$gate, Optional<AnyStaticShapeTensor>:$gate_bias,
                       AnyStaticShapeTensor:$up, Optional<AnyStaticShapeTensor>:$up_bias,
                       AnyStaticShapeTensor:$down, Optional<AnyStaticShapeTensor>:$down_bias);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $activation $x (`gate` $gate^ (`bias` $gate_bias^)?)? `up` $up (`bias` $up_bias^)? `down` $down (`bias` $down_bias^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Ssm_SplitOp : Ssm_Op<"split", [Pure, DeclareOpInterfaceMethods<AdjointOpInterface>]> {
  let summary = "Splits the channels into consecutive parts (views: nothing is computed).";
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs Variadic<AnyRankedTensor>:$parts);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($parts)";
  let hasVerifier = 1;
}

def Ssm_ConcatOp : Ssm_Op<"concat", [Pure]> {
  let summary = "Joins channels: the transpose of split (views: what makes the parts writes into the whole).";
  let arguments = (ins Variadic<AnyRankedTensor>:$parts);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$parts attr-dict `:` type($parts) `->` type($result)";
  let hasVerifier = 1;
}

def Ssm_ReshapeOp : Ssm_Op<"reshape", [Pure, DeclareOpInterfaceMethods<AdjointOpInterface>]> {
  let summary = "Sees a token's values in another shape, row-major (a view: nothing is computed).";
  let description = [{
    Channels into heads, and back; a matrix per token; one channel into none. The batch and the tokens stay.

    ```mlir
    %heads = ssm.reshape %x : tensor<?x?x64xf32> -> tensor<?x?x4x16xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Ssm_LmLossOp : Ssm_Op<"lm_loss", [Pure, DeclareOpInterfaceMethods<AdjointOpInterface>]> {
  let summary = "Mean cross-entropy of the head's logits x W^T (+ bias) against the targets.";
  let description = [{
    The head and its loss are one operation because the logits (tokens x vocabulary) are the largest tensor of a model: they are only ever made for a
    mini-sequence at a time (arXiv 2407.15892). The mean is over counted targets; a target of -100 is not counted.
    A tied head passes the embedding's table as the weight.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyStaticShapeTensor:$weight, AnyRankedTensor:$targets, Optional<AnyStaticShapeTensor>:$bias);
  let results = (outs AnyRankedTensor:$loss);
  let assemblyFormat = "$x `,` $weight `,` $targets (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------------------------------------------------===//
// The recurrence
//===----------------------------------------------------------------------------------------------------------------===//

def Ssm_ScanOp : Ssm_Op<"scan", [Pure, IsolatedFromAbove, AttrSizedOperandSegments, AttrSizedResultSegments,
    DeclareOpInterfaceMethods<AdjointOpInterface, ["augmentForward"]>, DeclareOpInterfaceMethods<CarryOpInterface>]> {
  let summary = "A recurrence affine in its state: a linalg.generic with a scan dimension.";
  let description = [{
    The iteration space is `dims`: the batch, the token, then state dimensions and dimensions only outputs have. The state lives on
    (batch, `state` dimensions in this order). Every input and output has an indexing map (a projection) onto a subset of the dimensions.
    The `step` region yields, for one point, the transition a and the input term u, so that

        h[t] = a[t] h[t-1] + u[t]          (h[t-1] = 0 at a reset)

    The `read` region combines state and inputs into the outputs; a reduction over state dimensions is explicit (`ssm.sum`). Both regions
    take one scalar per input; `read` then takes the state; both last take the reset flag (i1). A yielded output varies
    over exactly the dimensions of its map.
    A dense transition names a `contracted` dimension, a copy of the state dimension `contracts`, over which a may vary:
    h[n] = sum_m a[n, m] h[m] + u[n]. A state of complex<f32> is a complex diagonal recurrence.

    `initial` (b, state dims) is the state before the first token (zero when absent); `final` is the state after the last one. `checkpoints` holds
    the state before every `checkpoint_every`-th token: what the adjoint recomputes the states from. Specs have none
    of the three, nor resets: passes add them.

    ```mlir
    %y = ssm.scan over [b, t, d, n] state [d, n] : f32
         ins(%x as [b, t, d], %dt as [b, t, d], %B as [b, t, n], %C as [b, t, n], %A as [d, n] : ...)
         outs([b, t, d] : tensor<?x?x128xf32>)
         step {
         ^bb0(%x_: f32, ..., %reset: i1):
           ...
           ssm.yield %a, %u : f32, f32
         } read { ... }
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, Optional<AnyRankedTensor>:$initial, Optional<AnyRankedTensor>:$resets,
                       StrArrayAttr:$dims, DenseI64ArrayAttr:$state, TypeAttr:$state_type,
                       OptionalAttr<I64Attr>:$contracted, OptionalAttr<I64Attr>:$contracts,
                       AffineMapArrayAttr:$indexing_maps, OptionalAttr<I64Attr>:$checkpoint_every, OptionalAttr<StrAttr>:$carry_name);
  let results = (outs Variadic<AnyRankedTensor>:$outputs, Optional<AnyRankedTensor>:$final, Optional<AnyRankedTensor>:$checkpoints);
  let regions = (region SizedRegion<1>:$step, SizedRegion<1>:$read);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// Indexing map of input / output i: a projection of the iteration space.
    ::mlir::AffineMap getInputMap(unsigned i);
    ::mlir::AffineMap getOutputMap(unsigned i);
    /// Sizes of all dims; dynamic for batch and token.
    ::llvm::SmallVector<int64_t> getDimSizes();
    /// (b, state dims): the type of the carried state.
    ::mlir::RankedTensorType getStateTensorType();
  }];
}

def Ssm_SumOp : Ssm_Op<"sum", [Pure, SameOperandsAndResultType]> {
  let summary = "Sum over dimensions of the iteration space, inside a scan's region.";
  let description = [{ `%r = ssm.sum [3] %v : f32` sums %v over dimension number 3 of the enclosing scan's `dims`. }];
  let arguments = (ins DenseI64ArrayAttr:$dims, AnyType:$value);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$dims $value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Ssm_SelectiveScanOp : Ssm_Op<"selective_scan", [Pure, AttrSizedOperandSegments]> {
  let summary = "Mamba's selective scan: sugar for ssm.scan.";
  let description = [{
    With delta = softplus(dt + dt_bias) and A = -exp(A_log) (arXiv 2312.00752, algorithm 2):

        h[d, n] = exp(delta[d] A[d, n]) h[d, n] + delta[d] x[d] B[n]
        y[d]    = (sum_n C[n] h[d, n] + D[d] x[d]) * silu(z[d])

    D, z and dt_bias are optional.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$dt, AnyStaticShapeTensor:$a_log, AnyRankedTensor:$b, AnyRankedTensor:$c,
                       Optional<AnyStaticShapeTensor>:$d, Optional<AnyRankedTensor>:$z, Optional<AnyStaticShapeTensor>:$dt_bias);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `,` $dt `,` $a_log `,` $b `,` $c (`skip` $d^)? (`gate` $z^)? (`dt_bias` $dt_bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif
