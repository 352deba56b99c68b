// ScanModels.h - small language models around recurrences other than Mamba's, each a spelling of ssm.scan.
#ifndef ADJC_TEST_REFERENCE_SCANMODELS_H
#define ADJC_TEST_REFERENCE_SCANMODELS_H

#include "ModelBuilder.h"

namespace adjrt::reference::test {

/// embedding (vocabulary, channels) -> y = body(x) -> residual -> head. The vocabulary is 11.
ModelBuilder languageModel(std::int64_t channels, const std::function<int(ModelBuilder &, int x)> &body);

/// Complex diagonal with channels of the output's own (S5): h[n] = exp(step (re + i im)[n]) h[n] + sum_c B[n,c] x[c],
/// y[p] = Re(sum_n C[p,n] h[n]) + D[p] x[p]. `initial`: with a parameter as the initial state (batch 2).
ModelBuilder s5(bool initial);
/// Dense: h[n] = sum_m tanh(W[n,m] + x[n]) / 4 h[m] + x[n].
ModelBuilder dense();
/// Scalar per head (SSD): state (h, p, n), a = exp(-softplus-like dt[h]).
ModelBuilder ssd();
/// A state without a dimension beside channels, with the reset flag read in both regions (RG-LRU's input scale).
ModelBuilder lru();
/// Two outputs, only one of which is used; a state stored in another order than its dimensions.
ModelBuilder twoOutputs();
/// h = h + f(x) for one scalar op; `arguments` is 1, 2 or 3.
ModelBuilder scalarOp(const std::string &op, int arguments);

} // namespace adjrt::reference::test

#endif
