// Reading and writing what lies in the arena by name: parameters, gradients, boundaries.
#include "adjrt/session/Session.h"

namespace adjrt {

Status Session::access(std::string_view name, std::uint64_t first, std::uint64_t count, std::uint64_t region,
                       std::uint64_t &offset) const {
  const fb::Parameter *parameter = mod->parameter(name);
  if (!parameter)
    return invalidInput("parameter '" + std::string(name) + "' is not one of " + mod->path());
  const std::uint64_t elements = elementCount(*parameter);
  if (first > elements || count > elements - first)
    return invalidInput("parameter '" + std::string(name) + "': elements " + std::to_string(first) + " to " +
                        std::to_string(first + count) + " of " + std::to_string(elements));
  offset = region + parameter->offset() + first * sizeof(float);
  return {};
}

Status Session::setParameter(std::string_view name, std::span<const float> values, std::uint64_t first) {
  std::uint64_t offset = 0;
  ADJ_RETURN_IF_ERROR(access(name, first, values.size(), layout.parameters, offset));
  parametersChanged = true;
  return dev->upload(offset, std::as_bytes(values));
}

Status Session::getParameter(std::string_view name, std::span<float> values, std::uint64_t first) {
  std::uint64_t offset = 0;
  ADJ_RETURN_IF_ERROR(access(name, first, values.size(), layout.parameters, offset));
  return dev->download(offset, std::as_writable_bytes(values));
}

Status Session::getGradient(std::string_view name, std::span<float> values, std::uint64_t first) {
  if (!haveGradients)
    return failed("there are no gradients before valueAndGrad");
  std::uint64_t offset = 0;
  ADJ_RETURN_IF_ERROR(access(name, first, values.size(), layout.gradients, offset));
  return dev->download(offset, std::as_writable_bytes(values));
}

Status Session::setBoundary(std::uint64_t offset, std::span<const std::byte> values) {
  return values.empty() ? dev->zero(offset, boundaryBytes()) : dev->upload(offset, values);
}

Status Session::getBoundary(const std::optional<std::uint64_t> &offset, std::span<std::byte> values, const char *what) {
  if (!offset)
    return failed(std::string("there are no ") + what + " yet, or the arena was laid out anew since");
  if (values.size() != boundaryBytes())
    return invalidInput(std::string(what) + ": room for " + std::to_string(values.size()) +
                        " bytes; a boundary of this module has " + std::to_string(boundaryBytes()));
  return dev->download(*offset, values);
}

Status Session::getFinalStates(std::span<std::byte> states) { return getBoundary(finalStates, states, "final states"); }

Status Session::getInitialCotangents(std::span<std::byte> cotangents) {
  return getBoundary(initialCotangents, cotangents, "initial-state cotangents");
}

} // namespace adjrt
