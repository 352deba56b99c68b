#include "FakeCuda.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace adjrt::test {

FakeCuda &fakeCuda() {
  void *library = dlopen(ADJRT_FAKE_CUDA "/libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  void *symbol = library ? dlsym(library, "adjrtFakeCuda") : nullptr;
  if (!symbol) {
    std::fprintf(stderr, "the fake driver is not there: %s\n", dlerror());
    std::abort();
  }
  return *reinterpret_cast<FakeCuda *(*)()>(symbol)();
}

} // namespace adjrt::test
