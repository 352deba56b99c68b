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

/* What one kernel call sees. A kernel is cut into groups; one call runs groups [first_group, last_group). Groups may
 * run in any order and on any thread; no two groups write the same address, so the result does not depend on how they
 * are distributed. */
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

/* PTX kernels. A kernel of GPU code is one .entry, named as in the module's table. Its parameters, all 64-bit:
 *
 *   one address per buffer operand, in the order of the dispatch (layer, mini-sequence and row offsets applied), in the
 * generic address space; all are global memory. Buffers begin at multiples of ADJ_ALIGNMENT; an operand's address is as
 * aligned as its reference's offset, its buffer's layer stride and, in a mini-sequence, its row stride leave it, no
 * more. batch, tokens, rows: as in adj_kernel_args groups: the number of groups, at least 1
 *
 * One block runs one group. The grid is (x, y, 1) with x = min(groups, 2^31 - 1) and y = ceil(groups / x), so that any
 * number of groups fits: the group is %ctaid.y * %nctaid.x + %ctaid.x, in 64 bits, and a block whose group is not below
 * `groups` returns at once. The block is (threads, 1, 1) with shared_bytes of dynamic shared memory, both from the
 * kernel's table. Groups may run in any order and at the same time; no two write the same address. Kernels of one
 * program run one after the other. */

/* 64-bit counts after the addresses. */
#define ADJ_PTX_COUNTS 4u

/* What the loader accepts; a device checks its own limits when it opens a module. 4096 bytes of parameters are what
 * every driver takes, 1024 threads what every GPU does, and no GPU has a mebibyte of shared memory per block. */
#define ADJ_PTX_MOST_OPERANDS (4096u / 8u - ADJ_PTX_COUNTS)
#define ADJ_PTX_MOST_THREADS 1024u
#define ADJ_PTX_MOST_SHARED_BYTES (1u << 20)

#endif
