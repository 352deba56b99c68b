//===- MambaSpecWriter.h - the spec of a Mamba language model ---------------------------------------------------===//
#ifndef ADJC_IMPORT_MAMBASPECWRITER_H
#define ADJC_IMPORT_MAMBASPECWRITER_H

#include "adjc/Import/MambaConfig.h"

#include <string>

namespace adjc {

/// The spec (ssm dialect, as text) of the MambaForCausalLM that `config` describes: what one would write by hand, with
/// Hugging Face's parameter names and initialisation. `name` becomes the model's symbol and must be an identifier.
std::string writeMambaSpec(const MambaConfig &config, const std::string &name = "mamba");

} // namespace adjc

#endif
