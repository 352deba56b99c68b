#include "Replay.h"

namespace adjrt::cuda {
namespace {

bool isSlot(const program::Reference &ref) {
  return ref.kind >= static_cast<std::uint8_t>(fb::BufferKind::carry_in) &&
         ref.kind <= static_cast<std::uint8_t>(fb::BufferKind::cotangent_out);
}

struct UsesSlots {
  bool operator()(const program::Dispatch &command) const {
    return std::any_of(command.operands.begin(), command.operands.end(), isSlot);
  }
  bool operator()(const program::Gemm &command) const {
    return isSlot(command.a) || isSlot(command.b) || isSlot(command.c);
  }
  bool operator()(const program::Copy &command) const { return isSlot(command.source) || isSlot(command.destination); }
  bool operator()(const program::Fill &command) const { return isSlot(command.destination); }
  bool operator()(const program::Transfer &) const { return false; } // the loader lets none through
  bool operator()(const program::Await &) const { return false; }
};

} // namespace

bool usesSlots(const program::Command &command) { return std::visit(UsesSlots(), command.operation); }

Recordings::Key Recordings::keyOf(Address arena, const std::byte *host, const Bindings &bindings) {
  return {arena,
          host,
          {bindings[fb::BufferKind::arena], bindings[fb::BufferKind::parameters], bindings[fb::BufferKind::gradients],
           bindings[fb::BufferKind::working_copies], bindings[fb::BufferKind::host]},
          bindings.batch,
          bindings.tokens};
}

Recordings::Entry *Recordings::find(const Key &key) {
  const auto place = std::find_if(entries.begin(), entries.end(), [&](const Entry &e) { return e.key == key; });
  if (place != entries.end()) {
    entries.splice(entries.begin(), entries, place);
    return &entries.front();
  }
  if (entries.size() == kMost)
    entries.pop_back();
  entries.push_front({key, nullptr});
  return nullptr;
}

} // namespace adjrt::cuda
