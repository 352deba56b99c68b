//===- Adj.td - the whole dialect, for its documentation -----------------------------------------------------------===//
include "adj/AdjOps.td"
include "adj/AdjOffload.td"
