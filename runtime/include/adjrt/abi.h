/* adjrt/abi.h - how the runtime calls a kernel of a module: shared by compiler and runtime.
 *
 * Change ADJ_ABI_VERSION whenever the meaning of anything here changes; the loader refuses a module of another version.
 * Plain C, no dependency: the compiler mirrors these structs in LLVM IR. */
#ifndef ADJRT_ABI_H
#define ADJRT_ABI_H

#include <stdint.h>

#define ADJ_ABI_VERSION 1u

/* Alignment in bytes of every arena buffer, blob and parameter. */
#define ADJ_ALIGNMENT 64u

/* What one kernel call sees. A kernel is cut into groups; one call runs groups [first_group, last_group). Groups may run in any
 * order and on any thread; no two groups write the same address, so the result does not depend on how they are
 * distributed. */
typedef struct adj_kernel_args {
  /* One address per buffer operand, in the order of the dispatch (layer, mini-sequence and column offsets applied). */
  void *const *buffers;
  int64_t batch;       /* sequences in the shard */
  int64_t tokens;      /* tokens per sequence in this shard, 1 .. S */
  int64_t rows;        /* batch * tokens, or the rows of this mini-sequence */
  int64_t first_group; /* inclusive */
  int64_t last_group;  /* exclusive */
} adj_kernel_args;

/* A native CPU kernel, exported by the module's shared object under its name. */
typedef void (*adj_cpu_kernel)(const adj_kernel_args *args);

#endif
