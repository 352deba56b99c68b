// adjrt/support/Status.h - errors as values: every fallible call returns Expected<T>; nothing aborts or throws across
// the API.
#ifndef ADJRT_SUPPORT_STATUS_H
#define ADJRT_SUPPORT_STATUS_H

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace adjrt {

/// Whose fault an error is; a tool's exit code follows from it.
enum class ErrorKind {
  InvalidInput, ///< the command line or an input file is wrong: exit code 2
  Failed,       ///< the work itself failed (not finite, a bound missed, out of memory): exit code 1
};

/// An error with its context. `message` names the file and the place and says what to do.
struct Error {
  ErrorKind kind = ErrorKind::Failed;
  std::string message;

  /// The same error, with `where` put before its message: errors are annotated while they travel up.
  [[nodiscard]] Error in(const std::string &where) const { return {kind, where + ": " + message}; }
};

template <typename T> using Expected = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

inline tl::unexpected<Error> invalidInput(std::string message) {
  return tl::unexpected<Error>(Error{ErrorKind::InvalidInput, std::move(message)});
}
inline tl::unexpected<Error> failed(std::string message) {
  return tl::unexpected<Error>(Error{ErrorKind::Failed, std::move(message)});
}

} // namespace adjrt

/// Return the error of `expression` (a Status or Expected) to the caller, if it has one.
#define ADJ_RETURN_IF_ERROR(expression)                                                                                \
  do {                                                                                                                 \
    if (auto adjStatus_ = (expression); !adjStatus_)                                                                   \
      return tl::unexpected<::adjrt::Error>(std::move(adjStatus_).error());                                            \
  } while (false)

#define ADJ_CONCAT_INNER_(a, b) a##b
#define ADJ_CONCAT_(a, b) ADJ_CONCAT_INNER_(a, b)

/// `ADJ_ASSIGN_OR_RETURN(auto value, call())`: the value, or the error to the caller.
#define ADJ_ASSIGN_OR_RETURN(declaration, expression)                                                                  \
  auto ADJ_CONCAT_(adjResult_, __LINE__) = (expression);                                                               \
  if (!ADJ_CONCAT_(adjResult_, __LINE__))                                                                              \
    return tl::unexpected<::adjrt::Error>(std::move(ADJ_CONCAT_(adjResult_, __LINE__)).error());                       \
  declaration = std::move(*ADJ_CONCAT_(adjResult_, __LINE__))

#endif
