#include "AdamW.h"

#include <algorithm>
#include <cmath>

namespace adjrt::cpu {

void adamw(ThreadPool &pool, std::byte *arena, const AdamWStep &step) {
  const auto values = [&](std::uint64_t offset) { return reinterpret_cast<float *>(arena + offset); };
  float *parameters = values(step.parameters), *first = values(step.firstMoment), *second = values(step.secondMoment);
  const float *gradients = values(step.gradients);
  constexpr std::uint64_t kChunk = 16384;
  pool.run((step.count + kChunk - 1) / kChunk, [&](std::uint64_t task) {
    const std::uint64_t end = std::min(step.count, (task + 1) * kChunk);
    for (std::uint64_t i = task * kChunk; i < end; ++i) {
      const float g = gradients[i];
      const float m = first[i] = step.beta1 * first[i] + (1 - step.beta1) * g;
      const float v = second[i] = step.beta2 * second[i] + (1 - step.beta2) * g * g;
      const float update = m / step.correction1 / (std::sqrt(v / step.correction2) + step.epsilon);
      parameters[i] -= step.learningRate * (update + step.weightDecay * parameters[i]);
    }
  });
}

} // namespace adjrt::cpu
