//===- JsonFields.h - the fields of a JSON object, with their places --------------------------------------------===//
//
// A thin reader over a JSON object that gives typed fields, remembers which were asked for, and names file, line,
// column and field in every error.
//
//===----------------------------------------------------------------------------------------------------------------===//
#ifndef ADJC_IMPORT_JSONFIELDS_H
#define ADJC_IMPORT_JSONFIELDS_H

#include "adjrt/support/Status.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace adjc {

class JsonFields {
public:
  /// Parses `text`, which must be one JSON object whose fields all have different names.
  static adjrt::Expected<JsonFields> parse(std::string_view text, std::string_view fileName);

  /// The value of a field, or null if the file does not have it. Marks it as asked for.
  const nlohmann::json *find(const std::string &name);

  /// Reads a field into `value`, which keeps its default where the file does not have the field. Bounds are inclusive.
  adjrt::Status integer(const std::string &name, int64_t &value, int64_t least, int64_t most);
  adjrt::Status number(const std::string &name, double &value, double least, double most);
  adjrt::Status boolean(const std::string &name, bool &value);
  adjrt::Status text(const std::string &name, std::string &value);

  /// Names of the fields that nobody has asked for, in the order of the file.
  std::vector<std::string> unread() const;

  /// An InvalidInput error at a field (or at the object's start, when the file does not have the field).
  tl::unexpected<adjrt::Error> error(const std::string &name, const std::string &problem) const;

private:
  struct Place {
    size_t line = 1, column = 1;
  };
  nlohmann::json object;
  std::string fileName;
  std::map<std::string, Place> places;
  std::vector<std::string> order;
  std::set<std::string> read;

  tl::unexpected<adjrt::Error> wrongType(const std::string &name, const std::string &expected) const;
};

} // namespace adjc

#endif
