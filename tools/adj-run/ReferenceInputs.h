// A module and a token stream as the reference device takes them.
#ifndef ADJC_TOOLS_ADJRUN_REFERENCEINPUTS_H
#define ADJC_TOOLS_ADJRUN_REFERENCEINPUTS_H

#include "adjrt/io/TokenStream.h"
#include "adjrt/module/Module.h"
#include "adjrt/reference/Reference.h"

namespace adjrun {

/// The interpreter of a module's model section; `threads` 0: one per core. Errors name the module's file.
adjrt::Expected<adjrt::reference::ReferenceModel> openReferenceModel(const adjrt::Module &module, unsigned threads);

/// The packed (batch, tokens) arrays that a reference::Batch points to: all of a stream, since the reference holds
/// every activation anyway.
class ReferenceInputs {
public:
  /// Errors: those of the stream's windows.
  static adjrt::Expected<ReferenceInputs> read(const adjrt::TokenStream &stream);
  /// Valid as long as this object is.
  [[nodiscard]] adjrt::reference::Batch batch() const;

private:
  ReferenceInputs() = default;
  std::int64_t sequences = 0, tokens = 0;
  std::vector<std::int32_t> inputs, targets;
  std::vector<std::uint8_t> resets;
};

} // namespace adjrun

#endif
