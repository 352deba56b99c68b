//===- AdjOps.td - the operations of the adj dialect ---------------------------------------------------------------===//
#ifndef ADJ_OPS_TD
#define ADJ_OPS_TD

include "adj/AdjDialect.td"
include "adj/AdjAttributes.td"
include "adj/AdjInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------------------------------------------------===//
// Programs and what they read and write
//===----------------------------------------------------------------------------------------------------------------===//

def Adj_ProgramOp : Adj_Op<"program", [IsolatedFromAbove, Symbol, NoTerminator, SingleBlock]> {
  let summary = "A command program for one token shard.";
  let description = [{
    The body's arguments are the tokens, the targets (both (b, t) i32), the resets ((b, t) i8) and the loss scale (a tensor<f32>: one over the number of counted targets of
    the whole call). It has effects instead of results: gradients accumulated, carries handed over, losses recorded.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Adj_AccumulateOp : Adj_Op<"accumulate", [MemoryEffects<[MemWrite]>]> {
  let summary = "Adds a cotangent to a parameter's gradient.";
  let description = [{ `adj.accumulate "backbone.norm_f.weight", %dw : tensor<64xf32>`. }];
  let arguments = (ins StrAttr:$parameter, AnyRankedTensor:$value);
  let assemblyFormat = "$parameter `,` $value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Adj_CarriedOp : Adj_Op<"carried", [MemoryEffects<[MemRead]>]> {
  let summary = "What the shard before handed over (with `cotangent`: the shard after).";
  let description = [{ `name` is scope/carry, such as "scan0/state"; inside ssm.repeat it is the enclosing layer's. }];
  let arguments = (ins StrAttr:$name, UnitAttr:$cotangent);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "(`cotangent` $cotangent^)? $name attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Adj_HandOverOp : Adj_Op<"hand_over", [MemoryEffects<[MemWrite]>]> {
  let summary = "Hands a state to the shard after (with `cotangent`: a state's cotangent to the shard before).";
  let arguments = (ins StrAttr:$name, AnyRankedTensor:$value, UnitAttr:$cotangent);
  let assemblyFormat = "(`cotangent` $cotangent^)? $name `,` $value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Adj_WorkingCopyOp : Adj_Op<"working_copy", [Pure]> {
  let summary = "A parameter as products read it: rounded to bf16.";
  let description = [{
    The copy is not made here: `adj.program @prepare` makes all of them (`adj.refresh`), and the session runs that before the programs that read them
    when parameters may have changed. `adj-form-kernels` adds both.

    ```mlir
    %w16 = adj.working_copy %w : tensor<256x64xf32> -> tensor<256x64xbf16>
    ```
  }];
  let arguments = (ins AnyStaticShapeTensor:$parameter);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$parameter attr-dict `:` type($parameter) `->` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The parameter's name, with its `{layer}` placeholder.
    ::llvm::StringRef getName();
  }];
}

def Adj_RefreshOp : Adj_Op<"refresh", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes the working copy of a parameter.";
  let description = [{ `adj.refresh "backbone.norm_f.weight", %rounded : tensor<64xbf16>`. }];
  let arguments = (ins StrAttr:$parameter, AnyStaticShapeTensor:$value);
  let assemblyFormat = "$parameter `,` $value attr-dict `:` type($value)";
}

//===----------------------------------------------------------------------------------------------------------------===//
// Adjoints of layers
//===----------------------------------------------------------------------------------------------------------------===//

def Adj_MatmulOp : Adj_Op<"matmul", [Pure]> {
  let summary = "A matrix product over flattened (batch, tokens) rows.";
  let description = [{
    `a` and `b` are seen as matrices: all leading dimensions are rows, the last is columns. Result = op(a) op(b), op transposing when
    `transpose_a` / `transpose_b`. A linear layer's input cotangent is dy W; its weight cotangent dy^T x. Each is stored in f32 or bf16: a parameter, always
    f32, beside an operand in bf16 is read through its working copy.
  }];
  let arguments = (ins AnyRankedTensor:$a, AnyRankedTensor:$b, UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$a `,` $b attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Adj_ColumnSumOp : Adj_Op<"column_sum", [Pure]> {
  let summary = "Partial sums over blocks of rows: a bias's cotangent before sum_partials.";
  let description = [{ x (b, t, C) -> tensor<?xCxf32, #adj.blocks<rows, N>>: row p is the sum of rows N p .. N p + N - 1. }];
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$partials);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Adj_SumPartialsOp : Adj_Op<"sum_partials", [Pure]> {
  let summary = "Sums partial sums over their extra leading dimensions, in a fixed order.";
  let arguments = (ins AnyRankedTensor:$partials);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$partials attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Adj_RmsNormAdjointOp : Adj_Op<"rms_norm_adjoint", [Pure]> {
  let summary = "vjp of ssm.rms_norm: the input's cotangent and the weight's, as partial sums over blocks of rows.";
  let arguments = (ins AnyRankedTensor:$x, AnyStaticShapeTensor:$weight, AnyRankedTensor:$cotangent, F64Attr:$eps);
  let results = (outs AnyRankedTensor:$dx, AnyRankedTensor:$dweight);
  let assemblyFormat = "$x `,` $weight `,` $cotangent `eps` $eps attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Adj_EmbeddingAdjointOp : Adj_Op<"embedding_adjoint", [Pure]> {
  let summary = "vjp of ssm.embedding for the table: a deterministic scatter-add of rows.";
  let description = [{ The result (V, C) is never materialised: form-kernels joins it with the accumulate that uses it. }];
  let arguments = (ins AnyRankedTensor:$tokens, AnyRankedTensor:$cotangent);
  let results = (outs AnyRankedTensor:$dtable);
  let assemblyFormat = "$tokens `,` $cotangent attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Adj_Conv1dAdjointOp : Adj_Op<"conv1d_adjoint", [Pure, AttrSizedOperandSegments, AttrSizedResultSegments,
    DeclareOpInterfaceMethods<CarryOpInterface>]> {
  let summary = "vjp of ssm.conv1d: cotangents of input, weight and bias, and of the tail it received.";
  let description = [{
    `tail` is the tail the forward convolution received (it multiplies the weight's cotangent); `tail_cotangent` is the cotangent of
    the tail it handed over, `next_tail_cotangent` that of the tail it received (b, W-1, C). `dweight` (and `dbias`) are partial sums with a leading
    batch dimension: tensor<?xCx1xWxf32>, tensor<?xCxf32>.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyStaticShapeTensor:$weight, AnyRankedTensor:$cotangent, Optional<AnyRankedTensor>:$tail,
                       Optional<AnyRankedTensor>:$tail_cotangent, Optional<AnyRankedTensor>:$resets, OptionalAttr<StrAttr>:$carry_name);
  let results = (outs AnyRankedTensor:$dx, AnyRankedTensor:$dweight, Optional<AnyRankedTensor>:$dbias,
                      Optional<AnyRankedTensor>:$next_tail_cotangent);
  let assemblyFormat = [{
    $x `,` $weight `,` $cotangent (`tail` $tail^)? (`tail_cotangent` $tail_cotangent^)? (`resets` $resets^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Adj_ScanAdjointOp : Adj_Op<"scan_adjoint", [Pure, IsolatedFromAbove, AttrSizedOperandSegments, AttrSizedResultSegments,
    DeclareOpInterfaceMethods<CarryOpInterface>]> {
  let summary = "The adjoint recurrence of ssm.scan, derived from its regions.";
  let description = [{
    Runs from the last token to the first. `cotangents` are those of the scan's outputs, `state_cotangent` that of its final state (zero when
    absent; c = A^T p of docs/architecture.md, what later tokens say about the state handed over), `next_state_cotangent` that of its initial state. The states are
    recomputed from `checkpoints`, `checkpoint_every` tokens at a time.

    The iteration space (`dims`, `state`, `contracted`) and `step` are the forward scan's. `adjoint` takes, for one point: one scalar per input, one
    per output cotangent, the state before this token (0 at a reset), the state after it, the state cotangent c that the token after hands
    back, and the reset flag; it yields the state cotangent for the token before (a^T p; the kernel puts 0 there at a reset), then one contribution
    per differentiated input (`differentiated` lists their numbers), varying over at most the dimensions of the input's map and the batch and token: sums over
    all other dimensions are explicit, sums over batch and tokens are not. With a dense transition the state before and the yielded
    state cotangent vary over the contracted dimension in place of the one it contracts: c[m] = sum_n a[n, m] p[n].

    Results that are sums over what one kernel group does not hold are partial sums: an input whose map lacks the lane dimension (`lane`) or one of the
    `grouped` dimensions, of which a group holds one point, gets a leading dimension: the product of ceil(size(lane) / lane_block) and the sizes of those that it
    lacks; one whose map lacks the batch gets a (next) leading dynamic batch dimension.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, Variadic<AnyRankedTensor>:$cotangents, AnyRankedTensor:$checkpoints,
                       Optional<AnyRankedTensor>:$state_cotangent, Optional<AnyRankedTensor>:$resets,
                       StrArrayAttr:$dims, DenseI64ArrayAttr:$state, TypeAttr:$state_type,
                       OptionalAttr<I64Attr>:$contracted, OptionalAttr<I64Attr>:$contracts,
                       AffineMapArrayAttr:$indexing_maps, DenseI64ArrayAttr:$differentiated, I64Attr:$checkpoint_every,
                       I64Attr:$lane, I64Attr:$lane_block, DefaultValuedOptionalAttr<DenseI64ArrayAttr, "{}">:$grouped,
                       OptionalAttr<StrAttr>:$carry_name);
  let results = (outs Variadic<AnyRankedTensor>:$input_cotangents, Optional<AnyRankedTensor>:$next_state_cotangent);
  let regions = (region SizedRegion<1>:$step, SizedRegion<1>:$adjoint);
  let assemblyFormat = [{
    `ins` `(` $inputs `:` type($inputs) `)` `cotangents` `(` $cotangents `:` type($cotangents) `)` `checkpoints` `(` $checkpoints `:` type($checkpoints) `)`
    (`state_cotangent` `(` $state_cotangent^ `:` type($state_cotangent) `)`)? (`resets` `(` $resets^ `:` type($resets) `)`)?
    attr-dict `->` type($input_cotangents) (`next` type($next_state_cotangent)^)? `step` $step `adjoint` $adjoint
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Adj_LmLossAdjointOp : Adj_Op<"lm_loss_adjoint", [MemoryEffects<[MemWrite]>]> {
  let summary = "Value and vjp of ssm.lm_loss: records each token's loss and yields the cotangents of x, weight and bias.";
  let description = [{
    `scale` is the cotangent of a token's loss: one over the number of counted targets of the whole call. `adj-choose-policies` turns this into
    a loop over mini-sequences.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyStaticShapeTensor:$weight, AnyRankedTensor:$targets, AnyRankedTensor:$scale,
                       Optional<AnyStaticShapeTensor>:$bias);
  let results = (outs AnyRankedTensor:$dx, AnyRankedTensor:$dweight, Optional<AnyRankedTensor>:$dbias);
  let assemblyFormat = "$x `,` $weight `,` $targets `,` $scale (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------------------------------------------------===//
// Mini-sequences
//===----------------------------------------------------------------------------------------------------------------===//

def Adj_MiniSequencesOp : Adj_Op<"mini_sequences", [SingleBlock, NoTerminator, RecursiveMemoryEffects]> {
  let summary = "Runs its body for consecutive mini-sequences of rows.";
  let description = [{
    Rows are the flattened (batch, tokens). The body's arguments are the mini-sequence's rows of each operand (tensor<?xC>; `?` is the mini-sequence's
    number of rows, encoding #adj.blocks<mini, 1>); it ends with adj.write_rows for each result. arXiv 2407.15892.

    What the body makes exists for one mini-sequence at a time, and nothing of it is kept for an adjoint: `adj-derive-adjoint` makes a second loop
    that computes it again. So the body holds only operations that see a row at a time, and reads nothing from outside but parameters, scalars and the
    rows that it was given. `rows`, the length, is absent until `adj-choose-policies` has chosen it.

    ```mlir
    %y = adj.mini_sequences 256 (%r = %x : tensor<?x?x64xf32>) -> (tensor<?x?x64xf32>) {
      %h = ssm.linear %r, %up : (tensor<?x64xf32, #adj.blocks<"mini", 1>>, tensor<256x64xf32>) -> tensor<?x256xf32, #adj.blocks<"mini", 1>>
      %o = ssm.linear %h, %down : (tensor<?x256xf32, #adj.blocks<"mini", 1>>, tensor<64x256xf32>) -> tensor<?x64xf32, #adj.blocks<"mini", 1>>
      adj.write_rows 0, %o : tensor<?x64xf32, #adj.blocks<"mini", 1>>
    }
    ```
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$rows, Variadic<AnyRankedTensor>:$operands);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let skipDefaultBuilders = 1;
  let builders = [
    // Of a length not chosen yet; the body has its arguments and nothing else.
    OpBuilder<(ins "::mlir::TypeRange":$results, "::mlir::ValueRange":$operands)>,
  ];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The rows of one mini-sequence of a (batch, tokens, ...) tensor: the two dimensions flattened into one.
    static ::mlir::RankedTensorType getRowsType(::mlir::RankedTensorType type);
  }];
}

def Adj_WriteRowsOp : Adj_Op<"write_rows", [HasParent<"MiniSequencesOp">, MemoryEffects<[MemWrite]>]> {
  let summary = "Writes the mini-sequence's rows of result number `result`.";
  let arguments = (ins I64Attr:$result, AnyRankedTensor:$value);
  let assemblyFormat = "$result `,` $value attr-dict `:` type($value)";
}

def Adj_CrossEntropyOp : Adj_Op<"cross_entropy", [MemoryEffects<[MemWrite]>]> {
  let summary = "From logits to each row's loss (recorded) and the logits' cotangents.";
  let description = [{
    loss[r] = logsumexp(logits[r]) - logits[r, target[r]] and cotangent[r, v] = scale (softmax(logits[r])[v] - [v = target[r]]); 0 where the target is -100.
    The cotangents take the logits' buffer, unless they are stored in bf16.
  }];
  let arguments = (ins AnyRankedTensor:$logits, AnyRankedTensor:$targets, AnyRankedTensor:$scale);
  let results = (outs AnyRankedTensor:$losses, AnyRankedTensor:$cotangent);
  let assemblyFormat = "$logits `,` $targets `,` $scale attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------------------------------------------------===//

def Adj_KernelOp : Adj_Op<"kernel", [IsolatedFromAbove, Symbol, SingleBlock]> {
  let summary = "A kernel: the operations that one dispatch computes.";
  let description = [{
    The body's arguments are the dispatch's inputs (tensors); it ends with adj.yield of the outputs. `row_strides` (elements between consecutive rows, a row
    being contiguous; one per input, then one per output) come from `adj-plan-memory`. `accumulate`: the (only) output is added to what its buffer holds.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<DenseI64ArrayAttr>:$row_strides, UnitAttr:$accumulate);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name (`accumulate` $accumulate^)? attr-dict-with-keyword $body";
}

def Adj_YieldOp : Adj_Op<"yield", [Pure, ReturnLike, Terminator, HasParent<"KernelOp">]> {
  let summary = "Ends a kernel with its outputs.";
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
}

def Adj_DispatchOp : Adj_Op<"dispatch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>, AttrSizedOperandSegments]> {
  let summary = "Runs a kernel.";
  let description = [{
    On tensors: inputs to results. On memrefs (after `adj-plan-memory`): inputs and `outs`, no results. `accumulate_into` names the parameter
    whose gradient the kernel adds to (it then has no result).
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$inputs, Variadic<AnyType>:$outs, OptionalAttr<StrAttr>:$accumulate_into);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` (`outs` `(` $outs^ `)`)? (`into` $accumulate_into^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Adj_GemmOp : Adj_Op<"gemm"> {
  let summary = "A matrix product given to the BLAS; on tensors or, with `c`, on memrefs.";
  let description = [{
    As adj.matmul. `accumulate_into` names the parameter whose gradient it adds to; `accumulate` adds to c. a and b are both f32 or both bf16; sums are
    f32 either way, and rounded once where the product is stored in bf16, which accumulates nothing.
  }];
  let arguments = (ins AnyType:$a, AnyType:$b, Optional<AnyType>:$c, UnitAttr:$transpose_a, UnitAttr:$transpose_b, UnitAttr:$accumulate,
                       OptionalAttr<StrAttr>:$accumulate_into);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = "$a `,` $b (`outs` $c^)? (`into` $accumulate_into^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------------------------------------------------===//

def Adj_BufferOp : Adj_Op<"buffer", [Pure]> {
  let summary = "A planned place: base(kind) + offset + layer * layer_stride.";
  let description = [{
    `size` in bytes is that of one layer's instance for a whole shard. The memref's leading stride is the row stride. `row_bytes` is how far the place moves
    per row of a mini-sequence (0 outside of mini-sequences).
  }];
  let arguments = (ins StrAttr:$name, Adj_BufferKind:$kind, I64Attr:$offset, I64Attr:$size, I64Attr:$layer_stride, I64Attr:$row_bytes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$name $kind attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Adj_CopyOp : Adj_Op<"copy", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Copies one buffer to another of the same shape.";
  let arguments = (ins AnyMemRef:$source, AnyMemRef:$destination);
  let assemblyFormat = "$source `,` $destination attr-dict `:` type($source) `,` type($destination)";
  let hasVerifier = 1;
}

#endif
