// Reading and writing the JSON header of a .safetensors file.
#include "SafetensorsHeader.h"
#include "adjrt/io/Shape.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

using namespace adjrt;
using nlohmann::json;

namespace {
/// Bytes of an element of a dtype; 0 when the format does not define it.
std::int64_t elementSize(const std::string &dtype) {
  static constexpr std::pair<const char *, int> kSizes[] = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},  {"I32", 4},     {"I16", 2},    {"I8", 1},
      {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1},   {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
  for (auto [name, size] : kSizes)
    if (dtype == name)
      return size;
  return 0;
}

bool isUnsignedList(const json &value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const json &v) {
           return v.is_number_unsigned() && v.get<std::uint64_t>() <= INT64_MAX;
         });
}

Expected<SafetensorsEntry> parseEntry(const std::string &name, const json &value, std::uint64_t dataBegin,
                                      std::uint64_t dataSize) {
  auto wrong = [&](const std::string &what) { return invalidInput("tensor '" + name + "' " + what); };
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets") ||
      !value["dtype"].is_string() || !isUnsignedList(value["shape"]) || !isUnsignedList(value["data_offsets"]) ||
      value["data_offsets"].size() != 2 || value.size() != 3)
    return wrong(
        "is damaged: expected the keys dtype (a string), shape (a list of sizes) and data_offsets (two offsets)");
  SafetensorsEntry entry;
  entry.tensor = {name, value["shape"].get<std::vector<std::int64_t>>()};
  entry.dtype = value["dtype"].get<std::string>();
  auto begin = value["data_offsets"][0].get<std::uint64_t>();
  auto end = value["data_offsets"][1].get<std::uint64_t>();
  std::int64_t unit = elementSize(entry.dtype);
  if (unit == 0)
    return wrong("has the unknown dtype '" + entry.dtype + "'");
  std::optional<std::uint64_t> size = sizeOf(entry.tensor.shape, unit);
  if (!size)
    return wrong("is damaged: the size of shape " + printShape(entry.tensor.shape) + " overflows");
  if (begin > end || end > dataSize)
    return wrong("is damaged or the file is truncated: its data are bytes " + std::to_string(begin) + " to " +
                 std::to_string(end) + " of " + std::to_string(dataSize));
  if (end - begin != *size)
    return wrong("is damaged: shape " + printShape(entry.tensor.shape) + " of " + entry.dtype + " takes " +
                 std::to_string(*size) + " bytes, its data have " + std::to_string(end - begin));
  entry.begin = dataBegin + begin;
  entry.end = dataBegin + end;
  return entry;
}

/// Parses JSON; a name that comes twice is an error, which json::parse alone would hide.
Expected<json> parseObject(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  std::string twice;
  json::parser_callback_t callback = [&](int, json::parse_event_t event, json &value) {
    if (event == json::parse_event_t::object_start)
      keys.emplace_back();
    else if (event == json::parse_event_t::object_end)
      keys.pop_back();
    else if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      twice = value.get<std::string>();
    return true;
  };
  try {
    json parsed = json::parse(text, callback);
    if (!twice.empty())
      return invalidInput("has a damaged header: the key '" + twice + "' comes twice");
    if (!parsed.is_object())
      return invalidInput("has a damaged header: it is not a JSON object");
    return parsed;
  } catch (const json::exception &error) {
    return invalidInput(std::string("has a damaged header: ") + error.what());
  }
}
} // namespace

Expected<std::vector<SafetensorsEntry>> adjrt::parseSafetensorsHeader(std::string_view text, std::uint64_t dataBegin,
                                                                      std::uint64_t dataSize) {
  ADJ_ASSIGN_OR_RETURN(json header, parseObject(text));
  std::vector<SafetensorsEntry> entries;
  for (const auto &[name, value] : header.items()) {
    if (name == "__metadata__")
      continue;
    ADJ_ASSIGN_OR_RETURN(SafetensorsEntry entry, parseEntry(name, value, dataBegin, dataSize));
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const SafetensorsEntry &a, const SafetensorsEntry &b) {
    return std::tie(a.begin, a.end, a.tensor.name) < std::tie(b.begin, b.end, b.tensor.name);
  });
  std::uint64_t expected = dataBegin;
  for (const SafetensorsEntry &entry : entries) {
    if (entry.begin != expected)
      return invalidInput("tensor '" + entry.tensor.name + "' is damaged: its data begin at byte " +
                          std::to_string(entry.begin) + " of the file, expected " + std::to_string(expected) +
                          " (tensors may neither overlap nor leave gaps)");
    expected = entry.end;
  }
  if (expected != dataBegin + dataSize)
    return invalidInput("has " + std::to_string(dataBegin + dataSize - expected) +
                        " trailing bytes that belong to no tensor");
  return entries;
}

Expected<std::string> adjrt::printSafetensorsHeader(const std::vector<TensorSpec> &tensors,
                                                    std::vector<std::uint64_t> &offsets) {
  nlohmann::ordered_json header;
  header["__metadata__"]["format"] = "pt"; // what Hugging Face's loader insists on
  offsets.assign(1, 0);
  for (const TensorSpec &tensor : tensors) {
    if (tensor.name == "__metadata__" || header.contains(tensor.name))
      return invalidInput("the tensor name '" + tensor.name + "' cannot be written twice");
    std::optional<std::uint64_t> size = sizeOf(tensor.shape, sizeof(float));
    std::uint64_t end = 0;
    if (!size || __builtin_add_overflow(offsets.back(), *size, &end) || end > INT64_MAX)
      return invalidInput("the size of tensor '" + tensor.name + "' of shape " + printShape(tensor.shape) +
                          " overflows");
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offsets.back(), end}}};
    offsets.push_back(end);
  }
  try {
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  } catch (const json::exception &error) {
    return invalidInput(std::string("a tensor name cannot be written: ") + error.what());
  }
}
