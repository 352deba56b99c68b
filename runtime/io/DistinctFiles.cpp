// What a run writes must not be what it reads.
#include "adjrt/io/File.h"

#include <filesystem>
#include <system_error>

namespace adjrt {

static bool isSameFile(const std::string &left, const std::string &right) {
  std::error_code error;
  const std::filesystem::path a = std::filesystem::weakly_canonical(left, error),
                              b = std::filesystem::weakly_canonical(right, error);
  if (error)
    return false;
  // Not what takes everything, such as /dev/null.
  if (std::filesystem::exists(a, error) && !std::filesystem::is_regular_file(a, error))
    return false;
  return a == b || std::filesystem::equivalent(a, b, error); // the latter: by two hard links
}

Status checkDistinct(std::span<const NamedPath> written, std::span<const NamedPath> read) {
  for (std::size_t i = 0; i != written.size(); ++i) {
    const auto check = [&](const NamedPath &other) -> Status {
      if (!written[i].path.empty() && !other.path.empty() && isSameFile(written[i].path, other.path))
        return invalidInput(std::string(written[i].option) + " " + written[i].path + " is also " + other.option +
                            "; give another file");
      return {};
    };
    for (const NamedPath &other : read)
      ADJ_RETURN_IF_ERROR(check(other));
    for (const NamedPath &other : written.subspan(i + 1))
      ADJ_RETURN_IF_ERROR(check(other));
  }
  return {};
}

} // namespace adjrt
