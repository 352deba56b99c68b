#include "AdamW.h"

namespace adjrt::cuda {

// One thread per value. PTX 7.0 and sm_80: every driver and GPU that the runtime supports takes it.
const char *const kAdamWCode = R"(
.version 7.0
.target sm_80
.address_size 64

.visible .entry adjrt_adamw(
  .param .u64 parameters, .param .u64 gradients, .param .u64 first, .param .u64 second, .param .u64 count,
  .param .f32 learning_rate, .param .f32 beta1, .param .f32 beta2, .param .f32 epsilon, .param .f32 weight_decay,
  .param .f32 correction1, .param .f32 correction2)
{
  .reg .pred %outside;
  .reg .b32 %block, %threads, %thread;
  .reg .b64 %i, %n, %own, %offset, %p, %g, %m, %v;
  .reg .f32 %rate, %b1, %b2, %eps, %decay, %c1, %c2, %rest, %one;
  .reg .f32 %gradient, %moment1, %moment2, %value, %t, %u;

  mov.u32 %block, %ctaid.x;
  mov.u32 %threads, %ntid.x;
  mov.u32 %thread, %tid.x;
  mul.wide.u32 %i, %block, %threads;
  cvt.u64.u32 %own, %thread;
  add.u64 %i, %i, %own;
  ld.param.u64 %n, [count];
  setp.ge.u64 %outside, %i, %n;
  @%outside bra done;

  shl.b64 %offset, %i, 2;
  ld.param.u64 %p, [parameters];
  ld.param.u64 %g, [gradients];
  ld.param.u64 %m, [first];
  ld.param.u64 %v, [second];
  cvta.to.global.u64 %p, %p;
  cvta.to.global.u64 %g, %g;
  cvta.to.global.u64 %m, %m;
  cvta.to.global.u64 %v, %v;
  add.u64 %p, %p, %offset;
  add.u64 %g, %g, %offset;
  add.u64 %m, %m, %offset;
  add.u64 %v, %v, %offset;
  ld.param.f32 %rate, [learning_rate];
  ld.param.f32 %b1, [beta1];
  ld.param.f32 %b2, [beta2];
  ld.param.f32 %eps, [epsilon];
  ld.param.f32 %decay, [weight_decay];
  ld.param.f32 %c1, [correction1];
  ld.param.f32 %c2, [correction2];
  ld.global.f32 %gradient, [%g];
  ld.global.f32 %moment1, [%m];
  ld.global.f32 %moment2, [%v];
  ld.global.f32 %value, [%p];
  mov.f32 %one, 0f3F800000;

  // m = beta1 m + (1 - beta1) g
  mul.rn.f32 %moment1, %b1, %moment1;
  sub.rn.f32 %rest, %one, %b1;
  mul.rn.f32 %t, %rest, %gradient;
  add.rn.f32 %moment1, %moment1, %t;
  st.global.f32 [%m], %moment1;
  // v = beta2 v + ((1 - beta2) g) g
  mul.rn.f32 %moment2, %b2, %moment2;
  sub.rn.f32 %rest, %one, %b2;
  mul.rn.f32 %t, %rest, %gradient;
  mul.rn.f32 %t, %t, %gradient;
  add.rn.f32 %moment2, %moment2, %t;
  st.global.f32 [%v], %moment2;
  // u = (m / c1) / (sqrt(v / c2) + epsilon)
  div.rn.f32 %u, %moment1, %c1;
  div.rn.f32 %t, %moment2, %c2;
  sqrt.rn.f32 %t, %t;
  add.rn.f32 %t, %t, %eps;
  div.rn.f32 %u, %u, %t;
  // p = p - rate (u + decay p)
  mul.rn.f32 %t, %decay, %value;
  add.rn.f32 %u, %u, %t;
  mul.rn.f32 %u, %rate, %u;
  sub.rn.f32 %value, %value, %u;
  st.global.f32 [%p], %value;
done:
  ret;
}
)";

namespace {
constexpr std::uint64_t kThreads = 256, kMostBlocks = 0x7fffffff;
} // namespace

Expected<AdamW> AdamW::load(const Context &context) {
  auto code = LoadedCode::load(context, kAdamWCode);
  if (!code)
    return tl::unexpected<Error>(code.error().in("adamw"));
  ADJ_ASSIGN_OR_RETURN(FunctionHandle function, code->entry("adjrt_adamw"));
  return AdamW(context, std::move(*code), function);
}

Status AdamW::step(Address arena, const AdamWStep &step) const {
  const Driver &api = context.driver();
  AdamWStep values = step;
  Address parameters = arena + step.parameters, gradients = arena + step.gradients, first = arena + step.firstMoment,
          second = arena + step.secondMoment;
  void *arguments[] = {&parameters,          &gradients,         &first,        &second,         &values.count,
                       &values.learningRate, &values.beta1,      &values.beta2, &values.epsilon, &values.weightDecay,
                       &values.correction1,  &values.correction2};
  const std::uint64_t blocks = (step.count + kThreads - 1) / kThreads;
  if (blocks == 0)
    return {};
  if (blocks > kMostBlocks)
    return failed("adamw: " + std::to_string(step.count) + " values are more than a grid has threads");
  Status status = api.check(api.launch(function, static_cast<unsigned>(blocks), 1, 1, kThreads, 1, 1, 0,
                                       context.stream(), arguments, nullptr),
                            "cuLaunchKernel");
  return status ? status : tl::unexpected<Error>(status.error().in("adamw"));
}

} // namespace adjrt::cuda
