//===- MambaConfig.h - a Hugging Face config.json of a Mamba model, checked -------------------------------------===//
//
// Meanings and defaults are those of transformers' MambaConfig and MambaForCausalLM. No LLVM in here: this reads an
// untrusted file, so it is also built under the sanitizers.
//
//===----------------------------------------------------------------------------------------------------------------===//
#ifndef ADJC_IMPORT_MAMBACONFIG_H
#define ADJC_IMPORT_MAMBACONFIG_H

#include "adjrt/support/Status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace adjc {

/// What the model is compiled for; some fields only mean something in one of them.
enum class ComputeType { F32, BF16 };

/// How `dt_proj.weight` is initialised.
enum class TimeStepInit { Random, Constant };

/// Every field of a Mamba config that changes the computation or the initial parameters. The defaults are those of a
/// field that the file leaves out.
struct MambaConfig {
  int64_t vocabSize = 50280;
  int64_t hiddenSize = 768;
  int64_t stateSize = 16;
  int64_t layers = 32;
  int64_t intermediateSize = 0; ///< int(expand * hidden_size) where the file does not give it
  int64_t convKernel = 4;
  int64_t timeStepRank = 0; ///< ceil(hidden_size / 16) for "auto"
  double layerNormEpsilon = 1e-5;
  bool useBias = false;    ///< of in_proj and out_proj
  bool useConvBias = true; ///< of conv1d
  bool tieWordEmbeddings = true;

  double initializerRange = 0.1; ///< standard deviation of embeddings and projections
  double timeStepScale = 1.0;
  double timeStepMin = 1e-3;
  double timeStepMax = 1e-1;
  double timeStepFloor = 1e-4;
  TimeStepInit timeStepInit = TimeStepInit::Random;
  bool rescalePrenormResidual = false; ///< out_proj.weight starts smaller by sqrt(layers)
};

/// Reads the text of a config.json. `fileName` only names the file in errors.
///
/// Every field that changes the computation is honoured or refused by name; a field that is neither honoured nor known
/// as metadata of published files is an error, and so is a field given twice. Every error is InvalidInput and reads
/// `file:line:column: field "name" ...`.
adjrt::Expected<MambaConfig> parseMambaConfig(std::string_view text, std::string_view fileName,
                                              ComputeType computeType);

} // namespace adjc

#endif
