// adjrt/io/Parameters.h - a model's parameters on disk: one .safetensors file, a Hugging Face index, or a folder with
// either.
#ifndef ADJRT_IO_PARAMETERS_H
#define ADJRT_IO_PARAMETERS_H

#include "adjrt/io/Safetensors.h"

#include <map>

namespace adjrt {

/// The tensors of one or several .safetensors files, by name.
class ParameterSource {
public:
  /// `path`: a .safetensors file, a `model.safetensors.index.json`, or a folder that holds
  /// model.safetensors.index.json, model.safetensors, or exactly one .safetensors file (tried in this order). Errors
  /// (InvalidInput) name the file.
  static Expected<ParameterSource> open(const std::string &path);

  [[nodiscard]] const std::string &path() const { return name; }
  /// Names and shapes, sorted by name.
  [[nodiscard]] std::vector<TensorSpec> tensors() const;
  /// Reads the elements of a tensor from element `first` on, as f32. Errors: no such tensor; as SafetensorsFile::read.
  [[nodiscard]] Status read(const std::string &tensor, std::span<float> destination, std::uint64_t first = 0) const;

  /// Every tensor of `expected` is here with its shape and a dtype that is read, and nothing else is, `ignored` names
  /// apart. One error (InvalidInput) lists missing, extra, misshaped and unreadable tensors: up to 8 names with
  /// expected and found shapes.
  [[nodiscard]] Status match(const std::vector<TensorSpec> &expected, const std::vector<std::string> &ignored) const;

private:
  struct Place {
    std::size_t file;
    std::size_t entry;
  };

  explicit ParameterSource(std::string path) : name(std::move(path)) {}
  Status addFile(const std::string &path);
  Status addIndex(const std::string &path);

  std::string name;
  std::vector<SafetensorsFile> files;
  std::map<std::string, Place> places;
};

} // namespace adjrt

#endif
