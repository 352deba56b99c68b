#include "adj/AdjOps.h"
