/* Kernels for the runtime's tests. "model_*": a language model small enough to check by hand, with one weight w per
 * vocabulary entry and a decaying state s: s_t = (reset ? 0 : r s_{t-1}) + w[token_t],  loss_t = (s_t - target_t)^2 / 2
 * where counted,  r = 1/2. */
#include "adjrt/abi.h"

/* x[row] (f32) += 1 + layer mark: operands x, scale. One group per row of one float. */
void add_scaled(const adj_kernel_args *args) {
  float *x = (float *)args->buffers[0];
  const float *scale = (const float *)args->buffers[1];
  for (int64_t g = args->first_group; g < args->last_group; ++g)
    x[g] = x[g] * 10 + scale[0];
}

/* log[0] counts calls; log[1 + count] records a mark and the rows: operands log, mark. One group. */
void record(const adj_kernel_args *args) {
  float *log = (float *)args->buffers[0];
  const float *mark = (const float *)args->buffers[1];
  const int count = (int)log[0];
  log[1 + 2 * count] = mark[0];
  log[2 + 2 * count] = (float)args->rows;
  log[0] = (float)(count + 1);
}

/* out[g] = g * 1000000 + batch * 10000 + tokens * 100 + rows, one group per element. */
void shapes(const adj_kernel_args *args) {
  int64_t *out = (int64_t *)args->buffers[0];
  for (int64_t g = args->first_group; g < args->last_group; ++g)
    out[g] = g * 1000000 + args->batch * 10000 + args->tokens * 100 + args->rows;
}

/* operands: tokens, resets, w, carry in (batch), carry out (batch), states (batch x tokens). One group per sequence. */
void model_forward(const adj_kernel_args *args) {
  const int32_t *tokens = (const int32_t *)args->buffers[0];
  const uint8_t *resets = (const uint8_t *)args->buffers[1];
  const float *w = (const float *)args->buffers[2], *in = (const float *)args->buffers[3];
  float *out = (float *)args->buffers[4], *states = (float *)args->buffers[5];
  for (int64_t b = args->first_group; b < args->last_group; ++b) {
    float state = in[b];
    for (int64_t t = 0; t < args->tokens; ++t) {
      const int64_t i = b * args->tokens + t;
      state = (resets[i] ? 0.0f : 0.5f * state) + w[tokens[i]];
      states[i] = state;
    }
    out[b] = state;
  }
}

/* operands: tokens, targets, resets, states, loss scale, losses, cotangent in, cotangent out, gradient of w. One group:
 * all sequences. */
void model_backward(const adj_kernel_args *args) {
  const int32_t *tokens = (const int32_t *)args->buffers[0], *targets = (const int32_t *)args->buffers[1];
  const uint8_t *resets = (const uint8_t *)args->buffers[2];
  const float *states = (const float *)args->buffers[3], *scale = (const float *)args->buffers[4];
  float *losses = (float *)args->buffers[5];
  const float *in = (const float *)args->buffers[6];
  float *out = (float *)args->buffers[7], *gradient = (float *)args->buffers[8];
  for (int64_t b = 0; b < args->batch; ++b) {
    float c = in[b];
    for (int64_t t = args->tokens - 1; t >= 0; --t) {
      const int64_t i = b * args->tokens + t;
      const float difference = targets[i] == -100 ? 0.0f : states[i] - (float)targets[i];
      losses[i] = difference * difference / 2;
      const float p = c + difference * scale[0];
      gradient[tokens[i]] += p;
      c = resets[i] ? 0.0f : 0.5f * p;
    }
    out[b] = c;
  }
}
