//===- AdjOffload.td - values in host memory, and the transfers there and back --------------------------------------===//
#ifndef ADJ_OFFLOAD_TD
#define ADJ_OFFLOAD_TD

include "adj/AdjDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------------------------------------------------===//
// On tensors
//===----------------------------------------------------------------------------------------------------------------===//

def Adj_OffloadOp : Adj_Op<"offload", [Pure, AllTypesMatch<["value", "ring", "host"]>]> {
  let summary = "Sends a layer's value to host memory.";
  let description = [{
    Both results are the value: `ring` in device memory, in a place in which two layers take turns, `host` in host memory, which the stack yields and
    stacks. The value is sent while the layers after it run; a layer begins when the value of the layer whose place it takes has gone.

    ```mlir
    %ring, %host = adj.offload %v : tensor<?x?x128xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$value);
  let results = (outs AnyRankedTensor:$ring, AnyRankedTensor:$host);
  let assemblyFormat = "$value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Adj_PrefetchOp : Adj_Op<"prefetch", [Pure, AllTypesMatch<["slice", "result"]>]> {
  let summary = "A layer's value back from host memory.";
  let description = [{
    `slice` is a sliced value of the reverse stack, of what adj.offload yielded. It was fetched while the layer before, in the order of the reverse, ran.

    ```mlir
    %v = adj.prefetch %slice : tensor<?x?x128xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$slice);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$slice attr-dict `:` type($slice)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// What was sent; null where the operation is not well formed.
    ::mlir::adj::OffloadOp getOffload();
  }];
}

//===----------------------------------------------------------------------------------------------------------------===//
// On buffers
//===----------------------------------------------------------------------------------------------------------------===//

def Adj_HostBufferOp : Adj_Op<"host_buffer", [Pure]> {
  let summary = "A planned place in the program's host part: offset + layer * layer_stride.";
  let description = [{ As adj.buffer, in memory of the host, which only adj.transfer reaches. `size` in bytes is that of one of `layers`. }];
  let arguments = (ins StrAttr:$name, I64Attr:$offset, I64Attr:$size, I64Attr:$layer_stride, I64Attr:$layers);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Adj_TransferOp : Adj_Op<"transfer", [MemoryEffects<[MemRead, MemWrite]>, AllTypesMatch<["source", "destination"]>]> {
  let summary = "Copies a buffer to host memory or back, beside the commands after it.";
  let description = [{
    It begins when the commands before it have finished. `shift`: both places are those of so many layers on; where there is no such layer it is empty.

    ```mlir
    adj.transfer to_host %ring, %host : memref<?x?x128xf32>
    adj.transfer to_device %host, %ring shift -1 : memref<?x?x128xf32>
    ```
  }];
  let arguments = (ins AnyMemRef:$source, AnyMemRef:$destination, UnitAttr:$to_host, OptionalAttr<I64Attr>:$layer_shift);
  let assemblyFormat = [{
    (`to_host` $to_host^) : (`to_device`)? $source `,` $destination (`shift` $layer_shift^)? attr-dict `:` type($source)
  }];
  let hasVerifier = 1;
}

def Adj_AwaitOp : Adj_Op<"await", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "The commands after it begin when all transfers in one direction but the last `behind` have finished.";
  let description = [{ `adj.await to_host behind 3`. }];
  let arguments = (ins UnitAttr:$to_host, I64Attr:$behind);
  let assemblyFormat = "(`to_host` $to_host^) : (`to_device`)? `behind` $behind attr-dict";
  let hasVerifier = 1;
}

#endif
