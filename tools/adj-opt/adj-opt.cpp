//===- adj-opt.cpp - runs passes of adjc on a file ----------------------------------------------------------------===//
#include "adjc/InitAll.h"
#include "adjc/Pipelines/Pipelines.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  adjc::registerAllDialects(registry);
  adjc::registerAdjcPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "adjc's pass driver\n", registry));
}
