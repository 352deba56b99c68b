// The PTX that is written by hand is what the assembler takes, for every GPU that modules are compiled for.
#include "TestModule.h"
#include "cuda/AdamW.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <unistd.h>

using namespace adjrt;

namespace {

#ifdef ADJRT_PTXAS
void expectAssembles(const std::string &code, const std::string &name) {
  const std::string path = testing::TempDir() + "adjrt-" + std::to_string(getpid()) + "-" + name + ".ptx";
  std::ofstream(path) << code;
  for (const char *target : {"sm_80", "sm_90", "sm_90a", "sm_100"}) {
    const std::string command =
        std::string("'") + ADJRT_PTXAS + "' -arch=" + target + " -Werror -o /dev/null '" + path + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
  unlink(path.c_str());
}
#endif

TEST(Ptx, Assembles) {
#ifdef ADJRT_PTXAS
  expectAssembles(cuda::kAdamWCode, "adamw");
  expectAssembles(test::readBytes(ADJRT_TEST_PTX), "kernels");
#else
  GTEST_SKIP() << "ptxas of the CUDA toolkit was not found";
#endif
}

} // namespace
