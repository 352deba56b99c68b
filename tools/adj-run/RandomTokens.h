// Tokens for runs that need some, whichever.
#ifndef ADJC_TOOLS_ADJRUN_RANDOMTOKENS_H
#define ADJC_TOOLS_ADJRUN_RANDOMTOKENS_H

#include "adjrt/io/TokenStream.h"
#include "adjrt/module/Module.h"

namespace adjrun {

/// batch x (tokens + 1) uniform tokens of the module's vocabulary, a function of the seed. With `resets`, documents
/// begin at the first token and then at random, every 16 tokens on average, at least once more where there are two
/// tokens.
adjrt::TokenStream makeRandomTokens(const adjrt::Module &module, std::int64_t tokens, std::uint64_t seed, bool resets);

/// The same for runs of any length: long ones repeat their first 65 536 tokens, so that no more of them are in memory.
adjrt::TokenStream makeRepeatedTokens(const adjrt::Module &module, std::int64_t tokens, std::uint64_t seed);

} // namespace adjrun

#endif
