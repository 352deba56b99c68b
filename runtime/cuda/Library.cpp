#include "Library.h"

#include <cstdlib>
#include <dlfcn.h>

namespace adjrt::cuda {

Expected<Library> Library::open(const std::vector<std::string> &sonames, const std::string &advice) {
  std::vector<std::string> paths;
  if (const char *folder = std::getenv(kLibraryFolderVariable); folder && *folder)
    for (const std::string &soname : sonames)
      paths.push_back(std::string(folder) + "/" + soname);
  paths.insert(paths.end(), sonames.begin(), sonames.end());
  std::string reasons;
  for (const std::string &path : paths) {
    if (void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
      return Library(handle, path);
    const char *reason = dlerror();
    reasons += (reasons.empty() ? "" : "; ") + std::string(reason ? reason : path + ": unknown reason");
  }
  std::string names;
  for (const std::string &soname : sonames)
    names += (names.empty() ? "" : " or ") + soname;
  return invalidInput("cannot open " + names + " (" + reasons + "); " + advice + ", or name the folder it is in in " +
                      kLibraryFolderVariable);
}

Expected<void *> Library::find(const char *symbol) const {
  if (void *address = dlsym(handle, symbol))
    return address;
  return invalidInput(name + " has no function " + symbol + "; install a newer version of it");
}

} // namespace adjrt::cuda
