//===- Pipelines.h - every pass of adjc, by name -------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PIPELINES_PIPELINES_H
#define ADJC_PIPELINES_PIPELINES_H

namespace adjc {

/// Registers every pass of adjc, the upstream clean-ups used between them, and the pipelines, under their names.
void registerAdjcPasses();

} // namespace adjc

#endif
