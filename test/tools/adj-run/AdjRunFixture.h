// Runs adj-run's command line in this process, on modules made by hand.
#ifndef ADJC_TEST_TOOLS_ADJRUN_ADJRUNFIXTURE_H
#define ADJC_TEST_TOOLS_ADJRUN_ADJRUNFIXTURE_H

#include "CommandLine.h"
#include "TemporaryFolder.h"
#include "TestModule.h"
#include "adjrt/io/Npy.h"
#include "adjrt/io/Parameters.h"

#include <sstream>

namespace adjrun::test {

/// A language model of an embedding (vocabulary, 3) and a head, without anything between: enough for the reference
/// device. Its programs are empty, so the cpu's loss and gradients are 0, which a check must notice.
struct TinyModel {
  std::int64_t vocabulary = 10;
  std::int64_t batch = 1;
  bool tied = false;
  std::string target = "cpu";
  /// Boundaries wait on the host, and the gradient's two layers fill 64 bytes and move them there.
  bool moving = false;
};

class AdjRun : public adjrt::test::TemporaryFolder {
protected:
  struct Outcome {
    int code;
    std::string out, err;
  };

  static Outcome run(std::vector<std::string> arguments, bool terminal = false) {
    std::ostringstream out, err;
    int code = runCommandLine(std::move(arguments), {out, err, terminal});
    return {code, out.str(), err.str()};
  }
  /// The exit code is `code` and the error contains every one of `parts`.
  static void expectFailure(int code, const std::vector<std::string> &arguments,
                            const std::vector<std::string> &parts) {
    Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.out << outcome.err;
    for (const std::string &part : parts)
      EXPECT_NE(outcome.err.find(part), std::string::npos) << "'" << part << "' is not in: " << outcome.err;
  }

  /// The folder that the CUDA libraries come from in what follows: ADJRT_FAKE_CUDA, or ADJRT_BARE_CUDA for a driver
  /// that cannot be used.
  static void onFakeGpu(const char *folder) { setenv("ADJRT_CUDA_LIBRARY_PATH", folder, 1); }

  /// Writes the module and returns its path.
  std::string module(const TinyModel &model = {}) const;
  std::string tokens(std::vector<std::int32_t> values, const std::string &name = "t.npy") const;
  /// Parameters from `adj-run init`.
  std::string params(const std::string &module) const;
  static std::vector<float> readTensor(const std::string &file, const std::string &tensor, std::size_t count);
};

} // namespace adjrun::test

#endif
