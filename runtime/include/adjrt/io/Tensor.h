// adjrt/io/Tensor.h - the name and shape of one parameter, as files and modules both list them.
#ifndef ADJRT_IO_TENSOR_H
#define ADJRT_IO_TENSOR_H

#include <cstdint>
#include <string>
#include <vector>

namespace adjrt {

struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape; ///< sizes, outermost first

  friend bool operator==(const TensorSpec &, const TensorSpec &) = default;
};

} // namespace adjrt

#endif
