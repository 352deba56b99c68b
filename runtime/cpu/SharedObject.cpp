#include "SharedObject.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace adjrt::cpu {

Expected<SharedObject> SharedObject::open(std::span<const std::byte> image) {
  const int file = memfd_create("adjc-kernels", MFD_CLOEXEC);
  if (file < 0)
    return failed(std::string("cannot make a memory file for native code: ") + std::strerror(errno));
  Expected<SharedObject> result = failed("");
  std::size_t done = 0;
  while (done < image.size()) {
    const ssize_t count = ::write(file, image.data() + done, image.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    done += static_cast<std::size_t>(count);
  }
  if (done < image.size()) {
    result = failed(std::string("cannot copy native code to a memory file: ") + std::strerror(errno));
  } else if (void *handle = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL)) {
    result = SharedObject(handle);
  } else {
    const char *reason = dlerror();
    result = invalidInput(std::string("the native code cannot be opened: ") + (reason ? reason : "unknown reason") +
                          "; compile the spec again");
  }
  ::close(file);
  return result;
}

SharedObject::~SharedObject() {
  if (handle)
    dlclose(handle);
}

Expected<adj_cpu_kernel> SharedObject::kernel(const std::string &name) const {
  void *symbol = dlsym(handle, name.c_str());
  if (!symbol)
    return invalidInput("kernel '" + name + "' is not exported by its native code; compile the spec again");
  return reinterpret_cast<adj_cpu_kernel>(symbol);
}

} // namespace adjrt::cpu
