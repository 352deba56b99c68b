// Every example parses, verifies, survives a round trip, and expands to ops that have adjoints.

// RUN: adj-opt %examples/mamba-tiny.mlir | adj-opt | FileCheck %s --check-prefix=TINY
// RUN: adj-opt %examples/mamba-130m.mlir | adj-opt | FileCheck %s --check-prefix=SMALL
// RUN: adj-opt %examples/mamba-1.4b.mlir | adj-opt | FileCheck %s --check-prefix=LARGE
// RUN: adj-opt %examples/mamba-tiny.mlir --ssm-expand-layers | FileCheck %s --check-prefix=EXPANDED

// RUN: adj-opt %examples/mamba-mlp.mlir | adj-opt | FileCheck %s --check-prefix=MLP

// MLP: ssm.mlp silu
// TINY: ssm.repeat 2
// SMALL: ssm.repeat 24
// LARGE: ssm.repeat 48

// EXPANDED-NOT: ssm.silu
// EXPANDED-NOT: ssm.selective_scan
// EXPANDED: ssm.scan
// EXPANDED-NOT: ssm.selective_scan
