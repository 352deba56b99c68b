// The CUDA driver, opened at run time.
#ifndef ADJRT_CUDA_DRIVER_H
#define ADJRT_CUDA_DRIVER_H

#include "DriverApi.h"
#include "adjrt/support/Status.h"

#include <memory>

namespace adjrt::cuda {

class Driver : public DriverApi {
public:
  /// Open libcuda.so.1 and initialise it. InvalidInput when there is no driver, a function is missing, or there is no
  /// GPU.
  static Expected<std::shared_ptr<const Driver>> open();

  /// What a call returned, as a status: "cuMemCreate: CUDA_ERROR_OUT_OF_MEMORY (out of memory)".
  Status check(Result result, const char *call) const;
};

} // namespace adjrt::cuda

#endif
