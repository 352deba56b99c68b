// A library opened at run time: one binary serves machines with and without a GPU.
#ifndef ADJRT_CUDA_LIBRARY_H
#define ADJRT_CUDA_LIBRARY_H

#include "adjrt/support/Status.h"

#include <string>
#include <vector>

namespace adjrt::cuda {

/// The environment variable that names a folder to look for libraries in, before the system's places.
inline constexpr const char *kLibraryFolderVariable = "ADJRT_CUDA_LIBRARY_PATH";

class Library {
public:
  /// The first of `sonames` that can be opened. InvalidInput, with the loader's reason and `advice`, when none can.
  static Expected<Library> open(const std::vector<std::string> &sonames, const std::string &advice);

  /// Put the address of `symbol` into `pointer`. InvalidInput, naming both, when the library lacks it.
  template <typename Pointer> Status load(const char *symbol, Pointer *&pointer) const {
    ADJ_ASSIGN_OR_RETURN(void *address, find(symbol));
    pointer = reinterpret_cast<Pointer *>(address);
    return {};
  }
  /// The same for a symbol that only newer versions have: null where it is missing.
  template <typename Pointer> void loadIfPresent(const char *symbol, Pointer *&pointer) const {
    auto address = find(symbol);
    pointer = address ? reinterpret_cast<Pointer *>(*address) : nullptr;
  }

  const std::string &path() const { return name; }

private:
  Library(void *handle, std::string name) : handle(handle), name(std::move(name)) {}
  Expected<void *> find(const char *symbol) const;

  // Never closed: a driver has threads and exit handlers of its own.
  void *handle;
  std::string name;
};

} // namespace adjrt::cuda

#endif
