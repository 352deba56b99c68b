// Finding and opening the files of a model's parameters.
#include "adjrt/io/Parameters.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace adjrt;
using nlohmann::json;
namespace fs = std::filesystem;

/// An index names each tensor once: 100 MB is room for a million.
static constexpr std::uint64_t kLargestIndex = 100'000'000;
static constexpr const char *kIndexName = "model.safetensors.index.json";

/// The file that stands for a folder of parameters.
static Expected<std::string> inFolder(const std::string &folder) {
  std::error_code error;
  for (const char *name : {kIndexName, "model.safetensors"})
    if (fs::exists(fs::path(folder) / name, error))
      return (fs::path(folder) / name).string();
  std::vector<std::string> found;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".safetensors")
      found.push_back(entry.path().string());
  if (error)
    return invalidInput(folder + ": the folder cannot be read: " + error.message());
  if (found.size() != 1)
    return invalidInput(folder + ": the folder has neither " + kIndexName + " nor model.safetensors, and " +
                        std::to_string(found.size()) + " other .safetensors files; name the file to use");
  return found.front();
}

Expected<ParameterSource> ParameterSource::open(const std::string &path) {
  std::string file = path;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    ADJ_ASSIGN_OR_RETURN(file, inFolder(path));
  }
  ParameterSource source(file);
  bool isIndex = fs::path(file).extension() == ".json";
  ADJ_RETURN_IF_ERROR(isIndex ? source.addIndex(file) : source.addFile(file));
  return source;
}

Status ParameterSource::addFile(const std::string &path) {
  ADJ_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::open(path));
  for (std::size_t i = 0; i != file.entries().size(); ++i) {
    const std::string &tensor = file.entries()[i].tensor.name;
    auto [place, inserted] = places.try_emplace(tensor, Place{files.size(), i});
    if (!inserted)
      return invalidInput(path + ": tensor '" + tensor + "' is also in " + files[place->second.file].path());
  }
  files.push_back(std::move(file));
  return {};
}

Status ParameterSource::addIndex(const std::string &path) {
  ADJ_ASSIGN_OR_RETURN(std::string text, readTextFile(path, kLargestIndex));
  json index;
  try {
    index = json::parse(text);
  } catch (const json::exception &error) {
    return invalidInput(path + ": is a damaged index: " + error.what());
  }
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    return invalidInput(path + ": is no index of .safetensors files: it has no object \"weight_map\"");
  std::map<std::string, std::string> fileOf;
  std::vector<std::string> names;
  for (const auto &[tensor, file] : index["weight_map"].items()) {
    if (!file.is_string())
      return invalidInput(path + ": the file of tensor '" + tensor + "' is not a string");
    // A file name only: an index from elsewhere has no say over other folders.
    auto name = file.get<std::string>();
    if (name.empty() || fs::path(name).filename() != name || name == "." || name == "..")
      return invalidInput(path + ": the file '" + name + "' of tensor '" + tensor +
                          "' is not a name in the index's folder");
    fileOf[tensor] = name;
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  for (const std::string &name : names) {
    std::string file = (fs::path(path).parent_path() / name).string();
    Status added = addFile(file);
    if (!added)
      return tl::unexpected(added.error().in(path));
  }
  for (const auto &[tensor, file] : fileOf) {
    auto place = places.find(tensor);
    if (place == places.end() || fs::path(files[place->second.file].path()).filename() != file)
      return invalidInput(path + ": tensor '" + tensor + "' is not in its file " + file);
  }
  for (const auto &[tensor, place] : places)
    if (!fileOf.contains(tensor))
      return invalidInput(path + ": tensor '" + tensor + "' of " + files[place.file].path() + " is not in the index");
  return {};
}

std::vector<TensorSpec> ParameterSource::tensors() const {
  std::vector<TensorSpec> list;
  for (const auto &[tensor, place] : places)
    list.push_back(files[place.file].entries()[place.entry].tensor);
  return list;
}

Status ParameterSource::read(const std::string &tensor, std::span<float> destination, std::uint64_t first) const {
  auto place = places.find(tensor);
  if (place == places.end())
    return invalidInput(name + ": has no tensor '" + tensor + "'");
  const SafetensorsFile &file = files[place->second.file];
  return file.read(file.entries()[place->second.entry], destination, first);
}
