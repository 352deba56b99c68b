// Modules built by hand, for the runtime's tests: flatc's object API, then a file image with right sizes and checksums.
#ifndef ADJC_TEST_RUNTIME_SUPPORT_TESTMODULE_H
#define ADJC_TEST_RUNTIME_SUPPORT_TESTMODULE_H

#include "adjrt/module/Module.h"

#include <string>
#include <vector>

namespace adjrt::test {

/// The smallest valid module: two empty programs, batch 1, shard 4, context 64, no parameters, target cpu.
fb::ModuleT minimalModule();

/// The file image of a module; `blobs` are its blobs' bytes, for which it makes the blob table: shared objects for the
/// cpu, PTX for any other target.
std::string fileImage(fb::ModuleT module, const std::vector<std::string> &blobs = {});

/// Compute the header's checksum again, after the header was changed.
void sealHeader(std::string &image);

/// Compute the table's checksum again, and then the header's, after the table was changed in place.
void resealTable(std::string &image);

/// Verify an image in memory under the name "test.adjm".
Expected<std::unique_ptr<Module>> parseImage(const std::string &image);

/// All bytes of a file.
std::string readBytes(const std::string &path);

/// Short constructors for the tables that programs are made of.
fb::BufferT buffer(std::string name, fb::BufferKind kind, std::uint64_t offset, std::uint64_t size,
                   std::uint64_t layerStride = 0, std::uint32_t layers = 1);
fb::Extent fixed(std::int64_t count);
fb::Extent rows(std::int64_t factor = 1, std::int64_t block = 1);
fb::BufferRef ref(std::uint32_t buffer, std::uint64_t offset = 0, std::uint64_t rowStride = 0);

/// Append a block, or a command to the program's last block.
void addBlock(fb::ProgramT &program, std::uint32_t layers = 0, bool reverse = false, std::uint64_t miniSequence = 0);
void addCommand(fb::ProgramT &program, fb::DispatchT operation, std::string name = "");
void addCommand(fb::ProgramT &program, fb::GemmT operation, std::string name = "");
void addCommand(fb::ProgramT &program, fb::CopyT operation, std::string name = "");
void addCommand(fb::ProgramT &program, fb::FillT operation, std::string name = "");
void addCommand(fb::ProgramT &program, fb::TransferT operation, std::string name = "");
void addCommand(fb::ProgramT &program, fb::AwaitT operation, std::string name = "");

fb::DispatchT dispatch(std::uint32_t kernel, std::vector<fb::BufferRef> operands, fb::Extent groups);
/// A row-major product whose leading dimensions are those of dense matrices of fixed size.
fb::GemmT gemm(fb::BufferRef a, fb::BufferRef b, fb::BufferRef c, fb::Extent m, fb::Extent n, fb::Extent k,
               std::int64_t lda, std::int64_t ldb, std::int64_t ldc);
fb::CopyT copy(fb::BufferRef source, fb::BufferRef destination, fb::Extent count, std::uint64_t width,
               std::uint64_t sourceStride, std::uint64_t destinationStride);
fb::FillT fill(fb::BufferRef destination, fb::Extent bytes);
/// `count` dense rows of `width` bytes between the arena and the host, `shift` layers on.
fb::TransferT toHost(fb::BufferRef source, fb::BufferRef destination, fb::Extent count, std::uint64_t width,
                     std::int32_t shift = 0);
fb::TransferT toDevice(fb::BufferRef source, fb::BufferRef destination, fb::Extent count, std::uint64_t width,
                       std::int32_t shift = 0);
fb::AwaitT awaitToHost(std::uint32_t behind = 0);
fb::AwaitT awaitToDevice(std::uint32_t behind = 0);

} // namespace adjrt::test

#endif
