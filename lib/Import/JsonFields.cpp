//===- JsonFields.cpp - the fields of a JSON object, with their places ------------------------------------------===//
#include "adjc/Import/JsonFields.h"

#include <algorithm>
#include <cmath>
#include <sstream>

using nlohmann::json;

namespace adjc {
namespace {

/// A position in the text, as an editor counts it.
struct Cursor {
  size_t line = 1, column = 1;
  void pass(char c) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
};

/// The place of every name of the outermost object, in order. `text` is valid JSON (already parsed once).
std::vector<std::pair<std::string, Cursor>> topLevelNames(std::string_view text) {
  std::vector<std::pair<std::string, Cursor>> names;
  Cursor cursor;
  int depth = 0;
  bool expectsName = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      Cursor start = cursor;
      size_t begin = i;
      do {
        if (text[i] == '\\') // an escaped quote does not end the string
          cursor.pass(text[i++]);
        cursor.pass(text[i++]);
      } while (text[i] != '"');
      cursor.pass('"');
      if (depth == 1 && expectsName) {
        names.emplace_back(json::parse(text.substr(begin, i - begin + 1)).get<std::string>(), start);
        expectsName = false;
      }
      continue;
    }
    if (c == '{' || c == '[')
      ++depth;
    if (c == '}' || c == ']')
      --depth;
    if ((c == '{' || c == ',') && depth == 1)
      expectsName = true;
    cursor.pass(c);
  }
  return names;
}

/// A number as a person writes it: 2147483647, 0.001, 1e-05.
template <typename T> std::string print(T value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

} // namespace

adjrt::Expected<JsonFields> JsonFields::parse(std::string_view text, std::string_view fileName) {
  JsonFields fields;
  fields.fileName = fileName;
  try {
    fields.object = json::parse(text);
  } catch (const json::parse_error &error) {
    Cursor cursor;
    size_t end = std::min(text.size(), error.byte > 0 ? error.byte - 1 : 0);
    for (size_t i = 0; i < end; ++i)
      cursor.pass(text[i]);
    return adjrt::invalidInput(fields.fileName + ":" + print(cursor.line) + ":" + print(cursor.column) +
                               ": this is not valid JSON; repair the file, or give an .mlir spec");
  } catch (const json::exception &error) { // a number that no double holds
    return adjrt::invalidInput(fields.fileName + ": " + error.what());
  }
  if (!fields.object.is_object())
    return adjrt::invalidInput(fields.fileName + ":1:1: expected a JSON object of fields, as in a config.json, found " +
                               fields.object.type_name());
  for (auto &[name, cursor] : topLevelNames(text)) {
    bool isNew = fields.places.insert({name, Place{cursor.line, cursor.column}}).second;
    if (!isNew) {
      fields.places[name] = Place{cursor.line, cursor.column};
      return fields.error(name, "is given twice; keep one");
    }
    fields.order.push_back(name);
  }
  return fields;
}

const json *JsonFields::find(const std::string &name) {
  read.insert(name);
  auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

adjrt::Status JsonFields::integer(const std::string &name, int64_t &value, int64_t least, int64_t most) {
  const json *field = find(name);
  if (!field)
    return {};
  if (!field->is_number_integer())
    return wrongType(name, "an integer");
  bool tooLarge = field->is_number_unsigned() && field->get<uint64_t>() > static_cast<uint64_t>(most);
  if (tooLarge || field->get<int64_t>() < least || field->get<int64_t>() > most)
    return error(name, "is " + field->dump() + "; it must be between " + print(least) + " and " + print(most));
  value = field->get<int64_t>();
  return {};
}

adjrt::Status JsonFields::number(const std::string &name, double &value, double least, double most) {
  const json *field = find(name);
  if (!field)
    return {};
  if (!field->is_number())
    return wrongType(name, "a number");
  double given = field->get<double>();
  if (!(given >= least && given <= most))
    return error(name, "is " + field->dump() + "; it must be between " + print(least) + " and " + print(most));
  value = given;
  return {};
}

adjrt::Status JsonFields::boolean(const std::string &name, bool &value) {
  const json *field = find(name);
  if (!field)
    return {};
  if (!field->is_boolean())
    return wrongType(name, "true or false");
  value = field->get<bool>();
  return {};
}

adjrt::Status JsonFields::text(const std::string &name, std::string &value) {
  const json *field = find(name);
  if (!field)
    return {};
  if (!field->is_string())
    return wrongType(name, "a string");
  value = field->get<std::string>();
  return {};
}

std::vector<std::string> JsonFields::unread() const {
  std::vector<std::string> names;
  for (const std::string &name : order)
    if (!read.count(name))
      names.push_back(name);
  return names;
}

tl::unexpected<adjrt::Error> JsonFields::error(const std::string &name, const std::string &problem) const {
  auto it = places.find(name);
  Place place = it == places.end() ? Place{} : it->second;
  return adjrt::invalidInput(fileName + ":" + print(place.line) + ":" + print(place.column) + ": field \"" + name +
                             "\" " + problem);
}

tl::unexpected<adjrt::Error> JsonFields::wrongType(const std::string &name, const std::string &expected) const {
  // A string or number is shown as it stands; an array or object would bury the message.
  const json &field = object.at(name);
  std::string found =
      field.is_structured() ? field.type_name() : field.dump(-1, ' ', true, json::error_handler_t::replace);
  return error(name, "must be " + expected + ", found " + found);
}

} // namespace adjc
