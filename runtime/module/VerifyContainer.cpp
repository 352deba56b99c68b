#include "Verify.h"
#include "adjrt/abi.h"
#include "adjrt/module/format.h"

#include <algorithm>
#include <cstring>
#include <xxhash.h>

namespace adjrt::verify {
namespace {

std::uint64_t checksum(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

constexpr const char *kDamaged = "; the file is damaged, compile the spec again";

Expected<FileHeader> header(std::span<const std::byte> file) {
  FileHeader header;
  if (file.size() < sizeof header)
    return invalidInput("header: the file ends after " + std::to_string(file.size()) + " of " +
                        std::to_string(sizeof header) + " bytes" + kDamaged);
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0)
    return invalidInput("header: not an adjc module (wrong magic bytes); give a file that adjc wrote");
  if (header.version != kFormatVersion)
    return invalidInput("header: module format version " + std::to_string(header.version) +
                        ", but this runtime reads version " + std::to_string(kFormatVersion) +
                        "; compile the spec with the adjc of this release");
  if (header.headerChecksum != checksum(file.first(offsetof(FileHeader, headerChecksum))))
    return invalidInput(std::string("header: wrong checksum") + kDamaged);
  if (header.fileSize != file.size())
    return invalidInput("header: the file has " + std::to_string(file.size()) + " bytes, but should have " +
                        std::to_string(header.fileSize) + kDamaged);
  if (header.tableSize > file.size() - sizeof header)
    return invalidInput("header: the table of " + std::to_string(header.tableSize) + " bytes does not fit in the file" +
                        kDamaged);
  return header;
}

Status zeros(std::span<const std::byte> file, std::uint64_t begin, std::uint64_t end) {
  const auto gap = file.subspan(begin, end - begin);
  const auto found = std::find_if(gap.begin(), gap.end(), [](std::byte value) { return value != std::byte(0); });
  if (found != gap.end())
    return invalidInput("byte " + std::to_string(begin + static_cast<std::uint64_t>(found - gap.begin())) +
                        ": padding is not zero" + kDamaged);
  return {};
}

Status blobs(std::span<const std::byte> file, const fb::Module &module, std::uint64_t end) {
  std::uint32_t index = 0;
  for (const fb::Blob *blob : Items(module.blobs())) {
    const std::string place = "blob " + std::to_string(index++) + ": ";
    const std::uint64_t offset = blob->offset(), size = blob->size();
    if (offset % ADJ_ALIGNMENT != 0)
      return invalidInput(place + "offset " + std::to_string(offset) + " is not a multiple of " +
                          std::to_string(ADJ_ALIGNMENT));
    if (offset < end || offset > file.size() || size > file.size() - offset)
      return invalidInput(place + "bytes " + std::to_string(offset) + " to " +
                          std::to_string(Wide(offset) + size > file.size() ? file.size() : offset + size) +
                          " overlap other data or leave the file");
    ADJ_RETURN_IF_ERROR(zeros(file, end, offset));
    if (blob->checksum() != checksum(file.subspan(offset, size)))
      return invalidInput(place + "wrong checksum" + kDamaged);
    end = offset + size;
  }
  return zeros(file, end, file.size());
}

} // namespace

Status container(std::span<const std::byte> file) {
  ADJ_ASSIGN_OR_RETURN(const FileHeader head, header(file));
  const auto table = file.subspan(sizeof(FileHeader), head.tableSize);
  if (head.tableChecksum != checksum(table))
    return invalidInput(std::string("table: wrong checksum") + kDamaged);
  // A table takes at least 4 bytes: the limit guards against tables that many offsets share.
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t *>(table.data()), table.size(), 64,
                                 static_cast<flatbuffers::uoffset_t>(table.size() / 4 + 1));
  if (table.size() >= FLATBUFFERS_MAX_BUFFER_SIZE || !fb::VerifyModuleBuffer(verifier))
    return invalidInput("table: not a valid FlatBuffer of the module schema; compile the spec again");
  return blobs(file, *fb::GetModule(table.data()), sizeof(FileHeader) + head.tableSize);
}

} // namespace adjrt::verify
