// Writing one .safetensors file of f32 tensors.
#include "SafetensorsHeader.h"
#include "adjrt/io/Shape.h"

using namespace adjrt;

Expected<SafetensorsWriter> SafetensorsWriter::create(const std::string &path, std::vector<TensorSpec> tensors) {
  std::vector<std::uint64_t> offsets;
  Expected<std::string> header = printSafetensorsHeader(tensors, offsets);
  if (!header)
    return tl::unexpected(header.error().in(path));
  ADJ_ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
  std::string head(8, '\0');
  for (int i = 0; i != 8; ++i)
    head[static_cast<std::size_t>(i)] = static_cast<char>(header->size() >> 8 * i & 0xff);
  head += *header;
  for (std::uint64_t &offset : offsets)
    offset += head.size();
  ADJ_RETURN_IF_ERROR(file.reserve(offsets.back()));
  ADJ_RETURN_IF_ERROR(file.writeAt(0, std::as_bytes(std::span(head))));
  SafetensorsWriter writer(std::move(file), std::move(tensors));
  writer.offsets = std::move(offsets);
  writer.written.resize(writer.tensors.size());
  return writer;
}

Status SafetensorsWriter::write(std::size_t index, std::span<const float> values, std::uint64_t first) {
  std::uint64_t size = offsets[index + 1] - offsets[index];
  if (first > size / sizeof(float) || values.size_bytes() > size - first * sizeof(float))
    return failed(file.path() + ": tensor '" + tensors[index].name + "' of shape " + printShape(tensors[index].shape) +
                  " was given " + std::to_string(first + values.size()) + " values");
  ADJ_RETURN_IF_ERROR(file.writeAt(offsets[index] + first * sizeof(float), std::as_bytes(values)));
  written[index] += values.size_bytes();
  return {};
}

Status SafetensorsWriter::commit() {
  for (std::size_t i = 0; i != written.size(); ++i)
    if (written[i] != offsets[i + 1] - offsets[i])
      return failed(file.path() + ": tensor '" + tensors[i].name + "' was not written whole");
  return file.commit();
}
