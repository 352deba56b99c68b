// A module and a token stream as the reference device takes them.
#ifndef ADJC_TOOLS_ADJRUN_REFERENCEINPUTS_H
#define ADJC_TOOLS_ADJRUN_REFERENCEINPUTS_H

#include "adjrt/io/TokenStream.h"
#include "adjrt/module/Module.h"
#include "adjrt/reference/Reference.h"

namespace adjrun {

/// The interpreter of a module's model section; `threads` 0: one per core. Errors name the module's file.
adjrt::Expected<adjrt::reference::ReferenceModel> openReferenceModel(const adjrt::Module &module, unsigned threads);

/// The packed (batch, tokens) arrays that a reference::Batch points to; copied only where the stream's rows are not
/// packed.
class ReferenceInputs {
public:
  explicit ReferenceInputs(const adjrt::TokenStream &stream);
  /// Valid as long as this object and the stream are.
  [[nodiscard]] adjrt::reference::Batch batch() const;

private:
  const adjrt::TokenStream &stream;
  std::vector<std::int32_t> inputs, targets; ///< empty where the stream's own are packed
};

} // namespace adjrun

#endif
