// RUN: adj-opt --adj-lower-kernels=target=tpu --verify-diagnostics %s

// expected-error @+1 {{kernels are lowered for target cpu or gpu, not 'tpu'}}
module {
}
