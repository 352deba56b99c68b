#include "adjrt/module/Module.h"
#include "Verify.h"
#include "adjrt/module/format.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace adjrt {
namespace {

/// Closes a file descriptor.
struct Descriptor {
  int value = -1;
  ~Descriptor() {
    if (value >= 0)
      ::close(value);
  }
};

Expected<AlignedBytes> readFile(const std::string &path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat info{};
  if (file.value < 0 || ::fstat(file.value, &info) != 0)
    return invalidInput(path + ": cannot open the module: " + std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return invalidInput(path + ": not a regular file; give a module that adjc wrote");
  ADJ_ASSIGN_OR_RETURN(AlignedBytes bytes, AlignedBytes::allocate(static_cast<std::size_t>(info.st_size)));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(file.value, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return invalidInput(path +
                          ": cannot read the module: " + (count < 0 ? std::strerror(errno) : "it became shorter"));
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

} // namespace

Expected<std::unique_ptr<Module>> Module::load(const std::string &path) {
  ADJ_ASSIGN_OR_RETURN(AlignedBytes bytes, readFile(path));
  return parse(std::move(bytes), path);
}

Expected<std::unique_ptr<Module>> Module::parse(AlignedBytes bytes, std::string name) {
  std::unique_ptr<Module> module(new Module(std::move(bytes), std::move(name)));
  const auto check = [&]() -> Status {
    ADJ_RETURN_IF_ERROR(verify::container(module->bytes.span()));
    module->root = fb::GetModule(module->bytes.data() + sizeof(FileHeader));
    ADJ_RETURN_IF_ERROR(verify::plan(*module->root));
    ADJ_RETURN_IF_ERROR(verify::programs(*module->root));
    return verify::model(*module->root->model());
  };
  if (Status status = check(); !status)
    return tl::unexpected<Error>(status.error().in(module->name));
  return module;
}

std::span<const std::byte> Module::blob(std::uint32_t index) const {
  const fb::Blob &blob = *root->blobs()->Get(index);
  return bytes.span().subspan(blob.offset(), blob.size());
}

const fb::Program *Module::program(std::string_view programName) const {
  for (const fb::Program *program : *root->programs())
    if (program->name()->string_view() == programName)
      return program;
  return nullptr;
}

const fb::Parameter *Module::parameter(std::string_view parameterName) const {
  for (const fb::Parameter *parameter : verify::Items(root->parameters()))
    if (parameter->name()->string_view() == parameterName)
      return parameter;
  return nullptr;
}

std::uint64_t elementBytes(fb::DType dtype) {
  switch (dtype) {
  case fb::DType::u8:
    return 1;
  case fb::DType::bf16:
  case fb::DType::f16:
    return 2;
  case fb::DType::f32:
  case fb::DType::i32:
    return 4;
  case fb::DType::f64:
  case fb::DType::c64:
    return 8;
  }
  return 0;
}

std::uint64_t elementCount(const fb::Parameter &parameter) {
  std::uint64_t count = 1;
  for (std::int64_t extent : verify::Items(parameter.shape()))
    count *= static_cast<std::uint64_t>(extent);
  return count;
}

} // namespace adjrt
